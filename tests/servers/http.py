"""A server on loopback that answers what a test has put under a path, byte for byte, and writes down what was asked."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import socket
from ssl import SSLContext

Answer = bytes | Callable[[socket], None]
"""What is sent, or what does the sending."""


@dataclass
class Server:
    """`answers` by path; `asked` are the heads of the requests that came, in their order."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def silent(self, _: socket) -> None:
        """Say nothing, until the test is over."""
        self.ending.wait()


def good(content: bytes, **headers: str) -> bytes:
    """The whole answer with some content."""
    return answer("200 OK", content, {"Content-Length": str(len(content)), **headers})


def moved(to: str) -> bytes:
    return answer("302 Found", b"", {"Location": to, "Content-Length": "0"})


def answer(status: str, content: bytes, headers: Mapping[str, str]) -> bytes:
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + content


_NOTHING = answer("404 Not Found", b"", {"Content-Length": "0"})


@contextmanager
def serving(context: SSLContext | None = None) -> Iterator[Server]:
    """One, by TLS where a context is given."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head and (part := self.request.recv(4096)):
                head += part
            known.asked.append(head.decode("latin-1"))
            reply = known.answers.get(head.decode("latin-1").partition(" ")[2].partition(" ")[0])
            if callable(reply):
                try:
                    reply(self.request)
                except OSError:  # whoever asked has hung up
                    return
            else:
                self.request.sendall(_NOTHING if reply is None else reply)

    class Threads(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Threads(("127.0.0.1", 0), Handler) as server:
        known = Server(server.server_address[1])
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield known
        finally:
            known.ending.set()
            server.shutdown()
            thread.join()
