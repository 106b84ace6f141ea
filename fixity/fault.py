"""What was wrong with a file, as evidence: told by holding it against the good bytes while these are read."""

from __future__ import annotations

from dataclasses import dataclass
from io import SEEK_END
from types import TracebackType
from typing import BinaryIO

from storage.errors import NotFound, StorageError
from storage.store import Opens

LONGEST = 200  # characters of what the system said


@dataclass(frozen=True, slots=True)
class Fault:
    """What lay under a key in place of what should.

    `outcome` is altered, missing, unreadable, mode, or intact where it reads right after all. `size` is the bytes that
    were there, `first` the offset of the first byte that differs or cannot be read, `bits` how many bits differ, told
    where the length is right; None where it is not known. `why` is what the system said.
    """

    outcome: str
    size: int | None = None
    first: int | None = None
    bits: int | None = None
    why: str = ""

    def told(self) -> dict[str, str | int]:
        """What is known, as an entry of the ledger has it."""
        members = {"outcome": self.outcome, "bytes": self.size, "first": self.first, "bits": self.bits}
        known = {name: value for name, value in members.items() if value is not None}
        return {**known, "why": self.why[:LONGEST]} if self.why else known


class Comparing:
    """Holds good bytes, as they come, against what lies under a key of a copy. Whatever lies there raises nothing."""

    def __init__(self, store: Opens, key: str) -> None:
        self._stream: BinaryIO | None = None
        self._outcome, self._why = "altered", ""
        self._at = self._bits = 0
        self._size: int | None = None
        self._first: int | None = None
        try:
            self._stream = store.open(key)
            self._size = self._stream.seek(0, SEEK_END)
            self._stream.seek(0)
        except NotFound:
            self._outcome = "missing"
        except (StorageError, OSError) as error:
            self._give_up(error)

    def __enter__(self) -> Comparing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def feed(self, good: bytes) -> None:
        """The next of the good bytes."""
        if self._stream is not None:
            found, error = _read(self._stream, len(good))
            self._compare(good, found)
            if error:
                self._first = self._at + len(found) if self._first is None else self._first
                self._give_up(error)
        self._at += len(good)

    def fault(self) -> Fault:
        """What is wrong, when all good bytes were fed."""
        if self._stream is None:
            return Fault(self._outcome, self._size, self._first, None, self._why)
        if self._size == self._at:
            return Fault("intact" if self._first is None else "altered", self._size, self._first, self._bits)
        shorter = min(self._at, self._size or 0)
        return Fault("altered", self._size, shorter if self._first is None else self._first)

    def _compare(self, good: bytes, found: bytes) -> None:
        common = min(len(good), len(found))
        differ = int.from_bytes(good[:common]) ^ int.from_bytes(found[:common])
        self._bits += differ.bit_count()
        if differ and self._first is None:
            self._first = self._at + common - (differ.bit_length() + 7) // 8

    def _give_up(self, error: Exception) -> None:
        why = getattr(error, "why", "") or getattr(error, "strerror", "")  # neither tells where on this machine
        self._outcome, self._why = "unreadable", why or str(error)
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _read(stream: BinaryIO, size: int) -> tuple[bytes, Exception | None]:
    """So many bytes, fewer at the end alone, or up to an error."""
    parts = []
    try:
        while size and (data := stream.read(size)):
            parts.append(data)
            size -= len(data)
    except (StorageError, OSError) as error:
        return b"".join(parts), error
    return b"".join(parts), None
