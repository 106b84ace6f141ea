"""What must hold whatever a power cut left: checked in memory, with the code that reads a vault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from hashlib import sha256

from storage import layout, merkle
from storage.aip import Record, parse_record
from storage.checkpoint import parse_checkpoint
from storage.digest import Digest
from storage.errors import StorageError
from storage.event import EVIDENCE
from storage.intent import parse_intent
from storage.ledger import Ledger
from storage.memory import Memory
from storage.tombstone import Tombstone, parse_tombstone
from storage.tree import Tree
from storage.vault import Vault
from tests.crash.powercut import State
from tests.crash.quick import COPIES, Entered
from tests.crash.recording import Op
from tests.crash.scene import Acknowledged, Mended

Ledgers = dict[str, list[bytes] | str]
_digest = cache(lambda record: str(record.digest))
_hex = cache(lambda data: sha256(data).hexdigest())


class Promises:
    """Knows, from both ends of a recording, what every version's bag and every ledger entry is.

    What is broken already when it begins (the damage that a repair is there for) may stay so until it is mended.
    """

    def __init__(self, start: State, end: State) -> None:
        kept = {key: data for state in (start, end) for key, data in _good(state)}
        self._vault = Vault([_memory(kept)])
        self._bags: dict[Record, frozenset[str]] = {}
        self._entries = [raw for _, raw, _ in self._vault.ledger.read()]
        self._read: dict[tuple[tuple[str, bytes], ...], list[bytes] | str] = {}
        before = Vault([_memory(dict(_good(start)))]).all_records()
        self._known = frozenset(self._broken(start, [Acknowledged(record, frozenset(COPIES)) for record in before]))

    @property
    def damaged(self) -> bool:
        """Whether something was broken when the recording began."""
        return bool(self._known)

    def broken(self, state: State, made: Sequence[object]) -> Iterator[str]:
        """Yield each promise that the state breaks; `made` are the marks before the cut."""
        known = frozenset() if Mended() in made else self._known
        return (one for one in self._broken(state, made) if one not in known)

    def _broken(self, state: State, made: Sequence[object]) -> Iterator[str]:
        copies = {name: _under(state, folder) for name, folder in COPIES.items()}
        ledgers: Ledgers = {}
        records: set[Record] = set()
        tombstones = {stone.uuid: str(stone.digest) for stone in _tombstones(copies["first"])}
        buried = tombstones.keys()
        for name, kept in copies.items():
            yield from _wrong_bytes(name, kept)
            for record in self._records(kept):
                if record.uuid in buried:
                    continue  # whoever comes next removes it again
                records.add(record)
                for missing in self._bag(record) - kept.keys():
                    yield f"{name}: {record.aip} can be seen and lacks {missing}"
            ledger = ledgers[name] = self._ledger(kept)
            if isinstance(ledger, str):
                yield f"{name}: {ledger}"
            elif made:  # before, folders may be there whose names nobody has made durable
                yield from (f"{name}: {wrong}" for wrong in _unsealed(_log(kept), tuple(ledger)))
        yield from _ahead(state, ledgers["first"]) if made else ()
        commits = {str(record.digest): record.aip for record in records}
        yield from _unentered(state, commits, "record", ledgers["first"])
        yield from _unentered(
            state, {digest: str(aip) for aip, digest in tombstones.items()}, "tombstone", ledgers["first"]
        )
        yield from _unproved(ledgers["first"], copies["first"])
        for promise in made:
            if not isinstance(promise, Acknowledged) or promise.record.uuid not in buried:
                yield from self._unkept(promise, copies, ledgers)

    def _records(self, kept: State) -> Iterator[Record]:
        found = (_record(key, data) for key, data in kept.items() if key.startswith(layout.AIPS))
        return (record for record in found if not isinstance(record, str))

    def _bag(self, record: Record) -> frozenset[str]:
        """The keys of every blob of a version."""
        if record not in self._bags:
            self._bags[record] = frozenset(layout.blob_key(line.digest) for line in self._vault.bag(record))
        return self._bags[record]

    def _ledger(self, kept: State) -> list[bytes] | str:
        log = _log(kept)
        if log not in self._read:
            try:
                self._read[log] = [raw for _, raw, _ in Ledger(_memory(dict(log))).read()]
            except StorageError as error:
                self._read[log] = f"the ledger cannot be read: {error}"
        return self._read[log]

    def _unkept(self, promise: object, copies: dict[str, State], ledgers: Ledgers) -> Iterator[str]:
        match promise:
            case Acknowledged(record, names):
                wanted = {layout.record_key(record.uuid, record.version), *self._bag(record)}
                yield from _lost(wanted, names, copies, f"of {record.aip}, which was acknowledged")
                entered = {name for name in names if any(_digest(record) in str(entry) for entry in ledgers[name])}
                yield from (f"{name}: lost the entry of {record.aip}" for name in names - entered)
            case Entered(size, names):
                kept = {name for name in names if ledgers[name][:size] == self._entries[:size]}
                yield from (f"{name}: lost one of {size} entries" for name in names - kept)


def _log(kept: State) -> tuple[tuple[str, bytes], ...]:
    return tuple((key, data) for key, data in sorted(kept.items()) if key.startswith(layout.LOG))


@cache
def _unsealed(log: tuple[tuple[str, bytes], ...], ledger: tuple[bytes, ...]) -> list[str]:
    """What a reader of a copy's checkpoint would not find, or find otherwise."""
    kept = dict(log)
    if layout.CHECKPOINT not in kept:
        return []
    try:
        newest, _ = parse_checkpoint(kept[layout.CHECKPOINT])
    except ValueError as error:
        return [f"its checkpoint is torn: {error}"]
    leaves = [merkle.leaf(entry) for entry in ledger]
    if newest.size > len(leaves) or merkle.root(newest.size, merkle.over(leaves)) != newest.root:
        return [f"its checkpoint of {newest.size} entries is not of its {len(leaves)}"]
    try:
        tiled = Tree([_memory(kept)], _nothing).root(newest.size)
    except StorageError as error:
        return [f"a tile is missing: {error}"]
    return [] if tiled == newest.root else ["a tile is wrong"]


