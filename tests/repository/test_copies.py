"""Copies: catching up, adding, promoting and retiring one, and histories that went apart."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from threading import Thread

import pytest

from repository import Repository, config
from storage import layout
from storage.aip import parse_record
from storage.digest import sha256
from storage.errors import Diverged
from storage.ledger import Ledger
from tests.conftest import Tianyi
from tests.storage.bags import buried

SECOND = "copy-2"


@pytest.fixture
def archive(tmp_path: Path, tianyi: Tianyi) -> Path:
    """A repository with two copies and two AIPs, which share a file."""
    folder = tmp_path / "archive"
    assert tianyi("init", folder, "--copy", tmp_path / "second").code == 0
    for name in ("harbour", "bridge"):
        take_in(tianyi, folder, name)
    return folder


def take_in(tianyi: Tianyi, folder: Path, name: str) -> str:
    delivery = folder.parent / "deliveries" / name
    (delivery / "sub").mkdir(parents=True)
    for path, data in {"own.txt": name.encode(), "sub/shared.bin": bytes(300), "empty": b""}.items():
        (delivery / path).write_bytes(data)
    return str(tianyi("ingest", delivery, at=folder).said["aip"])


def keys(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def states(tianyi: Tianyi, folder: Path) -> dict[str, tuple[str, int]]:
    return {row["name"]: (row["state"], row["behind"]) for row in tianyi("copies", at=folder).rows}


def answers(tianyi: Tianyi, folder: Path) -> list[object]:
    """All that the catalogue answers, but for what was done to copies."""
    aips = tianyi("list", at=folder).rows
    shown = [tianyi("show", row["aip"], at=folder).rows for row in aips]
    files = [tianyi("files", row["aip"], "--all", at=folder).rows for row in aips]
    happened = [tianyi("events", row["aip"], at=folder).rows for row in aips]
    return [aips, shown, files, happened]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_copy_lost_comes_back(archive: Path, tmp_path: Path, tianyi: Tianyi, seed: int) -> None:
    chance, second = random.Random(seed), tmp_path / "second"
    lost = [key for key in sorted(keys(second)) if key != "tianyi-vault.json" and chance.random() < 0.5]
    for key in lost:
        (second / key).unlink()
    assert states(tianyi, archive)[SECOND] == ("behind", len(lost))
    done = tianyi("replicate", "--copy", SECOND, at=archive)
    assert (done.code, done.said["behind"]) == (0, 0)
    assert done.said["copied"] >= len([key for key in lost if not key.startswith("log/")])
    assert keys(second) == keys(archive / "vault")
    assert tianyi("audit", at=archive).code == 0
    assert states(tianyi, archive) == {"first": ("complete", 0), SECOND: ("complete", 0)}


def test_the_first_copy_is_brought_up_too(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    first = archive / "vault"
    before = keys(first)
    for key in before:
        if key.startswith(("aips/", "blobs/sha256/0", "blobs/sha256/7")):
            (first / key).unlink()
    assert tianyi("replicate", at=archive).code == 0
    assert {key: data for key, data in keys(first).items() if key in before and not key.startswith("log/")} == {
        key: data for key, data in before.items() if not key.startswith("log/")
    }


def test_a_lost_record_is_not_taken_for_never_there(archive: Path, tianyi: Tianyi) -> None:
    """Also where the catalogue is lost with it, and the first copy's ledger."""
    told = answers(tianyi, archive)
    shutil.rmtree(archive / "vault" / "aips")
    shutil.rmtree(archive / "vault" / "log")
    (archive / "catalogue.db").unlink()
    assert answers(tianyi, archive) == told
    audit = tianyi("audit", "--copy", "first", at=archive)
    # two records, and of the ledger its checkpoint, its tile and its bundle
    assert (audit.code, audit.said["missing"]) == (3, 5)
    assert tianyi("repair", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 0
    assert answers(tianyi, archive) == told


def test_what_lay_under_a_name_before_is_read_before_it_is_relied_on(
    archive: Path, tmp_path: Path, tianyi: Tianyi
) -> None:
    """No record referred to it in that copy: it may be torn, or anybody's."""
    second = tmp_path / "second"
    shutil.rmtree(second / "aips")
    torn = second / "blobs/sha256" / _sharded(sha256(b"harbour").hexadecimal)
    torn.unlink()
    torn.write_bytes(b"HARBOUR")
    assert tianyi("replicate", at=archive).code == 0
    assert torn.read_bytes() == b"harbour"
    assert tianyi("audit", at=archive).code == 0


def _sharded(name: str) -> str:
    return f"{name[:3]}/{name}"


def test_a_version_whose_blob_is_lost_everywhere_is_not_given_on(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    second = tmp_path / "second"
    shutil.rmtree(second / "aips")
    for root in (second, archive / "vault"):
        (root / "blobs/sha256" / _sharded(sha256(b"harbour").hexadecimal)).unlink()
    done = tianyi("replicate", "--copy", SECOND, at=archive)
    assert (done.code, done.said["behind"]) == (6, 2), "the blob, and the record that is not given on without it"
    assert len(list((second / "aips").rglob("v1.json"))) == 1


def test_tombstones_come_first_and_bury_records(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    aip = tianyi("list", at=archive).rows[0]["aip"].removeprefix("urn:uuid:")
    tombstone = archive / "vault" / "tombstones" / f"{aip}.json"
    tombstone.parent.mkdir(exist_ok=True)
    tombstone.write_bytes(data := buried(f"urn:uuid:{aip}").to_bytes())
    for record in (archive / "vault" / "aips").rglob(f"{aip}/v1.json"):
        record.unlink()
    with Repository.open(archive) as opened:
        opened._note("deletion", f"urn:uuid:{aip}", "success", {"request": "D-2026-0001"})
    tianyi("replicate", "--copy", SECOND, at=archive)
    second = tmp_path / "second"
    assert (second / "tombstones" / f"{aip}.json").read_bytes() == data
    assert not list((second / "aips").rglob(f"{aip}/*.json"))
    assert len(list((second / "aips").rglob("v1.json"))) == 1
    tianyi("replicate", at=archive)
    assert not list((archive / "vault" / "aips").rglob(f"{aip}/*.json")), "a record came back from under its tombstone"


def test_a_copy_is_added_while_the_repository_is_in_use(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    third = tmp_path / "third"
    assert tianyi("copies", "add", "third", third, "--medium", "disk", "--place", "cellar", at=archive).code == 0
    assert states(tianyi, archive)["third"][0] == "behind"
    delivery = tmp_path / "late"
    delivery.mkdir()
    for n in range(50):
        (delivery / f"{n}.txt").write_text(f"file {n}")

    def deliver() -> None:
        with Repository.open(archive) as busy:
            receipts.append(busy.ingest(delivery))

    receipts: list[object] = []
    busy = Thread(target=deliver)
    with Repository.open(archive) as opened:
        busy.start()
        opened.replicate("third")
        busy.join()
        assert len(receipts) == 1
        [after] = opened.replicate("third")
    assert after.behind == {}
    assert tianyi("audit", at=archive).code == 0
    assert states(tianyi, archive)["third"] == ("complete", 0)
    assert keys(third) == keys(archive / "vault")
    [row] = [row for row in tianyi("copies", at=archive).rows if row["name"] == "third"]
    assert (row["medium"], row["place"], row["form"]) == ("disk", "cellar", "blobs")
    assert row["last_read_in_full"]


def test_what_a_copy_has_itself_may_be_the_last_that_is_whole(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    lost = next((tmp_path / "second" / "aips").rglob("v1.json"))
    told = lost.read_bytes()
    lost.unlink()
    spoiled = archive / "vault" / layout.blob_key(parse_record(told, lost.name).tagmanifest)
    spoiled.chmod(0o644)
    spoiled.write_bytes(b"spoiled")
    assert tianyi("replicate", at=archive).said["behind"] == 0
    assert lost.read_bytes() == told


def test_without_first_copy_and_catalogue_another_is_promoted(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    told, events = answers(tianyi, archive), tianyi("events", at=archive).rows
    shutil.rmtree(archive / "vault")
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (archive / name).unlink(missing_ok=True)
    lost = tianyi("list", at=archive)
    assert (lost.code, "copies promote" in lost.said["next"]) == (6, True)
    promoted = tianyi("copies", "promote", SECOND, at=archive)
    assert (promoted.code, promoted.said) == (0, {"name": SECOND, "before": "first", "entries_missing": 0})
    assert tianyi("rebuild", at=archive).code == 0
    assert answers(tianyi, archive) == told
    assert tianyi("events", at=archive).rows[: len(events)] == events
    assert states(tianyi, archive) == {SECOND: ("complete", 0), "first": ("away", None)}

    assert tianyi("copies", "retire", "first", at=archive).code == 0
    assert tianyi("copies", "add", "new", archive / "vault", at=archive).code == 0
    assert tianyi("replicate", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 0
    assert tianyi("copies", "promote", "new", at=archive).code == 0
    assert answers(tianyi, archive) == told


def test_what_a_person_wrote_in_the_settings_stays(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    path = archive / config.FILE
    path.write_text(path.read_text().replace("[[copies]]", "# a note\n[[copies]]", 1) + '\n[[agents]]\nname = "li"\n')
    tianyi("copies", "add", "third", tmp_path / "third", at=archive)
    tianyi("replicate", at=archive)
    tianyi("copies", "promote", SECOND, at=archive)
    tianyi("copies", "retire", "third", at=archive)
    assert "# a note" in path.read_text()
    said = config.load(archive)
    assert [copy.name for copy in said.copies] == [SECOND, "first"]
    assert [agent.name for agent in said.agents] == ["li"]


def test_what_cannot_be_done_is_told_and_changes_nothing(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("somebody's")
    before = (archive / config.FILE).read_text()
    for arguments, code in {
        ("add", SECOND, tmp_path / "other"): "usage",
        ("add", "Third!", tmp_path / "other"): "usage",
        ("add", "third", tmp_path / "full"): "not-empty",
        ("add", "third", tmp_path / "second" / "inside"): "not-a-vault",
        ("add", "third", tmp_path / "second"): "not-a-vault",
        ("promote", "nobody"): "no-such-copy",
        ("promote", "first"): "usage",
        ("retire", "first"): "usage",
        ("retire", "nobody"): "no-such-copy",
    }.items():
        answer = tianyi("copies", *arguments, at=archive)
        assert (answer.said["code"], answer.code > 0, answer.said["next"] != "") == (code, True, True), arguments
    (tmp_path / "file").write_bytes(b"")
    for arguments, said in {
        (tmp_path / "file",): "already",
        ("s3://",): "no bucket",
        ("s3:///prefix",): "no bucket",
        ("s3://bucket?endpiont=x",): "'endpiont'",
        ("s3://bucket", "--form", "ocfl"): "form ocfl is a folder",
    }.items():
        answer = tianyi("copies", "add", "third", *arguments, at=archive)
        assert (answer.code, said in answer.said["message"], "tianyi.toml" in str(answer.said)) == (2, True, False)
    full = tianyi("copies", "add", "third", tmp_path / "full", at=archive)
    assert (full.code, str(tmp_path / "full") in full.said["message"]) == (2, True)
    assert (archive / config.FILE).read_text() == before
    assert keys(tmp_path / "full") == {"thesis.txt": b"somebody's"}
    shutil.rmtree(tmp_path / "second" / "log")
    assert tianyi("copies", "promote", SECOND, at=archive).said["code"] == "usage"


def test_a_copy_that_the_policy_does_not_ask_for_is_caught_up_later(
    archive: Path, tmp_path: Path, tianyi: Tianyi
) -> None:
    (archive / "policies" / "copies.yaml").write_text("required: [first]\n")
    delivery = tmp_path / "more"
    delivery.mkdir()
    (delivery / "a.txt").write_text("more")
    taken = tianyi("ingest", delivery, at=archive)
    assert (taken.code, taken.said["copies"]) == (0, "complete")
    assert states(tianyi, archive)[SECOND][0] == "behind"
    assert tianyi("replicate", at=archive).code == 0
    assert states(tianyi, archive)[SECOND] == ("complete", 0)


def test_histories_that_went_apart_are_for_a_person(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """The old first copy comes back with entries that its successor never had."""
    shutil.copytree(tmp_path / "second", tmp_path / "kept")
    take_in(tianyi, archive, "only in the first")
    (archive / "vault").rename(tmp_path / "unplugged")
    shutil.rmtree(tmp_path / "second")
    (tmp_path / "kept").rename(tmp_path / "second")
    promoted = tianyi("copies", "promote", SECOND, at=archive)
    assert promoted.said["entries_missing"] == 2
    for name in ("one", "two", "three"):
        take_in(tianyi, archive, name)
    ours = tianyi("events", at=archive).rows
    (tmp_path / "unplugged").rename(archive / "vault")
    assert [row["accession"] for row in tianyi("list", at=archive).rows][-1] == "2026-0005"
    assert tianyi("events", at=archive).rows == ours
    done = tianyi("replicate", at=archive)
    assert done.code == 6
    assert "entries that the other copies do not have" in str(done.said["copies"])
    with Repository.open(archive) as opened, pytest.raises(Diverged):
        Ledger(opened.vault.copies[1]).check_same(opened.vault.ledger)


def test_the_catalogue_of_another_repository_is_set_aside(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    other = tmp_path / "other"
    assert tianyi("init", other).code == 0
    told = answers(tianyi, archive)
    for name in ("catalogue.db", "catalogue.db-wal", "catalogue.db-shm"):
        (archive / name).unlink(missing_ok=True)
    shutil.copy(other / "catalogue.db", archive)
    assert answers(tianyi, archive) == told
    assert list(archive.glob("catalogue-of-*.db"))


@pytest.mark.parametrize("decided", [True, False], ids=["hold", "accession"])
def test_one_entry_is_enough_to_part_two_histories(
    archive: Path, tmp_path: Path, tianyi: Tianyi, decided: bool
) -> None:
    """The second copy is away while something is decided, and promoted without it: the old first copy comes back."""
    second, away = tmp_path / "second", tmp_path / "away"
    settings = archive / config.FILE
    settings.write_text(settings.read_text() + '\n[[agents]]\nname = "li"\n')
    second.rename(away)
    if decided:
        tianyi("--agent", "li", "hold", "2026-0001", "--reason", "litigation", at=archive)
    else:
        take_in(tianyi, archive, "only in the first")
    (archive / "vault").rename(tmp_path / "unplugged")
    away.rename(second)
    assert tianyi("copies", "promote", SECOND, at=archive).code == 0
    ours = tianyi("events", at=archive).rows
    (tmp_path / "unplugged").rename(archive / "vault")
    before = keys(archive / "vault")
    assert states(tianyi, archive)["first"][0] == "damaged"
    told = tianyi("replicate", at=archive)
    assert (told.code, told.said["copies"][0]["behind"]) == (6, 0)
    assert "entries that the other copies do not have" in str(told.said["copies"][1])
    tianyi("audit", at=archive)
    tianyi("repair", at=archive)
    assert [row for row in tianyi("events", at=archive).rows if row in ours] == ours
    assert {key: data for key, data in keys(archive / "vault").items() if key in before} == before


def test_what_every_copy_has_is_checked_before_it_is_given_on(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """README.txt, restore.py and tianyi-vault.json are wrong in the first copy."""
    good = keys(tmp_path / "second")
    for name in ("README.txt", "restore.py", "tianyi-vault.json"):
        place = archive / "vault" / name
        place.chmod(0o644)
        place.write_bytes(place.read_bytes().replace(b"e", b"f", 1))
    assert tianyi("copies", "add", "third", tmp_path / "third", at=archive).code == 0
    assert keys(tmp_path / "third") == {name: good[name] for name in ("README.txt", "restore.py", "tianyi-vault.json")}
    assert tianyi("replicate", at=archive).code == 0
    assert tianyi("audit", "--copy", "third", at=archive).code == 0


def test_a_blob_that_no_copy_has_whole_is_told(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    key = f"blobs/sha256/{_sharded(sha256(b'harbour').hexadecimal)}"
    (tmp_path / "second" / key).unlink()
    (archive / "vault" / key).unlink()
    (archive / "vault" / key).write_bytes(b"HARBOUR")
    done = tianyi("replicate", "--copy", SECOND, at=archive)
    assert (done.code, done.said["behind"]) == (6, 1)
    assert done.said["copies"][0]["lacks"][0]["key"] == key


def test_adding_a_copy_that_was_cut_short_is_done_again(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    third = tmp_path / "third"
    third.mkdir()
    shutil.copy(archive / "vault" / "README.txt", third)
    assert tianyi("copies", "add", "third", third, at=archive).code == 0
    assert tianyi("replicate", at=archive).code == 0


def test_a_new_disk_under_an_old_name_begins_anew(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    record = next((tmp_path / "second").rglob("v1.json"))
    record.chmod(0o644)
    record.write_bytes(b"rot")
    assert tianyi("audit", at=archive).code == 3
    shutil.rmtree(tmp_path / "second")
    assert tianyi("audit", at=archive).code == 3 + 3
    assert tianyi("copies", "retire", SECOND, at=archive).code == 0
    assert tianyi("repair", at=archive).code == 0
    assert tianyi("copies", "add", SECOND, tmp_path / "new", at=archive).code == 0
    assert tianyi("replicate", at=archive).code == 0
    [row] = [row for row in tianyi("copies", at=archive).rows if row["name"] == SECOND]
    assert (row["state"], row["last_read_in_full"]) == ("complete", None)
    tianyi("rebuild", at=archive)
    assert [row] == [one for one in tianyi("copies", at=archive).rows if one["name"] == SECOND]


def test_something_else_in_another_copys_place_stops_nothing(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    shutil.rmtree(tmp_path / "second")
    assert tianyi("init", tmp_path / "other").code == 0
    shutil.copytree(tmp_path / "other" / "vault", tmp_path / "second")
    before = keys(tmp_path / "second")
    assert tianyi("list", at=archive).code == 0
    [row] = [row for row in tianyi("copies", at=archive).rows if row["name"] == SECOND]
    assert (row["state"], "another vault" in row["why"], row["behind"]) == ("away", True, None)
    assert row["next"] == "Correct tianyi.toml."
    assert tianyi("replicate", at=archive).code == 6
    assert tianyi("copies", "promote", SECOND, at=archive).said["code"] == "not-a-vault"
    assert keys(tmp_path / "second") == before
    assert tianyi("copies", "retire", SECOND, at=archive).code == 0


def test_nothing_is_exported_into_a_copy(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    before = keys(tmp_path / "second")
    for place in (tmp_path / "second" / "dip", archive / "vault" / "x"):
        assert tianyi("export", "2026-0001", place, at=archive).said["code"] == "usage"
    assert keys(tmp_path / "second") == before


def test_a_policy_that_asks_for_a_copy_that_is_not_there(archive: Path, tianyi: Tianyi) -> None:
    (archive / "policies" / "copies.yaml").write_text("required: [nobody]\n")
    told = tianyi("ingest", archive.parent / "deliveries" / "harbour", at=archive)
    assert (told.said["code"], "nobody" in told.said["message"]) == ("policy-invalid", True)
