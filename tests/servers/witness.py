"""Witnesses on loopback: one that speaks C2SP tlog-witness and checks what it is given, and one that takes mail."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from storage import merkle
from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.signed_note import decoded

SIGNED = "\u2014 witness.example AAAAAQ==\n"


@dataclass
class Network:
    """`known` is the newest checkpoint of each log; `asked` counts requests."""

    port: int
    known: dict[str, Checkpoint] = field(default_factory=dict)
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/add-checkpoint"

    def add(self, body: bytes) -> tuple[int, str]:
        self.asked += 1
        head, _, text = body.partition(b"\n\n")
        old, *proof = head.decode().split("\n")
        now, _ = parse_checkpoint(text)
        before = self.known.get(now.origin, Checkpoint(now.origin, 0, merkle.EMPTY))
        if old != f"old {before.size}":
            return 409, f"{before.size}\n"
        if before.size and not merkle.continues(
            before.size, before.root, now.size, now.root, list(map(decoded, proof))
        ):
            return 422, ""
        self.known[now.origin] = now
        return 200, SIGNED


@contextmanager
def network() -> Iterator[Network]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            status, text = made.add(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Network(server.server_address[1])
        with _served(server):
            yield made


@dataclass
class Mailbox:
    port: int
    messages: list[str] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """As much of SMTP (RFC 5321) as it takes to get a message."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                self.wfile.write({b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 well\r\n"))
                if word == b"DATA":
                    told = b"".join(iter(self.rfile.readline, b".\r\n"))
                    made.messages.append(told.replace(b"\r\n.", b"\r\n").decode())
                    self.wfile.write(b"250 kept\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        made = Mailbox(server.server_address[1])
        with _served(server):
            yield made


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
