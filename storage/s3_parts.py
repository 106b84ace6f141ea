"""How a file is cut for an S3 store, and by what its answer is known: arithmetic, without a network.

Amazon S3's limits (User Guide, "Amazon S3 multipart upload limits") hold for all that are compatible with it: one put
takes 5 GiB, an upload has 10,000 parts at most, each but the last of 5 MiB or more.
"""

from __future__ import annotations

import hashlib

PART = 8 << 20  # bytes: what fits in one part is one put, which its answer proves whole
LIMIT = 10_000  # parts of one upload
_MIB = 1 << 20
_IN_FLIGHT = 128 << 20  # bytes of one file that are on their way at once


def part_size(size: int) -> int:
    """Bytes of each part, but the last, of a file of that size: whole MiB, and never more than 10,000 parts."""
    return max(PART, -(-size // (LIMIT * _MIB)) * _MIB)


def parts_at_once(part: int, most: int) -> int:
    """How many parts may be under way together, so that memory does not grow with the file."""
    return max(1, min(most, _IN_FLIGHT // part))


class Tag:
    """The ETag that S3 gives to bytes that it got whole: the MD5 of one put, or the MD5 of the parts' MD5s.

    Not every store does so, and none has to (encryption by keys of its own changes it): an ETag that is this one
    proves what arrived, another proves nothing.
    """

    def __init__(self, part: int = 0) -> None:
        """Of an upload in parts of that size, or, where it is 0, of one put."""
        self._part, self._left = part, part
        self._whole = hashlib.md5(usedforsecurity=False)
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        view = memoryview(data)
        while self._part and len(view) >= self._left:
            self._whole.update(view[: self._left])
            view = view[self._left :]
            self._close()
        self._whole.update(view)
        self._left -= len(view)

    def value(self) -> str:
        """The ETag, without its quotes; nothing more is to be fed."""
        if not self._part:
            return self._whole.hexdigest()
        if self._left < self._part:
            self._close()
        whole = hashlib.md5(b"".join(self._parts), usedforsecurity=False)
        return f"{whole.hexdigest()}-{len(self._parts)}"

    def _close(self) -> None:
        self._parts.append(self._whole.digest())
        self._whole, self._left = hashlib.md5(usedforsecurity=False), self._part
