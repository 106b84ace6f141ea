"""The verbs of the crash model, as a table: what went before each, how it is run, and what tells that it is done.

A new verb is a new row: every test of this folder takes its scenes from here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any
from unittest.mock import patch

from fixity.audit import is_damaged
from fixity.witness_file import checkpoints
from ingest import intake
from repository import config
from repository.errors import BadRequest
from repository.repository import Repository
from storage import layout
from storage.aip import parse_aip
from storage.errors import Unreachable
from tests.crash.quick import COPIES, LATER, Quick, opened
from tests.crash.scene import lacking
from tests.ingest.droid_files import CONTAINERS, signature_file
from tests.stopping import Stops

Behind = frozenset[str]
Act = Callable[[Quick, Path], object]
Run = Callable[[Quick, Path], Behind]
Question = Callable[[Quick], bool]


@dataclass(frozen=True)
class Verb:
    """`before` and `run` are given the repository and the deliveries. `run` returns the copies that are behind, and
    again it has to succeed, whatever became of the first; `mends`: what was damaged before is not any more.
    `recovers`: the next start makes durable, in every copy, the records that a killed run left. (Of a replication it
    does not: one that a power cut takes from a copy after that is missing like any other, and copied again.)"""

    name: str
    before: Act
    run: Run
    done: Question
    mends: bool = False
    is_slow: bool = False  # its steps are those of another row; among the slow tests it is played all the same
    recovers: bool = True
    is_untold: bool = False  # what was held before has no entry: a catalogue made anew does not know it yet
    is_of_ledger: bool = False  # it writes entries, and what lies in keys or outside, and no blobs


def _nothing(repository: Quick, deliveries: Path) -> None: ...


def ingest(name: str) -> Run:
    def run(repository: Quick, deliveries: Path) -> Behind:
        receipt = repository.ingest(deliveries / name)
        assert receipt.outcome == "accepted", receipt
        return receipt.behind

    return run


def _in_small_portions() -> Any:
    return patch.multiple(intake, CHUNK_FILES=1, BATCH_FILES=1)


def cut_short(repository: Quick, deliveries: Path) -> None:
    """An ingest that had settled some of its files."""
    repository.progress = Stops(3)
    with _in_small_portions(), suppress(KeyboardInterrupt):
        repository.ingest(deliveries / "harbour")
    assert list((repository.settings.work / "resume").glob("*.jsonl"))


def resume(repository: Quick, deliveries: Path) -> Behind:
    """Go on; where what was in flight is lost, begin again."""
    with _in_small_portions():
        done = list(repository.resume())
    if not done and not list(repository.aips()):
        return ingest("harbour")(repository, deliveries)
    return frozenset[str]().union(*(receipt.behind for receipt in done))


def holds(aips: int) -> Question:
    return lambda repository: len(list(repository.aips())) >= aips


def spoil(repository: Quick, deliveries: Path) -> None:
    """Damage to blobs, records and a fixed file, in both copies and each time whole in the other; audited."""
    ingest("harbour")(repository, deliveries)
    first, second = (repository.settings.folder / folder for folder in ("vault", "second"))
    blobs = sorted(str(path.relative_to(first)) for path in first.rglob("blobs/sha256/*/*"))
    record = next(str(path.relative_to(first)) for path in first.rglob("v1.json"))
    for place in (second / blobs[0], first / blobs[1], second / layout.README, first / record):
        _flip(place)
    (second / blobs[2]).unlink()
    assert any(map(is_damaged, repository.audit()))


def _flip(path: Path) -> None:
    data = path.read_bytes() or b"not empty"
    path.chmod(0o644)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def audit(repository: Quick, deliveries: Path) -> Behind:
    assert [result.checked > 10 for result in repository.audit()] == [True, True]
    return frozenset()


def repair(repository: Quick, deliveries: Path) -> Behind:
    for mend in repository.repair().beyond:
        assert mend.source  # another copy has it whole: what failed is the one that it is for
        raise Unreachable(mend.damage.copy, "it took no repair")
    return frozenset()


def is_whole(repository: Quick) -> bool:
    return not any(map(is_damaged, repository.audit()))


def migrate(repository: Quick, deliveries: Path) -> Behind:
    done = repository.migrate()
    assert all(one.equal for one in done)
    return frozenset[str]().union(*(one.behind for one in done))


def has_migrated(repository: Quick) -> bool:
    return _has_newer_version(repository) and repository.migrate_plan() == []


def _has_newer_version(repository: Quick) -> bool:
    """The newest of all, which is version 2; or 3 where the verb was run again, though version 2 was kept without its
    entry, and said so."""
    [aip] = repository.aips()
    return aip.versions == repository.vault.records(parse_aip(aip.aip))[-1].version in (2, 3)


def characterize(repository: Quick, deliveries: Path) -> Behind:
    done = list(repository.characterize())
    return frozenset[str]().union(*(one.behind for one in done))


def has_been_characterized(repository: Quick) -> bool:
    return _has_newer_version(repository) and repository.characterize_plan() == []


def fall_behind(repository: Quick, deliveries: Path) -> None:
    """The second copy was away while the second delivery came in."""
    ingest("harbour")(repository, deliveries)
    second = repository.settings.folder / COPIES["copy-2"]
    before = copytree(second, second.with_name("before"))
    ingest("bridge")(repository, deliveries)
    rmtree(second)
    before.rename(second)


def replicate(repository: Quick, deliveries: Path) -> Behind:
    return frozenset(done.copy for done in repository.replicate() if done.behind)


def is_caught_up(repository: Quick) -> bool:
    return not any(lacking(repository, record) for record in repository.vault.all_records())


def approve_a_deletion(repository: Quick, deliveries: Path) -> None:
    """Of the first of two deliveries, which share a file; it is due."""
    ingest("harbour")(repository, deliveries)
    ingest("bridge")(repository, deliveries)
    scene, aip = repository.settings.folder, next(repository.aips()).aip
    with (scene / config.FILE).open("a") as settings:
        settings.write('[[agents]]\nname = "ann"\n[[agents]]\nname = "ben"\n')
    with opened(scene, agent="ann") as ann:
        request = ann.delete(aip, "a duplicate").request
    with opened(scene, agent="ben") as ben:
        ben.approve(request)


def sweep(repository: Quick, deliveries: Path) -> Behind:
    repository.now = lambda: LATER
    deleted, swept = repository.sweep()
    assert not swept.waits
    behind = frozenset[str]().union(*(done.behind for done in deleted))
    return behind and replicate(repository, deliveries)


def is_swept(repository: Quick) -> bool:
    """One AIP is left, and nothing in any copy that nobody needs."""
    unwanted = sum(result.counts["extra"] for result in repository.audit())
    return (len(list(repository.aips())), unwanted) == (1, 0)


def import_signatures(repository: Quick, deliveries: Path) -> Behind:
    folder = deliveries.parent / "droid"
    folder.mkdir(exist_ok=True)
    (folder / "DROID.xml").write_bytes(signature_file())
    (folder / "CONTAINER.xml").write_text(CONTAINERS)
    known = repository.import_signatures(folder / "DROID.xml", folder / "CONTAINER.xml")
    assert known.version == "v9, containers v7"
    return frozenset()


def has_newer_signatures(repository: Quick) -> bool:
    return repository.signatures().version == "v9, containers v7"


def rotate_key(repository: Quick, deliveries: Path) -> Behind:
    repository.rotate_key()
    return frozenset()


def signs_with_another_key(repository: Quick) -> bool:
    """One that the ledger tells of, and no later one is there."""
    how = [event.outcome for _, _, event in repository.vault.ledger.read() if event.type == "key"]
    return "rotated" in how and repository.seal.key() is not None and _is_proved(repository)


def lose_entries(repository: Quick, deliveries: Path) -> None:
    """A person gave up those of the second delivery, with the disk that had them."""
    ingest("harbour")(repository, deliveries)
    logs = [repository.settings.folder / folder / "log" for folder in COPIES.values()]
    for log in logs:
        copytree(log, log.with_name("before"))
    ingest("bridge")(repository, deliveries)
    for log in logs:
        rmtree(log)
        log.with_name("before").rename(log)
    Repository.promote_copy(repository.settings.folder, "first")


def recover(repository: Quick, deliveries: Path) -> Behind:
    try:
        done = repository.recover_entries("the disk that had them broke")
    except BadRequest:  # it was done before, and said then which copies had followed
        return frozenset({"copy-2"})
    assert done.left == []
    return done.behind


def is_recovered(repository: Quick) -> bool:
    return repository.untold() == [] and len(list(repository.aips())) == 2 and _is_proved(repository)


def publish(repository: Quick, deliveries: Path) -> Behind:
    """Give the checkpoint to a witness that is a folder. Where that does not take it, it is told, and no error."""
    folder = repository.settings.folder
    (folder / "witness").mkdir(exist_ok=True)
    (folder / "policies" / "evidence.yaml").write_text("witnesses: [{name: library, file: witness}]\n")
    repository.publish_checkpoint()
    return frozenset()


def has_a_witness(repository: Quick) -> bool:
    """What it has, and is remembered to have, is how the ledger began; and an entry tells of it."""
    folder = repository.settings.folder
    given = list(checkpoints(folder / "witness"))
    if "witness" not in {event.type for _, _, event in repository.vault.ledger.read()}:
        return False
    remembered = folder / "keys" / "witnessed" / "library.txt"
    return bool(given) and remembered.is_file() and remembered.read_text() == given[0] and _is_proved(repository)


def _is_proved(repository: Quick) -> bool:
    return repository.verify_ledger().valid


VERBS = (
    Verb("ingest", _nothing, ingest("harbour"), holds(1)),
    Verb("ingest more", ingest("harbour"), ingest("bridge"), holds(2), is_slow=True),
    Verb("ingest resumed", cut_short, resume, holds(1)),
    Verb("audit", spoil, audit, lambda repository: True),
    Verb("repair", spoil, repair, is_whole, mends=True),
    Verb("replicate", fall_behind, replicate, is_caught_up, mends=True, recovers=False),
    Verb("delete and sweep", approve_a_deletion, sweep, is_swept),
    Verb("migrate", ingest("album"), migrate, has_migrated),
    Verb("characterize", ingest("album"), characterize, has_been_characterized, is_slow=True),
    Verb("rotate key", ingest("bridge"), rotate_key, signs_with_another_key, is_of_ledger=True),
    Verb("recover entries", lose_entries, recover, is_recovered, mends=True, is_untold=True, is_of_ledger=True),
    Verb("publish", ingest("bridge"), publish, has_a_witness, is_of_ledger=True),
    Verb("import signatures", ingest("album"), import_signatures, has_newer_signatures),
)
INGEST = VERBS[0]
