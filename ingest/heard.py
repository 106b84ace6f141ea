"""What a bounded child has written down, most as lines of JSON: a file that took it over may have written it."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

MOST: Final = 64 << 20  # bytes that are listened to
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a validator's own code may look like, to be one of ours."""


def opened(path: Path) -> IO[bytes]:
    """A file that a child has left; raise OSError where there is none, or a link, a pipe or a device, which may lead
    anywhere or have no end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file", str(path))
    return open(descriptor, "rb")


def heard(found: Path, members: Mapping[str, type]) -> Iterator[dict[str, Any]]:
    """Yield the objects that have these members of these types; nothing where there is no such file.

    Other lines do not count, nor one that the child was stopped in.
    """
    lines: list[bytes] = []
    with suppress(OSError), opened(found) as file:
        lines = file.read(MOST).splitlines(keepends=True)
    for said in (_object(line) for line in lines if line.endswith(b"\n")):
        if all(type(said.get(name)) is kind for name, kind in members.items()):
            yield said


def _object(line: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        said = json.loads(line)
        return said if isinstance(said, dict) else {}
    return {}
