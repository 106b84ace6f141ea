"""Checkpoints go to witnesses of each kind, and get time stamps; a log that was changed goes to nobody."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest

from fixity.verify_proof import Options
from repository import Repository
from repository.job import carry_out
from storage.checkpoint import parse_checkpoint
from tests.conftest import Tianyi
from tests.fixity.test_proof import failure
from tests.servers.tsa import Authority, authority
from tests.servers.witness import SIGNED, mailbox, network

NOW = datetime.now(UTC)


@pytest.fixture
def archive(repository: Path, tmp_path: Path, tianyi: Tianyi) -> Path:
    (tmp_path / "delivery").mkdir()
    (tmp_path / "delivery" / "a.txt").write_bytes(b"a letter\n")
    assert tianyi("ingest", tmp_path / "delivery", at=repository).code == 0
    return repository


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "tsa") as made:
        yield made


def ask(archive: Path, **asked: object) -> None:
    """Write the policy (JSON is YAML)."""
    (archive / "policies" / "evidence.yaml").write_text(json.dumps(asked), "utf-8")


def outcomes(archive: Path, tianyi: Tianyi) -> dict[str, str]:
    return {row["to"]: row["outcome"] for row in tianyi("ledger", "publish", at=archive).rows}


def entries(archive: Path, tianyi: Tianyi, kind: str) -> list[dict[str, object]]:
    with Repository.open(archive) as repository:
        return [dict(row) for row in repository.catalogue.rows("select * from events where type = ?", kind)]


@pytest.mark.parametrize(("left", "outcome"), [(b"", "success"), (b"tianyi/", "success"), (b"somebody's", "fail")])
def test_what_a_crash_left_with_a_witness_is_written_again(
    archive: Path, tmp_path: Path, tianyi: Tianyi, left: bytes, outcome: str
) -> None:
    (tmp_path / "library").mkdir()
    ask(archive, witnesses=[{"name": "library", "file": str(tmp_path / "library")}])
    with Repository.open(archive) as repository:
        size = repository.vault.ledger.size()
    torn = tmp_path / "library" / f"checkpoint-{size}.txt"
    torn.write_bytes(left)
    assert outcomes(archive, tianyi) == {"library": outcome}
    assert (torn.read_bytes() == left) == (outcome == "fail")


def test_a_folder_gets_each_checkpoint_once(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    ask(archive, witnesses=[{"name": "library", "file": str(tmp_path / "library")}])
    assert outcomes(archive, tianyi) == {"library": "fail"}  # a disk that is not mounted
    (tmp_path / "library").mkdir()
    [plan] = tianyi("ledger", "publish", "--dry-run", at=archive).rows
    assert (plan["outcome"], plan["why"]) == (None, "it has none yet")
    assert list((tmp_path / "library").iterdir()) == []
    assert outcomes(archive, tianyi) == {"library": "success"}
    assert outcomes(archive, tianyi) == {}  # its own entry makes nothing due
    assert tianyi("audit", at=archive).code == 0
    assert outcomes(archive, tianyi) == {"library": "success"}
    kept = sorted((tmp_path / "library").iterdir(), key=lambda path: path.stat().st_size)
    assert len(kept) == 2
    told = entries(archive, tianyi, "witness")
    assert {f"checkpoint-{json.loads(str(one['detail']))['size']}.txt" for one in told} == {p.name for p in kept}

    proof = Path(tianyi("ledger", "prove", aip(archive, tianyi), "--to", tmp_path, at=archive).said["proof"])
    for path in kept:
        assert failure(proof.read_bytes(), Options(checkpoint=path.read_text("utf-8"))) == ""


def aip(archive: Path, tianyi: Tianyi) -> str:
    return str(tianyi("list", at=archive).rows[0]["aip"])


def test_a_log_that_was_put_back_goes_to_nobody(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """An older state of the whole repository, key and catalogue with it: the witness alone knows better."""
    (tmp_path / "library").mkdir()
    ask(archive, witnesses=[{"name": "library", "file": str(tmp_path / "library")}])
    older = [(place, tmp_path / f"older-{place.name}") for place in (archive, tmp_path / "second")]
    for place, aside in older:
        shutil.copytree(place, aside)
    assert tianyi("audit", at=archive).code == 0
    assert outcomes(archive, tianyi) == {"library": "success"}
    for place, aside in older:
        shutil.rmtree(place)
        aside.rename(place)
    assert tianyi("replicate", at=archive).code == 0
    said = tianyi("ledger", "publish", at=archive)
    assert (said.code, said.rows[0]["outcome"]) == (3, "contradicted")
    assert len(list((tmp_path / "library").iterdir())) == 1
    [told] = entries(archive, tianyi, "witness")
    assert told["outcome"] == "contradicted"


def test_a_witness_that_has_seen_another_history_is_an_alert(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """Until the log goes on from what it has again, or the policy names it no longer."""
    (tmp_path / "library").mkdir()
    ask(archive, witnesses=[{"name": "library", "file": str(tmp_path / "library")}])
    assert carry_out(archive, "checkpoint").outcome == "success"
    [kept] = (tmp_path / "library").iterdir()
    right = kept.read_text("utf-8")
    root = right.split("\n")[2]
    kept.write_text(right.replace(root, "A" * 43 + "="), "utf-8")
    assert tianyi("audit", at=archive).code == 0
    assert carry_out(archive, "checkpoint").outcome == "damage"
    [fault] = tianyi("alerts", at=archive).rows
    assert (fault["kind"], fault["about"]) == ("ledger", "witness library")
    kept.write_text(right, "utf-8")
    assert carry_out(archive, "checkpoint").outcome == "success"
    assert tianyi("alerts", at=archive).rows == []


def test_a_witness_that_is_not_there_fails_the_job(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    """So it is tried again soon, and after that somebody is alerted."""
    there, away = tmp_path / "library", tmp_path / "registry"
    there.mkdir()
    ask(archive, witnesses=[{"name": one.name, "file": str(one)} for one in (there, away)])
    run = carry_out(archive, "checkpoint")
    assert (run.outcome, run.detail["given"], run.detail["failed"], run.detail["code"]) == ("fail", 1, 1, "not-given")
    assert "registry" in str(run.detail["message"])
    away.mkdir()
    run = carry_out(archive, "checkpoint")
    assert (run.outcome, run.detail["given"]) == ("success", 1)


def test_the_ledger_is_verified_against_what_witnesses_got(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    (tmp_path / "library").mkdir()
    ask(archive, witnesses=[{"name": "library", "file": str(tmp_path / "library")}])
    assert outcomes(archive, tianyi) == {"library": "success"}
    assert tianyi("ledger", "verify", at=archive).code == 0
    got = archive / "keys" / "witnessed" / "library.txt"
    lines = got.read_text("utf-8").split("\n")
    got.write_text("\n".join([*lines[:2], "A" * 43 + "=", *lines[3:]]), "utf-8")
    said = tianyi("ledger", "verify", at=archive)
    assert (said.code, [one["code"] for one in said.said["findings"]]) == (3, ["witness-contradicts"])


def test_a_git_repository_gets_commits(archive: Path, tmp_path: Path, tianyi: Tianyi) -> None:
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "mirror.git"], check=True)
    ask(archive, witnesses=[{"name": "mirror", "git": str(tmp_path / "mirror.git"), "branch": "log"}])
    assert outcomes(archive, tianyi) == {"mirror": "success"}
    shutil.rmtree(archive / "work" / "witnesses")  # it is made again
    assert tianyi("audit", at=archive).code == 0
    assert outcomes(archive, tianyi) == {"mirror": "success"}
    command = ["git", "-C", tmp_path / "mirror.git", "log", "--format=%s", "--name-only", "log"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    assert [line for line in told if line.startswith("Checkpoint")] == ["Checkpoint over 6 entries",
                                                                       "Checkpoint over 3 entries"]  # fmt: skip
    assert "checkpoint-6.txt" in told
    shutil.rmtree(tmp_path / "mirror.git")
    assert tianyi("audit", at=archive).code == 0
    said = tianyi("ledger", "publish", at=archive)
    assert (said.code, said.rows[0]["outcome"]) == (6, "fail")


def test_a_witness_of_the_network_checks_and_signs(archive: Path, tianyi: Tianyi) -> None:
    with network() as witness:
        ask(archive, witnesses=[{"name": "network", "webhook": witness.url}])
        assert outcomes(archive, tianyi) == {"network": "success"}
        [told] = entries(archive, tianyi, "witness")
        assert json.loads(str(told["detail"]))["cosignature"] == SIGNED
        assert tianyi("audit", at=archive).code == 0
        (archive / "keys" / "witnessed" / "network.txt").unlink()  # what it has, it says itself
        assert outcomes(archive, tianyi) == {"network": "success"}
        assert witness.asked == 3
        [known] = witness.known.values()
        witness.known[known.origin] = type(known)(known.origin, known.size, b"\1" * 32)
        assert tianyi("audit", at=archive).code == 0
        said = tianyi("ledger", "publish", at=archive)
        assert (said.code, said.rows[0]["outcome"]) == (3, "contradicted")


def test_mail_goes_out(archive: Path, tianyi: Tianyi) -> None:
    with mailbox() as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "archive@example.org"}
        ask(archive, witnesses=[{"name": "registry", "mail": "registry@example.org", "smtp": smtp}])
        assert outcomes(archive, tianyi) == {"registry": "success"}
    [text] = server.messages
    message = message_from_string(text, policy=policy.default)
    assert message["To"] == "registry@example.org"
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "checkpoint-3.txt"
    assert parse_checkpoint(attached.get_content().encode())[0].size == 3
    assert tianyi("audit", at=archive).code == 0
    assert outcomes(archive, tianyi) == {"registry": "fail"}


def test_time_stamps_by_policy(archive: Path, tmp_path: Path, tsa: Authority, tianyi: Tianyi) -> None:
    """The stamp's token, certificates and list are blobs of the vault, and part of proofs and of audits."""
    shutil.copy(tsa.roots, archive / "keys" / "roots.pem")
    ask(archive, time_stamps={"tsa": tsa.url, "ca": "keys/roots.pem"})
    run = carry_out(archive, "checkpoint")
    assert (run.outcome, run.detail["given"]) == ("success", 1)
    assert carry_out(archive, "checkpoint").detail["given"] == 0
    [told] = entries(archive, tianyi, "time-stamp")
    detail = json.loads(str(told["detail"]))
    assert detail.keys() == {"authority", "certificates", "checkpoint", "revocation", "root", "size", "time", "token",
                             "until"}  # fmt: skip
    assert tianyi("audit", at=archive).code == 0
    assert tianyi("rebuild", at=archive).code == 0
    for name in ("checkpoint", "token", "certificates", "revocation"):
        digest = detail[name].removeprefix("sha256:")
        assert (tmp_path / "second" / "blobs" / "sha256" / digest[:3] / digest).is_file()
    said = tianyi("ledger", "prove", aip(archive, tianyi), "--to", tmp_path, at=archive).said
    assert said["time_stamps"] == 1
    assert failure(Path(said["proof"]).read_bytes(), Options(tsa_ca=tsa.roots.read_bytes())) == ""
    with Repository.open(archive) as repository:
        assert [fault for fault in repository.verify_ledger().findings if "stamp" in fault.code] == []
    with Repository.open(archive, now=lambda: NOW + timedelta(days=400)) as repository:
        assert [one.code for one in repository.verify_ledger().findings] == ["time-stamp-late"]
        done = repository.publish_plan()
    assert [one.why for one in done] == [f"the certificate of the last one ends on {detail['until']}"]


def test_an_authority_by_another_root_is_not_believed(archive: Path, tsa: Authority, tianyi: Tianyi) -> None:
    tsa.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "x",
                "-subj", "/CN=Other", "-out", "other.pem")  # fmt: skip
    ask(archive, time_stamps={"tsa": tsa.url, "ca": str(tsa.folder / "other.pem")})
    said = tianyi("ledger", "publish", at=archive)
    assert (said.code, said.rows[0]["outcome"]) == (6, "fail")
    assert entries(archive, tianyi, "time-stamp") == []