def _nothing(number: int, width: int) -> list[bytes]:
    raise StorageError(f"no tile has the hashes of bundle {number}")


def _ahead(state: State, ledger: list[bytes] | str) -> Iterator[str]:
    """What is remembered outside the vault is in it."""
    mark = state.get("keys/checkpoint")
    lines = mark.split(b"\n") if mark else [b"", b"0"]
    if len(lines) < 2 or not lines[1].isdigit():
        yield "what is remembered of the ledger is torn"
        return
    size = int(lines[1])
    if size > len(ledger):
        yield f"{size} entries are remembered, and the ledger has {len(ledger)}"


def _unentered(state: State, digests: Mapping[str, str], member: str, ledger: list[bytes] | str) -> Iterator[str]:
    """What lies in the vault without its entry in the ledger, and without an intent to make one from.

    `digests` are of records or tombstones, each with whose it is; entries name them by that member of their detail.
    """
    entered = [json.loads(raw)["detail"].get(member) for raw in ledger if not isinstance(raw, str)]
    intents = {path: _intent(data) for path, data in state.items() if path.startswith("work/intents/")}
    yield from (f"{path} cannot be read" for path, promised in intents.items() if not promised)
    for digest, whose in digests.items():
        if (times := entered.count(digest)) > 1:
            yield f"the {member} of {whose} has {times} entries"
        if not times and not any(digest in promised for promised in intents.values()):
            yield f"the {member} of {whose} has neither entry nor intent"


def _tombstones(kept: State) -> Iterator[Tombstone]:
    for key, data in kept.items():
        if key.startswith(layout.TOMBSTONES):
            yield parse_tombstone(data, key)


def made_before(ops: Sequence[Op], index: int) -> list[object]:
    """The promises made up to an operation."""
    return [op.said for op in ops[: index + 1] if op.kind == "mark"]


def _under(state: State, folder: str) -> State:
    start = len(folder) + 1
    return {path[start:]: data for path, data in state.items() if path.startswith(f"{folder}/")}


def _memory(kept: State) -> Memory:
    store = Memory()
    store.kept = kept
    return store


def _good(state: State) -> Iterator[tuple[str, bytes]]:
    """The keys of all copies with their bytes, where these are not seen to be wrong."""
    for folder in COPIES.values():
        kept = _under(state, folder)
        wrong = {key for key, _ in _wrong(kept)}
        yield from ((key, data) for key, data in kept.items() if key not in wrong)


def _unproved(ledger: list[bytes] | str, kept: State) -> Iterator[str]:
    """Entries that name evidence that is not there."""
    for raw in ledger:
        detail = {} if isinstance(raw, str) else json.loads(raw)["detail"]
        for digest in (detail[name] for name in EVIDENCE if name in detail):
            if layout.blob_key(Digest.parse(digest)) not in kept:
                yield f"an entry lacks its evidence {digest}"


def _lost(keys: Set[str], names: Set[str], copies: dict[str, State], what: str) -> Iterator[str]:
    for name in names:
        for missing in keys - copies[name].keys():
            yield f"{name}: lost {missing} {what}"


def _wrong_bytes(name: str, kept: State) -> Iterator[str]:
    return (f"{name}: wrong bytes under {key}: {why}" for key, why in _wrong(kept))


def _wrong(kept: State) -> Iterator[tuple[str, str]]:
    """Blobs and records that are not what their names or they themselves say."""
    for key, data in kept.items():
        if key.startswith(layout.BLOBS) and _hex(data) != key.rpartition("/")[2]:
            yield key, "its digest is another"
        if key.startswith(layout.AIPS) and isinstance(record := _record(key, data), str):
            yield key, record


@cache
def _record(key: str, data: bytes) -> Record | str:
    try:
        return parse_record(data, key)
    except StorageError as error:
        return str(error)


@cache
def _intent(data: bytes) -> frozenset[str]:
    """The digest of the record or tombstone that an intent is about, nothing where it cannot be read."""
    try:
        intent = parse_intent(data)
    except ValueError:
        return frozenset()
    return frozenset({intent.record, intent.tombstone})
