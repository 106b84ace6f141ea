"""Hundreds of faults in copies that can heal each other: each is found in one round and named, nothing else is, and
after the repair the vault is what it was, to the bit."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from repository.catalogue import Catalogue
from repository.damage import is_on_record
from repository.mending import Mended
from repository.repository import Repository
from storage import bundle, layout
from storage.event import Event
from tests.conftest import Tally
from tests.crash.quick import BITMAP, COPIES, Quick, opened
from tests.crash.scene import found
from tests.faulty import Unsynced
from tests.fixity import injuries
from tests.fixity.injuries import Injury

ROUNDS, FAULTS = 6, 30  # of each run; there are four runs, two with each copy as the first
Tree = dict[str, tuple[int, bytes]]

CLASSES = {
    "payload": "data/representations/%",
    "manifest": "%manifest-sha256.txt",
    "PREMIS": "data/metadata/preservation/premis-%",
    "names": "data/metadata/preservation/names-%",
    "tag file": "bag%.txt",
}
"""Sorts of blobs, by their path in a bag (SQL like)."""


@dataclass(frozen=True)
class Holdings:
    """The keys of each sort of thing that copies have."""

    sorts: dict[str, list[str]]

    @classmethod
    def of(cls, catalogue: Catalogue, root: Path) -> Holdings:
        keys = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        sorts = {name: _blobs(catalogue, like) for name, like in CLASSES.items()}
        taken = {key for some in sorts.values() for key in some}
        sorts["evidence"] = [key for key in keys if key.startswith(layout.BLOBS) and key not in taken][:20]
        sorts["record"] = [key for key in keys if layout.record_name(key)]
        sorts["tombstone"] = [key for key in keys if layout.tombstone_name(key)]
        sorts["ledger"] = [key for key in keys if key.startswith(layout.LOG)]
        return cls(sorts | {key: [key] for key in layout.FIXED})


def _blobs(catalogue: Catalogue, like: str) -> list[str]:
    rows = catalogue.rows("select distinct substr(digest, 8) as name from files where path like ?", like)
    return sorted(f"blobs/sha256/{row['name'][:2]}/{row['name'][2:4]}/{row['name']}" for row in rows)


def deliver(where: Path, chance: Random) -> list[Path]:
    """Three deliveries: text, pictures to migrate, and files of all sizes."""
    folders = [where / name for name in ("texts", "pictures", "sizes")]
    for folder in folders:
        (folder / "sub").mkdir(parents=True)
    for n in range(30):
        (folders[0] / "sub" / f"{n}.txt").write_text(f"text number {n}\n" * (n + 1))
    for n in range(4):
        (folders[1] / f"{n}.bmp").write_bytes(BITMAP + chance.randbytes(1_000))
    for n in range(12):
        (folders[2] / f"{n}.bin").write_bytes(chance.randbytes(3**n))
    (folders[2] / "empty").write_bytes(b"")
    return folders


@pytest.fixture
def archive(tmp_path: Path, seed: int) -> Path:
    """Two copies of three AIPs, one of them migrated, and more than one bundle of entries."""
    scene = found(tmp_path / "archive")
    with opened(scene, Unsynced(whole=True), seed) as repository:
        for folder in deliver(tmp_path / "deliveries", Random(seed)):
            assert repository.ingest(folder).outcome == "accepted"
        assert all(one.equal for one in repository.migrate())
        repository.committer.note(*(_entry(n) for n in range(bundle.WIDTH)))
    if seed % 2:
        Repository.promote_copy(scene, "copy-2", agent="tests")
    return scene


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


@pytest.mark.parametrize("seed", range(4))
def test_every_fault_is_found_in_one_round_and_healed(archive: Path, seed: int, tally: Tally, tmp_path: Path) -> None:
    chance, made = Random(f"faults {seed}"), Counter[str]()
    for number in range(ROUNDS):
        with opened(archive, Unsynced(whole=True), seed=1_000 * seed + number) as repository:
            before, end = tree(archive), repository.vault.ledger.last_key()
            entries = [raw for _, raw, _ in repository.vault.ledger.read()]
            planted = list(islice(injured(repository, chance, tmp_path / f"elsewhere-{number}"), FAULTS))
            assert len(planted) == FAULTS
            told = f"seed {seed}, round {number}: {[(one.kind, one.copy, dict(one.found)) for one in planted]}"
            _found(repository, planted, told)
            _healed(repository, planted, end, told)
            _is_as_before(archive, before, planted, told)
            assert [raw for _, raw, _ in repository.vault.ledger.read(0, len(entries))] == entries, told
            made.update(one.kind for one in planted)
    with opened(archive, Unsynced(whole=True), seed=seed) as repository:
        assert [one for audit in repository.audit() for one in audit.findings] == []
    for kind, number in made.items():
        tally(f"faults planted, found and healed: {kind}", number)


def injured(repository: Quick, chance: Random, elsewhere: Path) -> Iterator[Injury]:
    """Plant faults without end, no two of them in one key, so that each can be healed from the other copy."""
    elsewhere.mkdir()
    copies = roots(repository.settings.folder)
    sorts = Holdings.of(repository.catalogue, copies["first"]).sorts
    hurt: set[str] = set()
    kinds = [*injuries.DEEDS, "deletion", "swap", "wrong permission", "no file", "extra file"]
    last = repository.vault.ledger.last_key()
    while True:
        copy, kind = chance.choice(list(copies)), chance.choice(kinds)
        free = {sort: [key for key in keys if key not in hurt] for sort, keys in sorts.items()}
        keys = chance.choice([keys for keys in free.values() if keys])
        key, blob = chance.choice(keys), chance.choice(free["payload"])
        if key == last and kind in ("wrong permission", "no file"):
            continue  # the next entry replaces it
        if key == blob or (kind == "swap" and not layout.blob_digest(key)):
            continue
        one = _plant(kind, copy, copies[copy], (key, blob), chance, elsewhere / key.replace("/", "_"))
        if one:
            hurt.update(one.found)
            yield one


def _plant(kind: str, copy: str, root: Path, keys: tuple[str, str], chance: Random, elsewhere: Path) -> Injury | None:
    match kind:
        case "deletion":
            return injuries.delete(copy, root, keys[0])
        case "swap":
            return injuries.swap(copy, root, *keys)
        case "wrong permission":
            return injuries.change_mode(copy, root, keys[0], chance)
        case "no file":
            return injuries.replace(copy, root, keys[0], chance, elsewhere)
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


def _healed(repository: Quick, planted: list[Injury], end: str, told: str) -> None:
    """All but the `end` of the ledger as it was, which the audit's entry wrote anew."""
    done: Mended = repository.repair()
    healed = {(one.damage.copy, one.damage.expected.key): one for one in done.healed}
    wanted = {(one.copy, key) for one in planted for key, word in one.found.items() if word != "extra" and key != end}
    assert (list(done.beyond), healed.keys()) == ([], wanted), told
    quarantine = repository.settings.work / "quarantine"
    for one in planted:
        for key in one.faults.keys() - {end}:
            assert healed[one.copy, key].fault == one.faults[key], told
        for key in one.spoiled.keys() - {end}:
            assert (quarantine / healed[one.copy, key].kept).read_bytes() == one.spoiled[key], told
    assert not is_on_record(repository.catalogue), told


def _is_as_before(scene: Path, before: Tree, planted: list[Injury], told: str) -> None:
    """Apart from what nobody expects, which is left alone, and new evidence."""
    for one in planted:
        for key in (key for key, word in one.found.items() if word == "extra"):
            with suppress(NotADirectoryError):  # one in a folder went with it
                (roots(scene)[one.copy] / key).unlink()
    after = tree(scene)
    assert {name: facts for name, facts in after.items() if name in before} == before, told
    assert all(name.partition(":")[2].startswith(layout.BLOBS) for name in after.keys() - before.keys()), told
