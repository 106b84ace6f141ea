"""A command in a bounded child: little time, little memory, no network, and gone with its process group when it ends.

It reads what this process reads, and writes in its own folder alone, where the kernel has Landlock; it touches nobody
else, where it has seccomp. The child binds itself (`sandbox_child.py`).
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from storage.durable import DISK, remove_tree

HEARD = 64 * 1024  # bytes kept of each of stdout and stderr

# Our folder comes last on the child's path: nothing of ours hides a library.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from ingest.sandbox_child import main; sys.exit(main(sys.argv[1:]))"
)
_OURS = str(Path(__file__).absolute().parents[1])


@contextmanager
def room(scratch: Path) -> Iterator[Path]:
    """A new folder in `scratch` for one child. What it leaves there is removed, however deep; what cannot be removed
    goes with `scratch`."""
    folder = Path(mkdtemp(dir=scratch))
    try:
        yield folder
    finally:
        with suppress(OSError):
            remove_tree(DISK, folder)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use: seconds by the wall clock, seconds of processor, bytes, bytes of one file, files open."""

    seconds: float = 120
    cpu: int = 60
    memory: int = 2 << 30
    file: int = 4 << 30
    files: int = 256


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. `exit` is None where something killed it: "time" (its limit) or "signal N"."""

    exit: int | None
    killed_by: str
    output: bytes
    errors: bytes


def run(argv: Sequence[str], scratch: Path, limits: Limits | None = None, writes: Sequence[Path] = ()) -> Ran:
    """Run the command in the folder `scratch` until it ends or is stopped; a crash and a hang are values too.

    It may write in that folder, which is its home and its place for temporary files, and to the files `writes`, which
    are there. Its whole process group is gone afterwards; without seccomp, a process that left the group may live on,
    as bound as the others: write nothing there any more. Raise OSError only where no process can be started at all.
    The thread that calls must outlive the call, as it does: the child dies with it.
    """
    limits = limits or Limits()
    with _spawned(argv, scratch, limits, writes) as process:
        listening = _Listening(process)
        in_time = listening.until_end(time.monotonic() + limits.seconds)
    listening.drain()
    code = process.returncode
    if not in_time:
        return Ran(None, "time", *listening.heard())
    return Ran(code, "", *listening.heard()) if code >= 0 else Ran(None, f"signal {-code}", *listening.heard())


def ending(ran: Ran, limits: Limits) -> str:
    """How it ended, as the rest of a sentence for people: "it …"."""
    if ran.killed_by == "time":
        return f"it was stopped after {limits.seconds:g} seconds"
    if ran.killed_by == f"signal {signal.SIGXCPU.value}":
        return f"it was stopped after {limits.cpu} seconds of processor time"
    said = ran.errors.decode("utf-8", "replace").strip().splitlines()
    last = f": {said[-1]}" if said else ""
    return f"it crashed ({ran.killed_by}){last}" if ran.killed_by else f"it ended with {ran.exit}{last}"


@contextmanager
def _spawned(
    argv: Sequence[str], scratch: Path, limits: Limits, writes: Sequence[Path]
) -> Iterator[subprocess.Popen[bytes]]:
    """The child in a session of its own; on leaving, its process group is killed and the child is waited for."""
    bounds = [str(part) for part in (os.getpid(), limits.cpu, limits.memory, limits.file, limits.files)]
    start = [sys.executable, "-I", "-S", "-c", _START, _OURS, *bounds, *(str(path.absolute()) for path in writes), "--"]
    room = str(scratch.absolute())
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": room, "TMPDIR": room}
    process = subprocess.Popen(
        [*start, *argv], cwd=scratch, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # not waited for yet, so the number is still this group's
        process.wait()


class _Listening:
    """Both pipes of a child: the first HEARD bytes are kept, the rest is read and dropped; no read ever waits."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # Popen was told PIPE
        assert process.stderr is not None
        self._kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
        self._ending = os.fdopen(os.pidfd_open(process.pid), "rb", buffering=0)
        for pipe in self._kept:
            os.set_blocking(pipe.fileno(), False)

    def until_end(self, deadline: float) -> bool:
        """Whether the child itself ended before the deadline (of the monotonic clock)."""
        with self._ending, selectors.DefaultSelector() as selector:
            for file in (self._ending, *self._kept):
                selector.register(file, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                ready = [key.fileobj for key, _ in selector.select(left)]
                if self._ending in ready:
                    return True
                for pipe in self._kept.keys() & set(ready):
                    if not self._hear(pipe):
                        selector.unregister(pipe)
        return False

    def drain(self) -> None:
        """Take what still lies in the pipes; what a process that fled the group writes on is not waited for."""
        for pipe, kept in self._kept.items():
            with closing(pipe), suppress(BlockingIOError):
                while len(kept) < HEARD and self._hear(pipe):
                    pass

    def heard(self) -> tuple[bytes, ...]:
        return tuple(bytes(kept) for kept in self._kept.values())

    def _hear(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), HEARD)
        kept = self._kept[pipe]
        kept.extend(data[: HEARD - len(kept)])
        return bool(data)
