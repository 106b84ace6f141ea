"""One connection to clamd, in a session (clamd(8), IDSESSION): commands end in NUL, answers have their numbers.

What comes from the other side is not trusted: an answer that is late, long, cut, or not the one asked for is Broken.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

LONGEST = 1_000  # bytes of an answer; a signature's name is shorter
CONNECTING = 5.0  # seconds; a machine that is there takes a thousandth of that
_NUMBERED = re.compile(rb"([0-9]{1,9}): (.+)\0", re.DOTALL)


class Broken(Exception):
    """A conversation that cannot go on; its text says why."""


class Place(NamedTuple):
    """Where clamd listens: a socket's path, or a host and port."""

    path: str = ""
    host: str = ""
    port: int = 0


def parse_address(text: str) -> Place:
    """The place of `unix:/PATH` or `tcp:HOST:PORT` (an IPv6 address in brackets); raise ValueError."""
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest.startswith("/"):
        return Place(path=rest)
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536:
        return Place(host=host.strip("[]"), port=int(port))
    raise ValueError(f"{text!r} is no address of clamd: write like unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310")


def connect(place: Place, patience: float, clock: Callable[[], float] = time.monotonic) -> Line:
    """Open a session; raise OSError."""
    if place.path:
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.settimeout(CONNECTING)
            opened.connect(place.path)
        except OSError:
            opened.close()
            raise
    else:
        opened = socket.create_connection((place.host, place.port), CONNECTING)
    line = Line(opened, patience, clock)
    line.open()
    return line


class Line:
    """A session. `patience` is how many seconds we still wait for clamd in all, whatever it does meanwhile."""

    def __init__(self, opened: socket.socket, patience: float, clock: Callable[[], float]) -> None:
        self._socket, self._clock, self.patience = opened, clock, patience
        self._asked = 0
        self._poll = select.poll()
        self._poll.register(opened, select.POLLIN)

    def close(self) -> None:
        self._socket.close()

    def open(self) -> None:
        """Begin the session; raise OSError."""
        try:
            self._send(b"zIDSESSION\0")
        except OSError:
            self.close()
            raise

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for, the end of the connection among it."""
        return not self._poll.poll(0)

    def ask(self, command: bytes) -> str:
        """Send a command and return its answer, the connection closed where that fails; raise OSError or Broken."""
        try:
            self._asked += 1
            self._send(command)
            return self.answer()
        except (OSError, Broken):
            self.close()
            raise

    def begin(self) -> None:
        """Begin a stream; raise OSError."""
        self._asked += 1
        self._send(b"zINSTREAM\0")

    def send(self, data: bytes) -> None:
        """The stream's next bytes; raise OSError, or Broken where clamd has answered before the end."""
        if not data:
            return  # no bytes would mean its end
        if not self.is_quiet():
            raise Broken("it hung up before the end")
        self._send(struct.pack("!I", len(data)), data)

    def end(self) -> None:
        self._send(struct.pack("!I", 0))

    def answer(self) -> str:
        """The answer to the last command, printable; raise OSError or Broken."""
        data = self._read()
        if not (told := _NUMBERED.fullmatch(data)) or int(told[1]) != self._asked:
            raise Broken(f"it answered {_printable(data)!r}")
        return _printable(told[2])

    def last_words(self) -> str:
        """What clamd said before it ended the conversation, "" where that was nothing of use."""
        with suppress(OSError, Broken):
            if not self.is_quiet() and (told := _NUMBERED.fullmatch(self._read())):
                return _last(_printable(told[2]))
        return ""

    def _read(self) -> bytes:
        """One answer, its NUL included, and nothing beyond it."""
        data = b""
        while b"\0" not in data:
            with self._waiting():
                some = self._socket.recv(LONGEST)
            if not some:
                raise Broken("it hung up without an answer")
            data += some
            if len(data) > LONGEST:
                raise Broken("it answers without end")
        return data

    def _send(self, *parts: bytes) -> None:
        for part in parts:
            with self._waiting():
                self._socket.sendall(part)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Time in the block is taken from our patience; raise TimeoutError where that has ended."""
        if self.patience <= 0:
            raise TimeoutError("it takes too long")
        began = self._clock()
        self._socket.settimeout(self.patience)
        try:
            yield
        except TimeoutError as error:
            raise TimeoutError("it takes too long") from error
        finally:
            self.patience -= self._clock() - began


def _last(told: str) -> str:
    """An error's words; an answer that is none has come too early to count."""
    return f"clamd says {told.removesuffix(' ERROR')}" if told.endswith(" ERROR") else ""


def _printable(data: bytes) -> str:
    text = data.decode("ascii", "backslashreplace")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
