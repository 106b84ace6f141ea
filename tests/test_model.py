"""Random days in the life of a repository, held against a small reference in memory: what has to be there, and what
damage has to be found. Every promise at once, in every order that comes up."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from repository import config
from repository.config import Copy
from storage import layout
from storage.aip import parse_aip
from storage.digest import Digest
from tests.conftest import Tally
from tests.crash.forked import die, forked
from tests.crash.quick import BITMAP, TIFF, Quick, opened
from tests.crash.scene import answers, found
from tests.faulty import ANY, Faulty, Unsynced

Tree = dict[str, bytes]
Damage = tuple[str, str]  # a copy's name and a key
CONTENTS = [b"", b"one\n", b"another\n", bytes(3000), BITMAP + b"a seal", BITMAP + b"a gate"]
NAMES = ["a.txt", "b/a.txt", "b/c.bmp", "\udcff"]


@dataclass
class Reference:
    """What the repository has to know: each AIP's tree as it came, and in the copies what was spoiled on purpose."""

    aips: dict[str, Tree] = field(default_factory=dict)
    whole: dict[Damage, bytes] = field(default_factory=dict)  # the bytes that were there before


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes() or b"\0")
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] or b"no longer empty")


DEEDS: list[Callable[[Path], None]] = [flip, cut, Path.unlink]


class Days:
    """Each method without arguments is one thing that happens; what and how is by chance."""

    def __init__(self, room: Path, seed: int) -> None:
        self.room, self.chance = room, Random(seed)
        self.scene = found(room / "repository")
        self.knows, self.processes, self.copies = Reference(), 0, 2
        self.told: list[str] = []
        self.injected = self.detected = self.repaired = 0
        self.repository = self._opened()

    def go_on(self, things: int) -> None:
        """Let so many things happen; what has to be there is there after each."""
        for event in self.chance.choices(list(EVENTS), list(EVENTS.values()), k=things):
            self.told.append(event.__name__)
            event(self)
            assert {aip.aip for aip in self.repository.aips()} == self.knows.aips.keys()
        self.audit_and_repair()
        self.comes_back_as_it_came()
        self.repository.close()

    def _opened(self) -> Quick:
        self.processes += 1
        return opened(self.scene, Unsynced(whole=True), self.processes)

    def reopen(self) -> None:
        self.repository.close()
        self.repository = self._opened()

    def _files(self) -> Tree:
        names = self.chance.sample(NAMES, self.chance.randint(1, len(NAMES)))
        return {name: self.chance.choice(CONTENTS) for name in names}

    def _delivered(self, files: Tree) -> Path:
        delivery = self.room / "delivery"
        shutil.rmtree(os.fsencode(delivery), ignore_errors=True)
        for name, data in files.items():
            (delivery / name).parent.mkdir(parents=True, exist_ok=True)
            (delivery / name).write_bytes(data)
        return delivery

    def take_in(self) -> None:
        files = self._files()
        receipt = self.repository.ingest(self._delivered(files))
        assert (receipt.outcome, receipt.behind) == ("accepted", frozenset())
        self.knows.aips[receipt.aip] = files

    def killed_while_taking_in(self) -> None:
        """The old state or the new one, and no third."""
        files, step = self._files(), self.chance.randint(1, 250)
        delivery = self._delivered(files)
        self.repository.close()
        self.processes += 1
        code = forked(partial(_take_in, self.scene, delivery, step, self.processes))
        assert code in (0, -signal.SIGKILL)
        self.repository = self._opened()
        new = {aip.aip for aip in self.repository.aips()} - self.knows.aips.keys()
        assert len(new) <= 1
        assert new or code
        self.knows.aips |= dict.fromkeys(new, files)

    def migrate(self) -> None:
        if self._spoiled():
            return  # a copy that lacks a blob of the version cannot take the new one
        assert all(done.equal and not done.behind for done in self.repository.migrate())
        assert self.repository.migrate_plan() == []

    def spoil(self) -> None:
        """One key of one copy, whole in the other."""
        roots = self._roots()
        name = self.chance.choice(sorted(roots))
        spoiled = {key for _, key in self.knows.whole}
        if not (keys := sorted(self._needed() - spoiled)):
            return
        key = self.chance.choice(keys)
        before = (roots[name] / key).read_bytes()
        self.injected += 1
        self.chance.choice(DEEDS)(roots[name] / key)
        self.knows.whole[name, key] = before

    def audit(self) -> None:
        """All that was spoiled is found, and nothing else."""
        findings = [one for audit in self.repository.audit() for one in audit.findings]
        told = {(one.copy, one.key) for one in findings if one.outcome != "extra"}
        late = {(copy, key) for copy, key in told if key.startswith(layout.LOG)}  # a killed writer's last entry
        assert told - late == self._spoiled()
        self.detected += len(self._spoiled())

    def audit_and_repair(self) -> None:
        self.audit()
        spoiled = len(self._spoiled())
        beyond = self.repository.repair().beyond
        assert list(beyond) == []
        self.repaired += spoiled
        self.audit_is_clean()

    def audit_is_clean(self) -> None:
        findings = [one for audit in self.repository.audit() for one in audit.findings]
        assert [one for one in findings if one.outcome != "extra"] == []
        assert self._spoiled() == set()
        self.knows.whole = {}

    def replicate(self) -> None:
        """What is missing comes back; what is altered is for a repair."""
        assert [done.behind for done in self.repository.replicate()] == [{}, {}]
        roots = self._roots()
        needed = {key for _, key in self._spoiled() if not key.startswith(layout.BLOBS)}
        assert all((roots[name] / key).exists() for name, key in self.knows.whole if key in needed)

    def rebuild(self) -> None:
        before = answers(self.repository)
        self.repository.rebuild()
        assert answers(self.repository) == before

    def forget_the_catalogue(self) -> None:
        before = answers(self.repository)
        self.repository.close()
        for path in self.scene.glob("catalogue.db*"):
            path.unlink()
        self.repository = self._opened()
        assert answers(self.repository) == before

    def lose_a_copy(self) -> None:
        """Its disk dies: another one takes its place, the second copy before that where it was the first."""
        if self._spoiled():
            return  # what was whole in that copy alone is lost with it
        self.knows.whole = {}
        which = self.chance.randint(0, 1)
        self.repository.close()
        before = config.load(self.scene)
        lost = before.copies[which]
        shutil.rmtree(config.local_path(lost, self.scene))
        if which == 0:
            Quick.promote_copy(self.scene, before.copies[1].name)
        self.copies += 1
        with self._opened() as repository:
            repository.retire_copy(lost.name)
        with self._opened() as repository:
            repository.add_copy(Copy(f"copy-{self.copies}", f"place-{self.copies}"))
        self.repository = self._opened()
        assert [done.behind for done in self.repository.replicate()] == [{}, {}]
        self.audit_is_clean()

    def comes_back_as_it_came(self) -> None:
        """Every AIP, byte for byte, from whichever copy is whole; and what migration made is the same picture."""
        for aip, files in self.knows.aips.items():
            dip = self.room / "dip"
            self.repository.export(aip, dip, "folder")
            back = {os.fsdecode(name): data for name, data in _tree(os.fsencode(dip))}
            assert back == files
            shutil.rmtree(os.fsencode(dip))
            made = [file for file in self.repository.files(aip) if file.derived_from]
            assert len(made) in (0, sum(data.startswith(BITMAP) for data in files.values()))
            assert all(file.puids == ["fmt/353"] and file.size > len(TIFF) for file in made)

    def _needed(self) -> set[str]:
        """Keys that every copy has to have. (Of evidence and the ledger, tests/fixity tells.)"""
        needed = {layout.README, layout.RESTORE}
        for aip in self.knows.aips:
            shown, versions = self.repository.show(aip)
            needed |= {layout.record_key(parse_aip(aip), version.version) for version in versions}
            files = self.repository.files(shown.aip, everything=True)
            needed |= {layout.blob_key(Digest.parse(file.digest)) for file in files}
        return needed

    def _roots(self) -> dict[str, Path]:
        found = config.load(self.scene)
        return {copy.name: config.local_path(copy, self.scene) for copy in found.copies}

    def _spoiled(self) -> set[Damage]:
        """What is not as it was: looked at on the disk, for a later ingest may have healed it."""
        roots = self._roots()
        places = {place: roots[place[0]] / place[1] for place in self.knows.whole}
        return {
            place for place, path in places.items() if not path.exists() or path.read_bytes() != self.knows.whole[place]
        }


