"""The ledger as evidence: whatever is done to it in a copy, or to its keys, is found, named and healed, or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from policies.document import load
from repository import Repository, doctor
from repository.faults import faults
from repository.health import gather
from storage import bundle, layout
from storage.event import Event
from storage.ledger import Ledger
from storage.local import Local
from storage.memory import Memory
from storage.tiles import Tile
from tests.conftest import Tianyi
from tests.repository.test_copies import SECOND, archive, keys, take_in

__all__ = ["archive"]  # the fixture
Spoil = Callable[[Path], object]
COPIES = ("first", SECOND)
POLICY = load(None).alerts


def root_of(archive: Path, copy: str) -> Path:
    return archive / "vault" if copy == "first" else archive.parent / "second"


def end(root: Path) -> Path:
    """A copy's right-most bundle."""
    return root / Ledger(Local("", root, root)).last_key()


def codes(tianyi: Tianyi, archive: Path) -> set[tuple[str, str]]:
    return {(one["code"], one["copy"]) for one in tianyi("ledger", "verify", at=archive).said["findings"]}


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def edit_an_entry(root: Path) -> None:
    """One that stays an entry."""
    replace(end(root), end(root).read_bytes().replace(b'"outcome":"success"', b'"outcome":"suCcess"', 1))


def forge(root: Path) -> None:
    """Entries more, in a bundle of their own, with the tiles that belong to them."""
    ledger = Ledger(Local("", root, root.parent / "scratch"))
    ledger.append([
        Event(time="2026-03-01T12:00:00Z", type="hold", agent="mallory", object=f"a{n}", outcome="held") for n in (1, 2)
    ])  # fmt: skip


def tile(root: Path) -> Path:
    return next(path for path in (root / "log" / "tile" / "0").rglob("*") if path.is_file())


SPOILS: dict[str, tuple[Spoil, str]] = {
    "an entry edited": (edit_an_entry, "entries-altered"),
    "a bundle cut": (lambda root: replace(end(root), end(root).read_bytes()[:-1]), "entries-damaged"),
    "a tile truncated": (lambda root: replace(tile(root), tile(root).read_bytes()[:-32]), "tile-altered"),
    "a tile changed": (lambda root: replace(tile(root), bytes(tile(root).stat().st_size)), "tile-altered"),
    "a tile deleted": (lambda root: tile(root).unlink(), "tile-missing"),
    "the checkpoint deleted": (lambda root: (root / layout.CHECKPOINT).unlink(), "checkpoint-missing"),
    "the checkpoint cut": (lambda root: replace(root / layout.CHECKPOINT, b"x"), "checkpoint-altered"),
    "the checkpoint swapped": (
        lambda root: replace(root / layout.CHECKPOINT, (root.parent / "older").read_bytes()),
        "checkpoint-altered",
    ),
}


@pytest.fixture
def whole(archive: Path, tianyi: Tianyi) -> Path:
    """The repository with an older checkpoint beside its copies."""
    for copy in COPIES:
        root = root_of(archive, copy)
        (root.parent / "older").write_bytes((root / layout.CHECKPOINT).read_bytes())
    take_in(tianyi, archive, "another")
    assert tianyi("ledger", "verify", at=archive).code == 0
    return archive


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_spoilt_in_a_copy_is_named_and_healed(whole: Path, tianyi: Tianyi, copy: str, spoil: str) -> None:
    act, code = SPOILS[spoil]
    act(root_of(whole, copy))
    verified = tianyi("ledger", "verify", at=whole)
    assert (verified.code, verified.said["valid"]) == (3, False)
    assert {(one["code"], one["copy"]) for one in verified.said["findings"]} == {(code, copy)}
    assert tianyi("audit", at=whole).code == 3
    assert tianyi("repair", at=whole).code == 0
    assert tianyi("audit", at=whole).code == 0
    assert tianyi("ledger", "verify", at=whole).code == 0
    assert keys(root_of(whole, "first") / "log") == keys(root_of(whole, SECOND) / "log")


ENDS = {name: SPOILS[name] for name in SPOILS if "deleted" not in name}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("spoil", ENDS)
def test_what_is_spoilt_at_the_ledgers_end_is_evidence_and_kept(
    whole: Path, tianyi: Tianyi, copy: str, spoil: str
) -> None:
    """The audit's own entry writes it anew: afterwards nothing else would tell what was there."""
    before = keys(root_of(whole, copy))
    ENDS[spoil][0](root_of(whole, copy))
    [(key, bad)] = keys(root_of(whole, copy)).items() - before.items()
    audited = tianyi("audit", at=whole)
    [found] = [one for one in audited.said["findings"] if one["outcome"] == "altered"]
    kept = whole / "work" / "quarantine" / found["quarantine"]
    assert (audited.code, found["key"], kept.read_bytes()) == (3, key, bad)
    assert json.loads(Path(f"{kept}.json").read_text())["found"]["outcome"] == "altered"
    with Repository.open(whole) as repository:
        is_on_record = repository.is_damaged()
    repaired = tianyi("repair", at=whole)
    assert (repaired.code, repaired.said["repaired"] + repaired.said["past"]) == (0, is_on_record)
    assert kept.read_bytes() == bad


