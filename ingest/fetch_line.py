"""One connection to a server on which nobody can keep us waiting: each read ends at the deadline, and looks now and
then whether to stop."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

Left = Callable[[], float]
"""Seconds to wait at most before it is asked again; raises TimeoutError where the time is up, Cancelled where asked."""


class Line(io.RawIOBase):
    """A connected socket, with what http.client asks of one. Raises OSError, and what `left` raises."""

    def __init__(self, connected: socket.socket, left: Left) -> None:
        self._socket, self._left = connected, left

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while True:
            self._socket.settimeout(self._left())
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                continue

    def close(self) -> None:
        self._socket.close()
        super().close()


def resolved(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host, those first that the system would try first; raise OSError, TimeoutError among them."""
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(one[4][0]) for one in found])
        except OSError as failure:
            answers.put(failure)

    threading.Thread(target=ask, daemon=True).start()  # getaddrinfo cannot be stopped, only left behind
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError("its host's address was not found in time") from None
    if isinstance(answer, OSError):
        raise answer
    return list(dict.fromkeys(answer))
