"""A server that pretends to be clamd, and answers as a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Act = Callable[[socket.socket], None]


@contextmanager
def pretending(path: Path, act: Act) -> Iterator[str]:
    """Give each connection to `act`, in turn; the address is yielded. On leaving, nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=_serve, args=(listening, act))
        thread.start()
        try:
            yield f"unix:{path}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, act: Act) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                act(connection)


def saying(answer: bytes) -> Act:
    """Read what comes, and answer with this, whatever it is; then hang up."""

    def act(connection: socket.socket) -> None:
        _until_end(connection)
        connection.sendall(answer)

    return act


def _until_end(connection: socket.socket) -> None:
    """Read until the end of the first stream."""
    data = b""
    while not data.endswith(b"\0\0\0\0") and (some := connection.recv(1 << 16)):
        data += some


def silent(connection: socket.socket) -> None:
    """Read everything, and never answer."""
    while connection.recv(1 << 16):
        pass


def dripping(connection: socket.socket) -> None:
    """Answer for ever, without an end."""
    while True:
        connection.sendall(b"1: stream: O" + b"O" * 10_000)


def hanging_up(connection: socket.socket) -> None:
    """End in the middle of a stream."""
    connection.recv(20)
