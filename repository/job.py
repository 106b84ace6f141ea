"""One run of one scheduled job, in a process of its own: `python -m repository.job FOLDER NAME PARENT`.

Its answer is one line of JSON on standard output. SIGTERM abandons the run as Ctrl-C abandons a command: what was
committed stays, the rest was never there, and no entry is written, so that the job is due again.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from fixity.audit import WORDS, Audit, is_damaged
from policies.errors import PolicyError
from repository import edge, jobs, notify
from repository.alerts import NEWS, Message
from repository.errors import JobRunning, UnknownJob
from repository.facade import utc_now
from repository.jobs import Run
from repository.repository import Repository
from storage import durable
from storage.errors import Locked, TianyiError
from storage.event import SCHEDULER
from storage.lock import locked

_DIE_WITH_PARENT = 1  # prctl(2)
_LONGEST = 1_000  # characters of a message in an entry of the ledger
_EXPECTED = (TianyiError, PolicyError, OSError)  # what a job may meet; anything else is a fault, told by a traceback

Done = tuple[str, dict[str, str | int]]  # outcome and detail


def carry_out(
    folder: Path, name: str, clock: Callable[[], float] = time.monotonic, *, now: Callable[[], datetime] = utc_now
) -> Run:
    """Run a job and write the run down; a failure is an answer too. `clock` is in seconds."""
    began = clock()
    try:
        with Repository.open(folder, agent=SCHEDULER, now=now) as repository:
            return perform(repository, name, clock)
    except JobRunning as error:  # somebody runs it by hand
        return Run(name, "interrupted", _told(error))
    except _EXPECTED as error:  # it can neither be opened nor written to: only who listens can be told
        return Run(name, "fail", {**_told(error), "seconds": int(clock() - began), "unnoted": 1})


def perform(repository: Repository, name: str, clock: Callable[[], float] = time.monotonic) -> Run:
    """Run a job of an opened repository as its agent, and write the run down; raise UnknownJob or JobRunning."""
    if name not in _WORK:
        raise UnknownJob(name, sorted(_WORK))
    with _at_work(repository.settings.work, name):
        began = clock()
        outcome, detail = _attempted(repository, name)
        detail["seconds"] = int(clock() - began)
        repository.note_job(name, outcome, detail)
    return Run(name, outcome, detail)


@contextmanager
def _at_work(work: Path, name: str) -> Iterator[None]:
    """Hold the job's lock: the scheduler and somebody by hand do not run one job at a time twice."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(jobs.lock_of(work, name), f"the job {name}", patience=0))
        except Locked as error:
            raise JobRunning(name) from error
        yield


def note_lost(
    folder: Path, name: str, how: str, outcome: str = "fail", code: str = "job-lost", seconds: int = 0
) -> Run:
    """Write down that a run's process died before it could do so itself; `how` is a sentence."""
    detail: dict[str, str | int] = {"code": code, "message": how, "seconds": seconds}
    try:
        with Repository.open(folder, agent=SCHEDULER) as repository:
            repository.note_job(name, outcome, detail)
    except _EXPECTED as error:
        detail["unnoted"] = str(_told(error)["message"])
    return Run(name, outcome, detail)


def _attempted(repository: Repository, name: str) -> Done:
    try:
        repository.fall_back()
        return _WORK[name](repository)
    except _EXPECTED as error:
        return "fail", _told(error)


def _audit(repository: Repository) -> Done:
    """Read a slice of what the policy says is due."""
    return _read(repository.round())


def _sample(repository: Repository) -> Done:
    """Read a few files at random."""
    return _read(repository.sample())


def _read(results: Sequence[Audit]) -> Done:
    detail: dict[str, str | int] = {word: sum(result.counts[word] for result in results) for word in WORDS}
    detail |= {"copies": len({result.copy for result in results}), "bytes": sum(result.size for result in results)}
    if any(map(is_damaged, results)):
        return "damage", detail
    return ("incomplete" if detail["not_checked"] else "success"), detail


def _migrate(repository: Repository) -> Done:
    done = repository.migrate()
    migrated = sum(one.equal for one in done)
    detail: dict[str, str | int] = {"migrated": migrated, "left": len(done) - migrated}
    detail["versions"] = len({one.planned.aip for one in done if one.equal})
    return ("success" if migrated == len(done) else "incomplete"), detail


def _characterize(repository: Repository) -> Done:
    """Ask format tools about the files that none was asked about."""
    done = list(repository.characterize())
    detail: dict[str, str | int] = {"malformed": sum(one.malformed for one in done)}
    detail |= {"well_formed": sum(one.well_formed for one in done)}
    detail |= {"not_checked": sum(one.not_checked for one in done)}
    detail["left"] = sum(bool(one.why) for one in done)
    detail["versions"] = len(done) - int(detail["left"])
    return ("incomplete" if any(one.behind or one.why for one in done) else "success"), detail


