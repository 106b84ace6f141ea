"""Hundreds of faults in copies that can heal each other: each is found in one round and named, nothing else is, and
after the repair the vault is what it was, to the bit."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pytest

from repository import config
from repository.catalogue import Catalogue
from repository.config import Copy
from repository.damage import is_on_record
from repository.repository import Repository
from storage import bundle, layout
from storage.event import Event
from tests.conftest import Tally
from tests.crash.quick import BITMAP, COPIES, LATER, Quick, opened
from tests.crash.scene import found
from tests.faulty import Unsynced
from tests.fixity import injuries
from tests.fixity.injuries import Injury

ROUNDS, FAULTS = 8, 25  # of each run; there are four runs, two with each copy as the first
Tree = dict[str, tuple[int, bytes]]

CLASSES = {
    "payload": "data/representations/%",
    "manifest": "%manifest-sha256.txt",
    "PREMIS": "data/metadata/preservation/premis-%",
    "names": "data/metadata/preservation/names-%",
    "tag file": "bag%.txt",
}
"""Sorts of blobs, by their path in a bag (SQL like)."""


SORTS = (*CLASSES, "evidence", "record", "tombstone", "ledger", *layout.FIXED)
SINGLE = ("tombstone", *layout.FIXED)  # of these there is one


def sorts_of(catalogue: Catalogue, copies: Iterable[Path]) -> dict[str, list[str]]:
    """The keys of each sort of thing that every copy has. (Tiles and checkpoints count as ledger.)"""
    keys = sorted(set.intersection(*(files(root) for root in copies)))
    sorts = {name: _blobs(catalogue, like) for name, like in CLASSES.items()}
    taken = {key for some in sorts.values() for key in some}
    sorts["evidence"] = [key for key in keys if key.startswith(layout.BLOBS) and key not in taken]
    sorts["record"] = [key for key in keys if layout.record_name(key)]
    sorts["tombstone"] = [key for key in keys if layout.tombstone_name(key)]
    sorts["ledger"] = [key for key in keys if key.startswith(layout.LOG)]
    return sorts | {key: [key] for key in layout.FIXED}


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def _blobs(catalogue: Catalogue, like: str) -> list[str]:
    rows = catalogue.rows("select distinct substr(digest, 8) as name from files where path like ?", like)
    return sorted(f"blobs/sha256/{row['name'][:3]}/{row['name']}" for row in rows)


def deliver(where: Path, chance: Random) -> list[Path]:
    """Four deliveries: one that will be deleted, text, pictures to migrate, and files of all sizes."""
    folders = [where / name for name in ("deleted", "texts", "pictures", "sizes")]
    for folder in folders:
        (folder / "sub").mkdir(parents=True)
    (folders[0] / "a.txt").write_text("a file that is deleted\n")
    for n in range(30):
        (folders[1] / "sub" / f"{n}.txt").write_text(f"text number {n}\n" * (n + 1))
    for n in range(4):
        (folders[2] / f"{n}.bmp").write_bytes(BITMAP + chance.randbytes(1_000))
    for n in range(12):
        (folders[3] / f"{n}.bin").write_bytes(chance.randbytes(3**n))
    (folders[3] / "empty").write_bytes(b"")
    for path in where.rglob("*"):
        os.utime(path, ns=(0, 0))  # the maps of names tell of it: with one seed, all is the same each time
    return folders


@pytest.fixture
def archive(tmp_path: Path, seed: int) -> Path:
    """Two copies of three AIPs, one of them migrated, of a deleted one, and more than one bundle of entries."""
    scene = found(tmp_path / "archive")
    with opened(scene, Unsynced(whole=True), seed) as repository:
        for folder in deliver(tmp_path / "deliveries", Random(seed)):
            assert repository.ingest(folder).outcome == "accepted"
        assert all(one.equal for one in repository.migrate())
        repository.committer.note(*(_entry(n) for n in range(bundle.WIDTH)))
    delete_one(scene)
    if seed % 2:
        Repository.promote_copy(scene, "copy-2", agent="tests")
    return scene


def delete_one(scene: Path) -> None:
    with (scene / config.FILE).open("a") as settings:
        settings.write('[[agents]]\nname = "ann"\n[[agents]]\nname = "ben"\n')
    with opened(scene, Unsynced(whole=True), agent="ann") as ann:
        request = ann.delete(next(ann.aips()).aip, "a duplicate").request
    with opened(scene, Unsynced(whole=True), agent="ben") as ben:
        ben.approve(request)
        ben.now = lambda: LATER
        assert len(ben.sweep()[0]) == 1


def _entry(number: int) -> Event:
    return Event(
        time="2026-03-01T12:00:00Z", type="job", agent="tests", object="audit", outcome="success",
        detail={"seconds": number},
    )  # fmt: skip


def roots(scene: Path) -> dict[str, Path]:
    return {name: scene / folder for name, folder in COPIES.items()}


def tree(scene: Path) -> Tree:
    """Mode and bytes of everything in both copies but the ledger, which goes on."""
    return {
        f"{name}:{path.relative_to(root)}": (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for name, root in roots(scene).items()
        for path in sorted(root.rglob("*"))
        if path.is_file() and root / "log" not in path.parents
    }


def logged(root: Path) -> Tree:
    """A copy's ledger. (What is not full, and narrower than another, may be left: C2SP tlog-tiles, "Partial tiles".)"""
    return {
        str(path.relative_to(root)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in sorted((root / "log").rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_fault_is_found_in_one_round_and_healed(archive: Path, seed: int, tally: Tally, tmp_path: Path) -> None:
    made: list[Injury] = []
    hand = Hand(Random(f"faults {seed}"))
    for number in range(ROUNDS):
        with opened(archive, Unsynced(whole=True), seed=1_000 * seed + number) as repository:
            before = tree(archive)
            entries = [raw for _, raw, _ in repository.vault.ledger.read()]
            planted = hand.injure(repository, tmp_path / f"elsewhere-{number}")
            told = f"seed {seed}, round {number}: {[(one.kind, one.copy, dict(one.found)) for one in planted]}"
            _found(repository, planted, told)
            _healed(repository, planted, told)
            _is_as_before(archive, before, planted, told)
            assert [raw for _, raw, _ in repository.vault.ledger.read(0, len(entries))] == entries, told
            made += planted
    with opened(archive, Unsynced(whole=True), seed=seed) as repository:
        assert [one for audit in repository.audit() for one in audit.findings] == []
    assert hand.untried == set()
    for one in made:
        tally(f"faults planted, found and healed: {one.kind}", 1)
        tally(f"faults planted, by what was hit: {one.sort}", 1)


def is_fleeting(key: str) -> bool:
    """Whether the next entry of the ledger replaces it (C2SP tlog-tiles: what is not full yet, and the checkpoint)."""
    return key.startswith(layout.LOG) and (".p/" in key or key.endswith("checkpoint"))


class Hand:
    """Does damage: every kind of it to every sort of thing, in an order that chance gives."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        kinds = (*injuries.DEEDS, "deletion", "wrong permission", "no file", "swap", "extra file")
        pairs = [pair for pair in product(kinds, SORTS) if _is_possible(*pair)]
        self.untried = set(pairs)
        self._pairs, self._waiting = pairs, deque[tuple[str, str]]()

    def injure(self, repository: Quick, elsewhere: Path) -> list[Injury]:
        """Plant FAULTS, no two of them in one key, so that each can be healed from the other copy."""
        elsewhere.mkdir()
        copies = roots(repository.settings.folder)
        sorts = sorts_of(repository.catalogue, copies.values())
        assert all(sorts.values())
        planted: list[Injury] = []
        later: list[tuple[str, str]] = []
        hurt: set[str] = set()
        unlogged: set[str] = (
            set()
        )  # copies of which a piece of the ledger is hurt: one that lost its end too is written anew
        while len(planted) < FAULTS:
            if not self._waiting:
                some = self.chance.sample(self._pairs, k=len(self._pairs))
                self._waiting.extend(sorted(some, key=lambda pair: pair[1] not in SINGLE))  # one of them a round
            kind, sort = pair = self._waiting.popleft()
            copy = self.chance.choice(list(copies))
            free = [key for key in sorts[sort] if key not in hurt and not (is_fleeting(key) and kind == "no file")]
            if sort == "ledger" and copy in unlogged:
                free = []
            blobs = [key for key in sorts["payload"] if key not in hurt]
            keys = [*self.chance.sample(free, k=min(1, len(free))), self.chance.choice(blobs)]
            one = _plant(kind, copy, copies[copy], keys, self.chance, elsewhere) if len(set(keys)) == 2 else None
            if one is None:
                later.append(pair)  # something of it is hurt already, or chance changed nothing
                continue
            planted.append(replace(one, sort=sort))
            hurt.update(one.found)
            unlogged |= {copy} if sort == "ledger" else set()
            self.untried.discard(pair)
        self._waiting.extendleft(reversed(later))
        return planted


def _is_possible(kind: str, sort: str) -> bool:
    return {"swap": sort in CLASSES, "extra file": sort == "payload"}.get(kind, True)


def _plant(kind: str, copy: str, root: Path, keys: tuple[str, str], chance: Random, elsewhere: Path) -> Injury | None:
    match kind:
        case "deletion":
            return injuries.delete(copy, root, keys[0])
        case "swap":
            return injuries.swap(copy, root, *keys)
        case "wrong permission":
            return injuries.change_mode(copy, root, keys[0], chance)
        case "no file":
            return injuries.put_another(copy, root, keys[0], chance, elsewhere)
        case "extra file":
            return injuries.add(copy, root, chance)
    return injuries.rewrite(kind, copy, root, keys[0], chance)


def _found(repository: Quick, planted: list[Injury], told: str) -> None:
    """All of it, by its right name, and nothing else; what is called intact is neither more nor less than the rest."""
    results = repository.audit()
    seen = {(one.copy, one.key): one.outcome for result in results for one in result.findings}
    wanted = {(one.copy, key): word for one in planted for key, word in one.found.items()}
    assert seen.items() ^ wanted.items() == set(), told
    for result in results:
        bad = sum(1 for (copy, _), word in wanted.items() if copy == result.copy and word != "extra")
        assert result.checked - result.counts["intact"] == bad, told
    kept = {(one.copy, one.key): one.kept for result in results for one in result.findings if one.kept}
    for one in planted:
        for key in filter(is_fleeting, one.spoiled):
            name = repository.settings.work / "quarantine" / kept[one.copy, key]
            assert name.read_bytes() == one.spoiled[key], told


def _healed(repository: Quick, planted: list[Injury], told: str) -> None:
    """All of it, each with what was wrong, and kept; but the ledger is written to by the audit itself, which keeps its
    ends and heals some of it before: there it counts that no damage is left."""
    done = repository.repair()
    healed = {(one.damage.copy, one.damage.expected.key): one for one in done.healed}
    wanted = {(one.copy, key) for one in planted for key, word in one.found.items() if word != "extra"}
    assert list(done.beyond) == [], told
    assert {pair for pair in healed.keys() ^ wanted if not pair[1].startswith(layout.LOG)} == set(), told
    quarantine = repository.settings.work / "quarantine"
    for one in (one for one in planted if one.sort != "ledger"):
        for key, fault in one.faults.items():
            assert healed[one.copy, key].fault == fault, told
        for key, bad in one.spoiled.items():
            assert (quarantine / healed[one.copy, key].kept).read_bytes() == bad, told
    assert not is_on_record(repository.catalogue), told


def _is_as_before(scene: Path, before: Tree, planted: list[Injury], told: str) -> None:
    """Apart from what nobody expects, which is left alone, and new evidence."""
    for one in planted:
        for key in (key for key, word in one.found.items() if word == "extra"):
            with suppress(NotADirectoryError):  # one in a folder went with it
                (roots(scene)[one.copy] / key).unlink()
    after, (log, other) = tree(scene), (logged(root) for root in roots(scene).values())
    differ = {key for key, _ in log.items() ^ other.items()}
    assert {key for key in differ if key in log.keys() & other.keys() or ".p/" not in key} == set(), told
    assert {name: facts for name, facts in after.items() if name in before} == before, told
    assert all(name.partition(":")[2].startswith(layout.BLOBS) for name in after.keys() - before.keys()), told


@pytest.mark.parametrize("seed", [4])
def test_a_copy_that_keeps_packages(archive: Path, seed: int, tally: Tally) -> None:
    """Its files follow from records and bags, and so do their repairs; whole objects are written again."""
    chance, root = Random(f"packages {seed}"), archive.with_name("packages")
    with opened(archive, Unsynced(whole=True), seed=1) as repository:
        repository.add_copy(Copy("packages", str(root), form="ocfl"))
    for number in range(3):
        with opened(archive, Unsynced(whole=True), seed=2 + number) as repository:
            assert repository.replicate()[-1].behind == {}
            before = {key: (root / key).read_bytes() for key in files(root)}
            planted = [_in_package(root, key, chance) for key in chance.sample(sorted(before), k=FAULTS)]
            told = f"seed {seed}, round {number}: {[(one.kind, dict(one.found)) for one in planted if one]}"
            found = {one.key: one.outcome for one in repository.audit("packages")[0].findings}
            wanted = {key: word for one in planted if one for key, word in one.found.items()}
            assert found.items() ^ wanted.items() == set(), told
            done = repository.repair()
            assert ({one.damage.expected.key for one in done.healed}, list(done.beyond)) == (wanted.keys(), []), told
            kept = {one.damage.expected.key: repository.settings.work / "quarantine" / one.kept for one in done.healed}
            spoiled = {key: bad for one in planted if one for key, bad in one.spoiled.items()}
            assert {key: kept[key].read_bytes() for key in spoiled} == spoiled, told
            assert {key: (root / key).read_bytes() for key in files(root)} == before, told
            tally("faults planted in package copies, found and healed", len(wanted))


def _in_package(root: Path, key: str, chance: Random) -> Injury | None:
    kind = chance.choice([*injuries.DEEDS, "deletion"])
    if kind == "deletion" and "/logs/" not in key:  # without its record, a version was never there
        return injuries.delete("packages", root, key)
    return injuries.rewrite(kind if kind in injuries.DEEDS else "growth", "packages", root, key, chance)
