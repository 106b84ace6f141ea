"""Running a case: prepare, settle, time one process tree, clean up; in pairs, in alternate order."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.sides import Argv, Folders, Side
from benchmarks.values import Measurement, Pair, Place, order

REST = 1.0  # seconds between the sync and the run
FORGETS = 65.0  # seconds for which ext4 looks at each inode that was removed when it makes a new one
NOISE = re.compile(r"^[-\d]+ [:,\d]+ - \w+ - |(/[^/\s]+){2,}/")
Say = Callable[[str], None]


def measure(argv: Argv, out: Path, errors: Path) -> Measurement:
    """Run a command to its end and time it. Its words go to the two files; it is ended when we are."""
    with out.open("wb") as said, errors.open("wb") as complained:
        start = time.monotonic()
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=said, stderr=complained, start_new_session=True
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        wall = time.monotonic() - start
    code = process.returncode = os.waitstatus_to_exitcode(status)
    note = last_line(errors) if code else ""
    return Measurement(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, code, note)


def own_peak() -> int:
    """Return our own peak memory in bytes: Linux counts it for a child too, so no figure can lie below it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def last_line(path: Path) -> str:
    """Return the last line that a command said, without time stamps and long paths, or its beginning."""
    lines = path.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()
    return NOISE.sub("", lines[-1])[:160] if lines else ""


def steps(commands: Sequence[Argv], folder: Path) -> Measurement | None:
    """Run commands in turn, untimed; their words stay in `step-N.out`. Return the one that failed, if any."""
    for number, argv in enumerate(commands, 1):
        done = measure(argv, folder / f"step-{number}.out", folder / f"step-{number}.err")
        if not done.worked:
            return replace(done, note=f"preparing, {Path(argv[0]).name}: {done.note}")
    return None


def settle() -> None:
    """Wait until nothing is left to write, then rest, so that no run pays for what went before."""
    os.sync()
    time.sleep(REST)


def forget() -> None:
    """Wait until what was removed slows nothing that comes: making files takes three times as long until then."""
    os.sync()
    time.sleep(FORGETS)


def one(side: Side, at: Folders) -> Measurement:
    """Time one run of a side in a fresh folder."""
    at.fresh.mkdir()
    if failed := steps(side.before(at), at.fresh):
        return failed
    command = side.command(at)
    settle()
    out = at.fresh / "run.out"
    done = measure(command, out, at.fresh / "run.err")
    said = out.read_text(errors="replace")
    if done.worked and not side.check(at, said):
        return replace(done, note="it ended well, but did not do its work")
    return replace(done, wall=side.seconds(said)) if done.worked and side.seconds else done


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, read-only folders too."""

    def open_up(call: Callable[[str], object], path: str, _: object) -> None:
        os.chmod(Path(path).parent, 0o700)
        os.chmod(path, 0o700)
        call(path)

    shutil.rmtree(folder, onerror=open_up)


def prepare(case: Case, folders: dict[Place, Folders]) -> dict[Place, Measurement]:
    """Do what each side does once a case; return what failed."""
    failed = {}
    sides: dict[Place, Side] = {"ours": case.ours, "peer": case.peer}
    for place, side in sides.items():
        folders[place].kept.mkdir(parents=True)
        if trouble := steps(side.once(folders[place]), folders[place].kept):
            failed[place] = trouble
    return failed


def pairs(case: Case, source: Path, scratch: Path, number: int, say: Say, *, stay: bool) -> list[Pair]:
    """Run `number` pairs of a case below `scratch`, which is emptied of them; stop at a pair that failed. What a run
    wrote is removed after it, or, where it is to `stay`, when the case ends."""
    root = scratch / case.name
    done: list[Pair] = []

    def folders(index: int) -> dict[Place, Folders]:
        return {place: Folders(source, root / f"{place}-fresh-{index}", root / f"{place}-kept") for place in order(0)}

    try:
        failed = prepare(case, folders(0))
        if failed:
            unrun = Measurement(0, 0, 0, 0, 0)
            return [Pair("ours", failed.get("ours", unrun), failed.get("peer", unrun))]
        for index in range(number):
            runs = {}
            for place in order(index):
                at = folders(index)[place]
                runs[place] = one(case.ours if place == "ours" else case.peer, at)
                if not stay:
                    remove(at.fresh)
            done.append(Pair(order(index)[0], runs["ours"], runs["peer"]))
            say(f"    {index + 1}/{number}  {runs['ours'].wall:8.2f} s  {runs['peer'].wall:8.2f} s")
            if not (runs["ours"].worked and runs["peer"].worked):
                break
        return done
    finally:
        if root.exists():
            remove(root)