NOWHERE_WHOLE = ["an entry edited", "a bundle cut", *list(SPOILS)[3:7]]


@pytest.mark.parametrize("spoil", NOWHERE_WHOLE)
def test_what_the_catalogue_can_make_again_is_healed_though_no_copy_has_it(
    whole: Path, tianyi: Tianyi, spoil: str
) -> None:
    before = end(root_of(whole, "first")).read_bytes()
    for copy in COPIES:
        SPOILS[spoil][0](root_of(whole, copy))
    assert tianyi("audit", at=whole).code == 3
    assert tianyi("repair", at=whole).code == 0
    assert end(root_of(whole, "first")).read_bytes().startswith(before)
    assert tianyi("ledger", "verify", at=whole).code == 0


@pytest.mark.parametrize("copy", COPIES)
def test_an_older_log_put_back_in_one_copy(whole: Path, tmp_path: Path, tianyi: Tianyi, copy: str) -> None:
    root = root_of(whole, copy)
    shutil.copytree(root / "log", tmp_path / "old")
    take_in(tianyi, whole, "newer")
    _put_back(root, tmp_path / "old")
    verified = tianyi("ledger", "verify", at=whole)
    assert (verified.code, verified.said["valid"]) == (6, True)
    assert ("ledger-behind", copy) in {(one["code"], one["copy"]) for one in verified.said["findings"]}
    assert tianyi("replicate", at=whole).code == 0
    take_in(tianyi, whole, "newest")
    assert tianyi("ledger", "verify", at=whole).code == 0


def _put_back(root: Path, log: Path) -> None:
    shutil.rmtree(root / "log")
    shutil.copytree(log, root / "log")


@pytest.mark.parametrize("catalogue", [True, False])
def test_an_older_log_put_back_in_both_is_an_alarm(
    whole: Path, tmp_path: Path, tianyi: Tianyi, catalogue: bool
) -> None:
    for copy in COPIES:
        shutil.copytree(root_of(whole, copy) / "log", tmp_path / f"old {copy}")
    take_in(tianyi, whole, "newer")
    for copy in COPIES:
        _put_back(root_of(whole, copy), tmp_path / f"old {copy}")
    if not catalogue:
        (whole / "catalogue.db").unlink()
    before = {copy: keys(root_of(whole, copy)) for copy in COPIES}
    assert len(tianyi("list", at=whole).rows) == 4, "reading goes on, and records count"
    (tmp_path / "deliveries" / "late").mkdir()
    (tmp_path / "deliveries" / "late" / "a.txt").write_text("late")
    refused = tianyi("ingest", tmp_path / "deliveries" / "late", at=whole)
    assert (refused.code, refused.said["code"]) == (3, "ledger-changed")
    assert "copies promote" in refused.said["next"]
    assert {copy: keys(root_of(whole, copy)) for copy in COPIES} == before, "nothing was made worse"
    assert ("history-changed", "") in codes(tianyi, whole)
    promoted = tianyi("copies", "promote", "first", at=whole)
    assert (promoted.code, promoted.said["entries_missing"]) == (0, 2)
    assert tianyi("ingest", tmp_path / "deliveries" / "late", at=whole).code == 0
    found = codes(tianyi, whole)
    assert ("entries-given-up", "first") in found
    assert "history-changed" not in {code for code, _ in found}
    assert list((whole / "keys" / "abandoned").iterdir())
    assert tianyi("copies", "promote", "first", at=whole).said["code"] == "usage"


def test_an_older_log_with_its_keys_and_catalogue_is_told_by_the_records(
    whole: Path, tmp_path: Path, tianyi: Tianyi
) -> None:
    """Nothing here remembers the entries, but the records are there: only who holds a checkpoint can say more."""
    before = tmp_path / "before"
    shutil.copytree(whole, before / "archive")
    for copy in COPIES:
        shutil.copytree(root_of(whole, copy) / "log", before / copy)
    known = keys(root_of(whole, "first"))
    take_in(tianyi, whole, "newer")
    [newest] = [key for key in keys(root_of(whole, "first")).keys() - known.keys() if key.startswith("aips/")]
    for copy in COPIES:
        _put_back(root_of(whole, copy), before / copy)
    shutil.rmtree(whole / "keys")
    for name in ("keys", "catalogue.db"):
        (before / "archive" / name).replace(whole / name)
    audit = tianyi("audit", at=whole)
    [told] = audit.said["untold"]
    assert audit.code == 3
    assert newest.endswith(f"{told['aip'].removeprefix('urn:uuid:')}/v{told['version']}.json")
    faults = {fault["kind"]: fault["about"] for fault in tianyi("alerts", at=whole).rows}
    assert faults["ledger"] == "records"


