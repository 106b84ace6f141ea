"""What a reader of hostile bytes must not do: leave its scratch folder, speak to the network, or take for ever."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PATIENCE = 30  # seconds of processor for one input of some kilobytes; a usual one takes a hundredth of one
_READABLE = tuple(dict.fromkeys(os.path.realpath(str(path)) for path in (
    sys.prefix, sys.base_prefix, *(path for path in sys.path if path), Path(__file__).parents[2], "/proc", "/dev/null",
    "/dev/urandom", "/usr/lib", "/usr/share", "/etc/mime.types", "/etc/localtime",
)))  # fmt: skip
"""What Python itself reads: modules, time zones, types."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = ("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.chmod", "os.chown",
            "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile")  # fmt: skip
_NEVER = ("socket.connect", "socket.getaddrinfo", "os.system", "os.exec", "os.fork", "os.kill",
          "urllib.Request")  # fmt: skip
_watched: list[str] = []  # the scratch folder, while an input is read
_seen: list[str] = []


class Escape(BaseException):
    """Something outside the scratch folder was touched: no handler of errors may hide it."""


class Hang(BaseException):
    """It used more than PATIENCE seconds of processor."""


@contextmanager
def guarded(scratch: Path) -> Iterator[None]:
    """Raise Escape or Hang for what the block does; the main thread only."""
    _install()
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    _watched.append(os.path.realpath(scratch))
    try:
        yield
    finally:
        _watched.pop()
        signal.setitimer(signal.ITIMER_PROF, 0)
        seen, _seen[:] = tuple(_seen), ()
    if seen:
        raise Escape(seen[0])


def _install() -> None:
    """Once a process: what listens cannot be taken away again, and is deaf outside the block."""
    if not getattr(sys, "_tianyi_guard", False):
        sys._tianyi_guard = True  # type: ignore[attr-defined]
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched:
        return
    if event in _NEVER:
        _tell(f"{event} {arguments[:2]!r}")
    elif event in _CHANGES:
        for path in arguments[: 2 if event in ("os.rename", "os.link") else 1]:
            if not _inside(path, ()) and not _is_of_open_folder(path, arguments):
                _tell(f"{event} {path!r}")
    elif event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & _WRITING
        if not _inside(path, () if writes and path != "/dev/null" else _READABLE):
            _tell(f"open {path!r}")


def _inside(path: object, others: tuple[str, ...]) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a descriptor that was opened before
    full = os.fsdecode(os.path.abspath(os.fspath(path)))
    return any(full == root or full.startswith(root + "/") for root in (*_watched, *others))


def _is_of_open_folder(path: object, arguments: tuple[object, ...]) -> bool:
    """Whether it is a bare name in a folder that was opened before (the last argument), as shutil.rmtree has it."""
    folder = arguments[-1]
    return (
        isinstance(folder, int) and folder >= 0 and isinstance(path, str | bytes) and os.fsencode(path).count(b"/") == 0
    )


def _tell(what: str) -> None:
    _seen.append(what)
    raise Escape(what)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Hang