def _take_in(scene: Path, delivery: Path, step: int, seed: int) -> None:
    with opened(scene, Faulty(Unsynced(whole=True)).on(ANY, step, die), seed) as repository:
        repository.ingest(delivery)


def _keys(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def _tree(root: bytes) -> Iterator[tuple[bytes, bytes]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield os.path.relpath(path, root), file.read()


EVENTS: dict[Callable[[Days], None], int] = {
    Days.take_in: 5, Days.killed_while_taking_in: 4, Days.migrate: 2, Days.spoil: 8, Days.audit: 3,
    Days.audit_and_repair: 2, Days.replicate: 2, Days.lose_a_copy: 2, Days.rebuild: 1, Days.forget_the_catalogue: 1,
    Days.reopen: 1, Days.comes_back_as_it_came: 1,
}  # fmt: skip
"""What may happen, and how often."""


def live(seed: int, things: int, tally: Tally) -> None:
    memory = "/dev/shm"
    with TemporaryDirectory(prefix="tianyi-model-", dir=memory if os.access(memory, os.W_OK) else None) as room:
        days = Days(Path(room), seed)
        try:
            days.go_on(things)
        except Exception as error:
            error.add_note(f"seed {seed}: {', '.join(days.told)}")
            raise
    tally("random days: things that happened", things)
    tally("random days: pieces spoiled", days.injected)
    tally("random days: spoiled pieces found by audits, some again and again", days.detected)
    tally("random days: pieces repaired (the others by ingest, replication or the loss of that copy)", days.repaired)


@pytest.mark.parametrize("seed", range(8))
def test_some_days(seed: int, tally: Tally) -> None:
    live(seed, 25, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 108))
def test_many_days(seed: int, tally: Tally) -> None:
    live(seed, 60, tally)