def test_a_clock_that_was_set_back_a_year_is_told(whole: Path, tianyi: Tianyi) -> None:
    assert codes(tianyi, whole) == set()
    wrong = datetime.now(UTC) - timedelta(days=365)
    with Repository.open(whole, now=lambda: wrong) as repository:
        assert {fault.kind for fault in faults(gather(repository), POLICY, {}, wrong)} >= {"clock"}
        repository.audit("first")
        assert {fault.kind for fault in faults(gather(repository), POLICY, {}, wrong)} >= {"clock"}
    assert "clock" not in {fault["kind"] for fault in tianyi("alerts", at=whole).rows}
    assert codes(tianyi, whole) == {("clock-went-back", "")}
    assert tianyi("ledger", "verify", at=whole).code == 0


def test_entries_that_somebody_adds_in_another_copy_are_not_believed(whole: Path, tianyi: Tianyi) -> None:
    told = tianyi("events", at=whole).rows
    forge(root_of(whole, SECOND))
    assert tianyi("events", at=whole).rows == told
    assert codes(tianyi, whole) >= {("entries-unsigned", SECOND)}
    audit = tianyi("audit", at=whole)
    assert (audit.code, audit.said["altered"]) == (3, 1)
    assert tianyi("repair", at=whole).code == 0
    assert [path for path in (whole / "work" / "quarantine").rglob("*") if b"mallory" in _bytes(path)]
    take_in(tianyi, whole, "newer")
    assert tianyi("replicate", at=whole).code == 0
    assert tianyi("ledger", "verify", at=whole).code == 0
    assert not [path for path in root_of(whole, SECOND).rglob("*") if b"mallory" in _bytes(path)]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("believed", [SECOND, "first"])
def test_entries_that_somebody_adds_in_the_first_copy_stop_it(whole: Path, tianyi: Tianyi, believed: str) -> None:
    told = tianyi("events", at=whole).rows
    forge(root_of(whole, "first"))
    (whole / "catalogue.db").unlink()
    assert tianyi("events", at=whole).rows == told, "nor are they by a catalogue that is made anew"
    assert tianyi("audit", at=whole).said["code"] == "ledger-changed"
    assert ("entries-unsigned", "first") in codes(tianyi, whole)
    assert tianyi("copies", "promote", believed, at=whole).code == 0
    forged = [row for row in tianyi("events", at=whole).rows if row["agent"] == "mallory"]
    assert len(forged) == (0 if believed == SECOND else 2)
    tianyi("audit", at=whole)
    assert tianyi("repair", at=whole).code == 0
    take_in(tianyi, whole, "newer")
    assert tianyi("replicate", at=whole).code == 0
    assert tianyi("audit", at=whole).code == 0
    assert tianyi("ledger", "verify", at=whole).said["valid"]


def rewrite_history(archive: Path) -> None:
    """An entry is another in every copy, with tiles that fit it, and no key."""
    for copy in COPIES:
        root = root_of(archive, copy)
        edit_an_entry(root)
        made = Memory()
        Ledger(made).append([event for _, _, event in Ledger(Local("", root, root)).read()])
        for key in made.listing("log/tile/0/"):
            replace(root / key, made.kept[key])


def test_a_history_written_anew_in_every_copy_is_found(whole: Path, tianyi: Tianyi) -> None:
    """And undone, where the catalogue has the entries that the newest checkpoint is of."""
    rewrite_history(whole)
    assert ("history-changed", "") in codes(tianyi, whole)
    audited = tianyi("audit", at=whole)
    found = {(one["copy"], one["key"].split(".")[0], one["outcome"]) for one in audited.said["findings"]}
    assert (audited.code, "history was changed" in audited.errors) == (3, True)
    assert found == {(copy, f"log/tile/{tile}/000", "altered") for copy in COPIES for tile in ("0", "entries")}
    assert (codes(tianyi, whole), tianyi("audit", at=whole).code) == (set(), 0)


def test_a_history_written_anew_stops_what_writes_where_nothing_proves_the_old_one(whole: Path, tianyi: Tianyi) -> None:
    rewrite_history(whole)
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (whole / name).unlink(missing_ok=True)
    refused = tianyi("audit", at=whole)
    assert (refused.code, refused.said["code"]) == (3, "ledger-changed")
    assert ("history-changed", "") in codes(tianyi, whole)


