"""What a power cut may leave, by the letter of POSIX: pure, from a recording to states of the disk.

A file's bytes are durable once it or its file system was synced; a name (made, replaced or removed) once its folder
or its file system was. Whatever is not may be lost or kept, each by itself, in any order; a file whose bytes are not
durable may be empty, cut or zeros. A folder whose own name is lost takes all that lies below it along. A file whose
bytes or name a failed sync was about is never durable, whatever is synced later: the system may have forgotten that
it was new. (Folders cannot be written again, and are not forgotten.)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple

from tests.crash.recording import Op, device

Value = int | None  # a file's number, FOLDER, or None where the name is gone
FOLDER = 0
State = dict[str, bytes]  # the files that can be seen, by their path in the scene
TOPS = ("", "vault", "second")  # the folders that the repository was made with
SHOWN = ("vault/", "second/", "work/intents/", "keys/checkpoint", "keys/ledger", "keys/next", "keys/underway")
"""Names anywhere else (scratch, locks) are nobody's promise."""


class Change(NamedTuple):
    """A name that was made, replaced or removed and is not durable yet."""

    path: str
    value: Value
    at: int
    forgotten: bool = False


class File:
    """The bytes of one file: those written, and how many of them are durable; `forgotten`: they never will be."""

    __slots__ = ("data", "durable", "forgotten")

    def __init__(self, data: bytes = b"", durable: int = 0) -> None:
        self.data, self.durable, self.forgotten = data, durable, False

    def synced(self, failed: bool) -> None:
        self.forgotten |= failed and self.durable < len(self.data)
        if not self.forgotten:
            self.durable = len(self.data)


def lost(data: bytes, durable: int) -> bytes:
    return data[:durable]


def cut(data: bytes, durable: int) -> bytes:
    return data[: (durable + len(data)) // 2]


def zeros(data: bytes, durable: int) -> bytes:
    return data[:durable].ljust(len(data), b"\0")


Torn = Callable[[bytes, int], bytes]
TORN: Sequence[Torn] = (lost, cut, zeros)


@dataclass
class Moment:
    """The disk after some operations: what is durable, what is pending. Changed in place as the replay goes on."""

    names: dict[str, Value]
    files: dict[int, File]
    pending: list[Change] = field(default_factory=list)
    live: dict[str, Value] = field(default_factory=dict)

    @property
    def torn(self) -> list[int]:
        """The files that can be seen and have bytes that are not durable."""
        named = {*self.names.values(), *(change.value for change in self.pending)} - {None, FOLDER}
        return sorted(n for n in named if n and self.files[n].durable < len(self.files[n].data))

    def state(self, kept: Iterable[Change], content: Mapping[int, Torn], otherwise: Torn | None) -> State:
        """What can be seen with those of the pending names; unsynced files as `content` says, whole for None."""
        names = dict(self.names)
        names.update((change.path, change.value) for change in kept)
        there: dict[str, bool] = {}
        seen: State = {}
        for path, value in names.items():
            if value and _reachable(path, names, there):
                file = self.files[value]
                torn = content.get(value, otherwise)
                whole = torn is None or file.durable == len(file.data)
                seen[path] = file.data if whole or torn is None else torn(file.data, file.durable)
        return seen


def _reachable(path: str, names: Mapping[str, Value], there: dict[str, bool]) -> bool:
    folder = path.rpartition("/")[0]
    if folder in TOPS:
        return True
    if folder not in there:
        there[folder] = names.get(folder) == FOLDER and _reachable(folder, names, there)
    return there[folder]


def replay(
    start: Mapping[str, bytes | None], ops: Sequence[Op], *, without: int = -1, haunted: bool = False
) -> Iterator[tuple[int, Moment]]:
    """Yield the moment after each operation; the sync numbered `without` did not happen.

    `start` is what lies there at the beginning (None: a folder), all of it durable; `haunted`: but not the names of
    folders, which a process that was killed has made and nobody synced.
    """
    numbers = {path: -n for n, path in enumerate(start, start=1)}
    files = {numbers[path]: File(data, len(data)) for path, data in start.items() if data is not None}
    live: dict[str, Value] = {path: FOLDER if data is None else numbers[path] for path, data in start.items()}
    moment = Moment(dict(live), files, [], live)
    if haunted:
        moment.pending = [Change(path, FOLDER, -1) for path, value in live.items() if value == FOLDER and _shown(path)]
        moment.names = {path: value for path, value in live.items() if value != FOLDER}
    for index, op in enumerate(ops):
        if index != without:
            _apply(moment, index, op)
        yield index, moment


def _apply(moment: Moment, index: int, op: Op) -> None:
    for path, value in _renamed(moment, op):
        moment.live[path] = value
        if _shown(path):
            moment.pending.append(Change(path, value, index))
    match op.kind:
        case "write":
            moment.files[op.file].data += op.data
        case "sync_file":
            moment.files[op.file].synced(op.failed)
        case "sync_folder":
            _settle(moment, lambda path: path.rpartition("/")[0] == op.path, op.failed)
        case "sync_filesystem":
            _settle(moment, lambda path: device(path) == op.path, op.failed)
            for path, number in moment.live.items():
                if number and device(path) == op.path:
                    moment.files[number].synced(op.failed)


def _renamed(moment: Moment, op: Op) -> list[tuple[str, Value]]:
    """The names that an operation changes, and what they stand for then."""
    match op.kind:
        case "create":
            moment.files[op.file] = File()
            return [(op.path, op.file)]
        case "rename":
            return [(op.to, moment.live[op.path]), (op.path, None)]
        case "link":
            return [(op.to, moment.live[op.path])]
        case "unlink" | "rmdir":
            return [(op.path, None)]
        case "mkdir":
            return [(op.path, FOLDER)]
    return []


def _settle(moment: Moment, synced: Callable[[str], bool], failed: bool) -> None:
    """Make durable the pending names that a sync is about, and with each what had been pending of it before."""
    if failed:
        moment.pending = [
            change._replace(forgotten=change.forgotten or (change.value != FOLDER and synced(change.path)))
            for change in moment.pending
        ]
        return
    done = {change.path: change for change in moment.pending if synced(change.path) and not change.forgotten}
    moment.names.update((path, change.value) for path, change in done.items())
    moment.pending = [
        change for change in moment.pending if change.path not in done or change.at > done[change.path].at
    ]


def _shown(path: str) -> bool:
    return path.startswith(SHOWN) or path in ("work", "work/intents")


def states(moment: Moment, seed: int, randoms: int = 4) -> Iterator[tuple[str, State]]:
    """Yield what a cut at this moment may leave, each with what it is."""
    pending, torn = moment.pending, moment.torn
    yield "all pending lost", moment.state((), {}, lost)
    yield "all pending kept", moment.state(pending, {}, None)
    for how in TORN if torn else ():
        yield f"names kept, bytes {how.__name__}", moment.state(pending, {}, how)
    for n, change in enumerate(pending):
        others = pending[:n] + pending[n + 1 :]
        yield f"only {change.path} dropped", moment.state(others, {}, None)
        yield f"only {change.path} kept", moment.state((change,), {}, TORN[n % 3])
    for n, file in enumerate(torn):
        yield f"only the bytes of file {file} torn", moment.state(pending, {file: TORN[(seed + n) % 3]}, None)
    chance = random.Random(seed)
    for n in range(randoms if len(pending) + len(torn) > 2 else 0):
        kept = compress(pending, (chance.random() < 0.5 for _ in pending))
        content = {file: chance.choice(TORN) for file in torn if chance.random() < 0.5}
        yield f"random subset {n}", moment.state(kept, content, None)