def _repair(repository: Repository) -> Done:
    """Heal what audits found, within the policy's limits; more than these is told, and left to a person."""
    done = repository.mend_automatically()
    detail: dict[str, str | int] = {"repaired": len(done.healed), "beyond_repair": len(done.beyond)}
    detail |= {"away": ", ".join(sorted(done.away))} if done.away and done.beyond else {}
    if done.stopped:
        return "limit", detail | {"left": sum(done.stopped.values()), "copies": ", ".join(sorted(done.stopped))}
    return ("damage" if done.beyond or repository.is_damaged() else "success"), detail


def _replicate(repository: Repository) -> Done:
    done = repository.replicate()
    behind = sum(len(one.behind) for one in done)
    detail: dict[str, str | int] = {"copied": sum(one.copied for one in done), "behind": behind}
    return ("incomplete" if behind else "success"), detail


def _rescan(repository: Repository) -> Done:
    """Scan what was not scanned for as long as the policy says."""
    done = repository.scan(every=repository.policies().audit.scan)
    detail: dict[str, str | int] = {"scanned": done.scanned, "infected": done.infected}
    detail |= {"not_scanned": done.not_scanned, "bytes": done.size}
    return {"pass": "success", "fail": "infected"}.get(done.outcome, "incomplete"), detail


def _checkpoint(repository: Repository) -> Done:
    """Have the ledger's checkpoint stamped with the time, and give it to witnesses, as the policy asks."""
    done = repository.publish_checkpoint()
    detail: dict[str, str | int] = {"given": sum(one.outcome == "success" for one in done)}
    missed = [one.to for one in done if one.outcome == "fail"]
    detail["failed"] = len(missed)
    if contradicted := sum(one.outcome == "contradicted" for one in done):
        return "damage", {**detail, "contradicted": contradicted}
    if not missed:
        return "success", detail
    told = f"Not done: {', '.join(missed)}. `tianyi ledger publish` tells why."
    return "fail", {**detail, "code": "not-given", "message": told[:_LONGEST]}


def _sweep(repository: Repository) -> Done:
    done, swept = repository.sweep()
    detail: dict[str, str | int] = {"deleted": len(done), "removed": swept.removed, "bytes": swept.size}
    detail["kept"] = swept.kept
    return ("incomplete" if any(one.behind for one in done) else "success"), detail


def _backup(repository: Repository) -> Done:
    done = repository.backup()
    return "success", {"copied": done.files, "bytes": done.size, "removed": done.removed}


def _digest(repository: Repository) -> Done:
    """What happened since the last one, or in a week, to whom alerts go, and into a file."""
    now = repository.now()
    last = next(jobs.history(repository.catalogue, "digest", 1), None)
    text = repository.digest(datetime.fromisoformat(last.ended) if last else now - timedelta(days=7))
    work, to = repository.settings.work, repository.settings.alerts
    file = work / "digests" / f"{now:%Y-%m-%d}.txt"
    durable.publish(durable.DISK, file, text.encode(), work / "scratch", exclusive=False, mode=0o644)
    unsent = notify.send(to, [Message(f"digest of {now:%Y-%m-%d}", text, NEWS)]) if to else []
    detail: dict[str, str | int] = {
        "bytes": len(text.encode()),
        "destinations": len(to) - len(unsent),
        "not_sent": len(unsent),
    }
    return ("incomplete" if unsent else "success"), detail


def _drill(repository: Repository) -> Done:
    """Restore some AIPs from the last copy alone; those for which there is no room are left out."""
    seed = int.from_bytes(os.urandom(4))
    largest = shutil.disk_usage(repository.settings.work).free // 4
    sample = repository.policies().audit.drill.aips
    done = repository.drill_restore(sample=sample, seed=seed, largest=largest)
    detail: dict[str, str | int] = {"aips": done.aips, "different": done.different, "bytes": done.size}
    return ("damage" if done.different else "success"), detail


def _retention(repository: Repository) -> Done:
    """What waits for a person, or for its time; nothing is changed."""
    return "success", dict(sorted(repository.review().items()))


_WORK: Mapping[str, Callable[[Repository], Done]] = {
    "audit": _audit,
    "backup": _backup,
    "checkpoint": _checkpoint,
    "characterize": _characterize,
    "digest": _digest,
    "drill": _drill,
    "migrate": _migrate,
    "repair": _repair,
    "replicate": _replicate,
    "rescan": _rescan,
    "retention": _retention,
    "sample": _sample,
    "sweep": _sweep,
}


def _told(error: Exception) -> dict[str, str | int]:
    """An error's code and message, as an entry can hold them: names in it may be any bytes."""
    told = edge.tell(error)
    assert told is not None  # the table has every expected kind
    message = told.message.encode("utf-8", "backslashreplace").decode()
    return {"code": told.code, "message": message[:_LONGEST]}


def main() -> int:
    """Do what the arguments say; return the exit code."""
    folder, name, parent = sys.argv[1:]
    signal.signal(signal.SIGTERM, _interrupted)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)  # a scheduler that is killed leaves no job behind
    try:
        if os.getppid() != int(parent):
            return edge.INTERRUPTED  # it was killed before we could ask for that
        run = carry_out(Path(folder), name)
    except KeyboardInterrupt:
        return edge.INTERRUPTED
    print(json.dumps({"outcome": run.outcome, "detail": run.detail}))
    return edge.DONE


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