def test_records_and_entries_both_ways(whole: Path, tianyi: Tianyi) -> None:
    records = sorted((whole / "vault" / "aips").rglob("v1.json"))
    for copy in COPIES:
        for record in (root_of(whole, copy) / "aips").rglob(f"{records[0].parent.name}/v1.json"):
            record.unlink()
    assert codes(tianyi, whole) == {("entry-without-record", "")}


def test_a_spoilt_key_is_a_lost_one(whole: Path, tianyi: Tianyi) -> None:
    replace(whole / "keys" / "ledger.key", b"garbage")
    assert "is not signed" in tianyi("audit", at=whole).errors
    assert tianyi("ledger", "replace-lost-key", "--reason", "rot", at=whole).code == 0
    take_in(tianyi, whole, "signed again")
    assert codes(tianyi, whole) == {("key-was-lost", "")}


def test_a_spoilt_mark_tells_what_can_be_done(whole: Path, tianyi: Tianyi) -> None:
    replace(whole / "keys" / "checkpoint", b"garbage")
    refused = tianyi("audit", at=whole)
    assert (refused.code, refused.said["code"]) == (3, "mark-damaged")
    assert "move it away" in refused.said["next"]
    (whole / "keys" / "checkpoint").rename(whole.parent / "moved away")
    assert tianyi("audit", at=whole).code == 0
    assert tianyi("ledger", "verify", at=whole).code == 0


def test_without_its_key_it_goes_on_and_says_so(whole: Path, tianyi: Tianyi) -> None:
    kept = (whole / "keys" / "ledger.key").rename(whole.parent / "kept.key")
    assert tianyi("ledger", "rotate-key", at=whole).said["code"] == "key-lost"
    take_in(tianyi, whole, "unsigned")
    assert "is not signed" in tianyi("audit", at=whole).errors
    assert "is not signed" not in tianyi("list", at=whole).errors
    assert codes(tianyi, whole) == {("key-away", "")}
    assert not next(check.ok for check in doctor.examine(whole) if check.name == "ledger: key")
    kept.rename(whole / "keys" / "ledger.key")
    take_in(tianyi, whole, "signed again")
    assert tianyi("ledger", "verify", at=whole).code == 0
    assert tianyi("audit", at=whole).code == 0


def test_the_key_is_changed_and_a_lost_one_replaced(whole: Path, tianyi: Tianyi) -> None:
    assert tianyi("ledger", "replace-lost-key", "--reason", "no", at=whole).said["code"] == "key-there"
    first = tianyi("ledger", "rotate-key", at=whole).said["key"]
    assert (whole / "keys" / "ledger.pub").read_text().splitlines()[0] == first
    assert (whole / "vault" / layout.CHECKPOINT).read_text().count("\u2014") == 2
    take_in(tianyi, whole, "by the new key")
    assert (whole / "vault" / layout.CHECKPOINT).read_text().count("\u2014") == 1
    assert codes(tianyi, whole) == set()
    shutil.rmtree(whole / "keys")
    take_in(tianyi, whole, "by no key")
    assert {code for code, _ in codes(tianyi, whole)} == {"key-away"}
    assert tianyi("ledger", "replace-lost-key", "--reason", "a fire", at=whole).code == 0
    assert codes(tianyi, whole) == {("key-was-lost", "")}
    assert tianyi("ledger", "verify", at=whole).code == 0
    assert "a fire" in str(tianyi("ledger", "show", at=whole).rows)


def test_a_repository_of_before_gets_keys_tiles_and_checkpoints(archive: Path, tianyi: Tianyi) -> None:
    for copy in COPIES:
        root = root_of(archive, copy)
        entries = [event for _, _, event in Ledger(Local("", root, root)).read()]
        detail = {name: value for name, value in entries[0].detail.items() if name != "key"}
        first = Event(time=entries[0].time, type="founding", agent="a", object=entries[0].object, outcome="success",
                      detail=detail)  # fmt: skip
        shutil.rmtree(root / "log")
        store = Local(copy, root, archive / "work" / "scratch")
        for key, data in bundle.bundles(0, [one.to_bytes() for one in (first, *entries[1:])]):
            store.create(key, data)
    shutil.rmtree(archive / "keys")
    (archive / "catalogue.db").unlink()
    assert len(tianyi("list", at=archive).rows) == 2
    take_in(tianyi, archive, "newer")
    assert codes(tianyi, archive) == set()
    assert (archive / "keys").stat().st_mode & 0o777 == 0o700
    assert (archive / "keys" / "ledger.key").stat().st_mode & 0o777 == 0o600
    for copy in COPIES:
        assert (root_of(archive, copy) / Tile(0, 0, 8).key).exists()
    assert tianyi("audit", at=archive).code == 0
