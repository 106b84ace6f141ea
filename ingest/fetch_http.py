"""A file by HTTP (RFC 9110), bounded: so many bytes, so much time, from no other host than the policy lists.

No proxy, no cookie, no credentials, no content coding. A host's addresses are asked for once, and connected to as they
were checked: a name that means another address a moment later leads nowhere.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from ingest.cancelling import unheeded
from ingest.fetch_line import Line, resolved
from ingest.fetch_rules import NotFetched, Target, permitted, redirected, target
from ingest.terms import one_line
from policies.fetching import Fetching

PIECE = 1 << 16  # bytes that are asked for at once
REDIRECTS = 5
CONNECT = 20.0  # seconds for a host's address, and for one connection
_MOVED = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Fetcher:
    """What it takes to ask for files. `clock` counts seconds; `heed` is called each `tick` of them at least, and raises
    where the run is to stop."""

    rules: Fetching
    heed: Callable[[], None] = unheeded
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    resolve: Callable[[str, int, float], list[str]] = resolved
    tick: float = 1.0

    def fetch(self, url: str, length: int | None, most: int, end: float, keep: Callable[[bytes], None]) -> str:
        """Hand a file's bytes to `keep`, `length` of them where that is known, at most `most`, before `end` by the
        clock; return the URL that gave them, without its query. Raises NotFetched, and what `keep` and `heed` raise."""
        asked = target(url, self.rules)
        for _ in range(REDIRECTS + 1):
            with self._answer(asked, end) as response:
                if response.status not in _MOVED:
                    _check(response, length, most)
                    self._read(response, length, most, keep)
                    return asked.shown
                to = redirected(asked, response.getheader("Location", ""))
            try:
                asked = target(to, self.rules)
            except NotFetched as refused:
                raise NotFetched(f"it is redirected, and {refused}") from refused
        raise NotFetched(f"it is redirected more than {REDIRECTS} times")

    def _read(self, response: HTTPResponse, length: int | None, most: int, keep: Callable[[bytes], None]) -> None:
        size = 0
        while data := response.read1(PIECE):
            size += len(data)
            if size > (most if length is None else length):
                raise NotFetched(_too_long(length, most))
            keep(data)
            self.heed()
        if response.length:
            raise NotFetched(f"the connection ended before its last {response.length} bytes", passing=True)
        if length not in (None, size):
            raise NotFetched(f"it has {size} bytes; fetch.txt says {length}")

    @contextmanager
    def _answer(self, asked: Target, end: float) -> Iterator[HTTPResponse]:
        """Ask, and give the answer before its content; what goes wrong then too is told as NotFetched."""
        try:
            with self._line(asked, end) as line:
                yield _ask(asked, line)
        except ssl.SSLCertVerificationError as failure:
            raise NotFetched(f"{asked.host} cannot prove who it is: {failure.verify_message}") from failure
        except (OSError, HTTPException) as failure:
            told = one_line(getattr(failure, "strerror", None) or str(failure) or type(failure).__name__)[:200]
            raise NotFetched(f"{asked.host}: {told}", passing=True) from failure

    def _line(self, asked: Target, end: float) -> Line:
        """A connection to the first of the host's addresses that takes one."""
        found = self.resolve(asked.host, asked.port, self._left(end, CONNECT))
        addresses = [address for address in found if permitted(address, asked, self.rules)]
        if not addresses:
            told = "of this machine, a private network or a group"
            raise NotFetched(f"{asked.host} has no address but {told} (fetching.private)")
        failure = OSError("it has no address")
        for address in addresses:
            try:
                return self._connected(asked, address, end)
            except ssl.SSLCertVerificationError:
                raise
            except OSError as one:
                failure = one
        raise failure

    def _connected(self, asked: Target, address: str, end: float) -> Line:
        connected = socket.create_connection((address, asked.port), self._left(end, CONNECT))
        with ExitStack() as undo:
            undo.enter_context(connected)
            if asked.scheme == "https":
                connected.settimeout(self._left(end, CONNECT))
                connected = ssl.create_default_context().wrap_socket(connected, server_hostname=asked.host)
            undo.pop_all()
        return Line(connected, lambda: self._left(end, self.tick))

    def _left(self, end: float, most: float) -> float:
        """Seconds that may be waited at once; raise TimeoutError where there are none."""
        self.heed()
        if (left := end - self.clock()) <= 0:
            raise TimeoutError("the time that the policy allows was up")
        return min(left, most)


def _ask(asked: Target, line: Line) -> HTTPResponse:
    line.sendall(
        f"GET {asked.path} HTTP/1.1\r\nHost: {asked.authority}\r\nUser-Agent: tianyi\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n".encode("ascii")
    )
    sock: Any = line  # what http.client asks of a socket, and no more
    response = HTTPResponse(sock, method="GET")
    response.begin()
    return response


def _check(response: HTTPResponse, length: int | None, most: int) -> None:
    """Raise NotFetched for an answer that is not the file, before it is read."""
    if response.status != 200:
        told = f"the server answered {response.status}, not 200"
        raise NotFetched(told, passing=response.status in _PASSING)
    if (coding := response.getheader("Content-Encoding", "identity")) != "identity":
        raise NotFetched(f"the server encoded it ({one_line(coding)[:40]}), which it was not asked to")
    if response.length is not None and length not in (None, response.length):
        raise NotFetched(f"the server says that it has {response.length} bytes; fetch.txt says {length}")
    if (response.length or 0) > most:
        raise NotFetched(_too_long(None, most))


def _too_long(length: int | None, most: int) -> str:
    if length is None:
        return f"it has more bytes than the policy leaves for it: {most} (fetching.bytes)"
    return f"it has more than the {length} bytes that fetch.txt says"
