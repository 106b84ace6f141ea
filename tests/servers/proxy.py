"""A proxy of the tests before a real S3 server: it forwards what comes, and on order spoils one exchange.

Leaving it well while a planned fault has not fired is an AssertionError: the test did not test anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

from tests.servers.endpoint import Endpoint


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool = False  # after half of the body the connection breaks


@dataclass
class Exchange:
    """One request on its way; `forward` has the server answer it."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    upstream: str

    def forward(self) -> Answer:
        connection = HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        try:
            connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                connection.putheader(name, value)
            connection.endheaders(self.body or None)
            answer = connection.getresponse()
            return Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            connection.close()


Fault = Callable[[Exchange], Answer | None]
"""Gives the answer to an exchange, None for a connection that breaks without one."""


def answers(status: int, code: str) -> Fault:
    """The server is never asked."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    return lambda exchange: Answer(status, (("Content-Type", "application/xml"),), body)


def flips_the_upload(exchange: Exchange) -> Answer | None:
    exchange.body = _flipped(exchange.body)
    return exchange.forward()


def flips_the_download(exchange: Exchange) -> Answer | None:
    answer = exchange.forward()
    return replace(answer, body=_flipped(answer.body))


def swallows_the_answer(exchange: Exchange) -> Answer | None:
    """What was asked is done, and nobody hears of it."""
    exchange.forward()
    return None


def stores_other_bytes(exchange: Exchange, endpoint: Endpoint) -> Answer | None:
    """As a store that checks nothing takes in what was damaged on the way: with an answer about what it got."""
    bucket, _, key = urlsplit(exchange.path).path.lstrip("/").partition("/")
    got = endpoint.client(bucket).put(key, _flipped(exchange.body), use_multipart=False)
    return Answer(200, (("ETag", got["e_tag"] or ""),), b"")


def hides_its_etag(exchange: Exchange) -> Answer | None:
    """As a store that encrypts with keys of its own: the ETag is no MD5."""
    answer = exchange.forward()
    kept = tuple((name, value) for name, value in answer.headers if name.lower() != "etag")
    return replace(answer, headers=(*kept, ("ETag", '"0123456789abcdef0123456789abcdef"')))


def cuts_the_answer(exchange: Exchange) -> Answer | None:
    return replace(exchange.forward(), cut=True)


def cuts_the_request(exchange: Exchange) -> Answer | None:
    """It never arrives."""
    return None


def waits(seconds: float) -> Fault:
    def wait(exchange: Exchange) -> Answer | None:
        time.sleep(seconds)
        return None

    return wait


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@dataclass
class _Planned:
    method: str
    part: str
    do: Fault
    first: int
    last: float
    met: int = 0
    fired: int = 0


@dataclass
class Proxy:
    """Where it listens, and what it does to whom."""

    endpoint: Endpoint
    upstream: Endpoint
    seen: list[tuple[str, str]] = field(default_factory=list)
    _planned: list[_Planned] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def on(self, method: str, part: str, do: Fault, *, call: int = 1, times: float = 1) -> Proxy:
        """Spoil requests of that method with `part` in their path and query, from the given call on."""
        self._planned.append(_Planned(method, part, do, call, call + times - 1))
        return self

    def calm(self) -> None:
        """What was planned has fired; from now on nothing is spoiled."""
        assert self.unmet == [], f"planned, but never came to it: {self.unmet}"
        self._planned.clear()

    @property
    def unmet(self) -> list[str]:
        return [f"{p.method} …{p.part}… number {p.first} (of {p.met})" for p in self._planned if not p.fired]

    def exchange(self, exchange: Exchange) -> Answer | None:
        with self._lock:
            self.seen.append((exchange.method, exchange.path))
            fault = self._met(exchange)
        return fault(exchange) if fault else exchange.forward()

    def _met(self, exchange: Exchange) -> Fault | None:
        found: Fault | None = None
        for planned in self._planned:
            if planned.method == exchange.method and planned.part in exchange.path:
                planned.met += 1
                if found is None and planned.first <= planned.met <= planned.last:
                    planned.fired += 1
                    found = planned.do
        return found


@contextmanager
def before(upstream: Endpoint) -> Iterator[Proxy]:
    """A proxy on a free port of loopback; when this is left, nobody answers there any more."""
    server = _Server(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.proxy = Proxy(replace(upstream, url=url), upstream)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.proxy
        server.proxy.calm()
    finally:
        server.shutdown()
        server.close_all()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy

    def close_all(self) -> None:
        self.server_close()
        for handler in list(_Handler.open):
            if handler.server is self:
                with suppress(OSError):
                    handler.connection.shutdown(2)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; together with delayed ACKs each would cost 40 ms
    server: _Server
    open: set[_Handler] = set()  # noqa: RUF012  # those of every server, so that they can be hung up

    def setup(self) -> None:
        super().setup()
        self.open.add(self)

    def finish(self) -> None:
        self.open.discard(self)
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = tuple(self.headers.items())
        proxy = self.server.proxy
        try:
            answer = proxy.exchange(Exchange(self.command, self.path, headers, body, proxy.upstream.url))
        except (OSError, HTTPException):
            answer = None
        self._tell(answer)

    def _tell(self, answer: Answer | None) -> None:
        if answer is None or answer.cut:
            self.close_connection = True
        if answer is None:
            return
        with suppress(OSError):  # whoever asked may have gone
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", self._length(answer))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)

    def _length(self, answer: Answer) -> str:
        """To HEAD, the length of what is not sent."""
        told = {name.lower(): value for name, value in answer.headers}
        return told.get("content-length", "0") if self.command == "HEAD" else str(len(answer.body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _exchange  # noqa: N815  # http.server's names
