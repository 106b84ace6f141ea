"""One item of a delivery as a value: a file, a folder or a symbolic link, as the producer's package has it."""

from __future__ import annotations

from typing import NamedTuple

from storage.namemap import Kind


class Item(NamedTuple):
    """`name` is its path in the package, original bytes, "/"-separated; `source` where its bytes lie on disk.

    `size` in bytes, `mode` the permission bits, `mtime` nanoseconds since 1970 (None: the package does not say),
    `target` where a link points. `watched`: the source belongs to the producer and must not change meanwhile.
    """

    kind: Kind
    name: bytes
    source: bytes = b""
    size: int = 0
    mode: int | None = None
    mtime: int | None = None
    target: bytes = b""
    watched: bool = False
