"""Time stamps by a real authority (openssl): got, kept, checked by the one-file verifier, renewed in time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixity.proof import Stamped, worth
from fixity.time_stamps import check, due, obtain
from fixity.verify_proof import NOTE, Options, verify
from fixity.witness import NotGiven
from storage.digest import sha256
from tests.fixity.proofs import Log, log
from tests.fixity.test_proof import failure
from tests.servers.tsa import Authority, authority

LATER = datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=[("ec", "sha256"), ("rsa", "sha1"), ("rsa", "sha512")], ids="-".join)
def tsa(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "authority", *request.param) as made:
        yield made


def stamped(made: Log, tsa: Authority) -> Stamped:
    """A time stamp of the log as it is, and its entry in the log."""
    checkpoint, size = made.checkpoint(), len(made.entries)
    got = obtain(tsa.url, checkpoint.encode(), tsa.roots.read_bytes())
    kept = {"checkpoint": checkpoint.encode(), "token": got.token, "certificates": got.certificates.encode()}
    if got.revocation:
        kept["revocation"] = got.revocation.encode()
    entry = made.add("time-stamp", "vault", **{name: str(sha256(data)) for name, data in kept.items()})
    return Stamped(entry, size, got.time, got.until, checkpoint, got.token, got.certificates, got.revocation)


def test_a_time_stamp_is_part_of_a_proof(tsa: Authority) -> None:
    made = log()
    stamp = stamped(made, tsa)
    assert stamp.revocation.count("BEGIN X509 CRL") == 1
    proof = made.prove([stamp])
    assert failure(proof, Options(tsa_ca=tsa.roots.read_bytes())) == ""
    told = [check.said for check in verify(proof, Options()) if check.check == "time stamps"]
    assert told == [f"{stamp.time} by CN=Tests TSA: 2 of 2 versions",
                    "its certificate was not checked against a root (--tsa-ca FILE)"]  # fmt: skip


def test_no_byte_of_a_time_stamp_can_be_changed(tsa: Authority) -> None:
    """A digit for each byte of the proof: two of three bytes of it are token, certificates and lists."""
    made = log(4)
    proof = made.prove([stamped(made, tsa)])
    changed = (proof[:place] + bytes([byte ^ 1]) + proof[place + 1 :] for place, byte in enumerate(proof))
    assert [place for place, one in enumerate(changed) if not failure(one)] == []


def test_openssl_agrees(tsa: Authority, tmp_path: Path) -> None:
    stamp = stamped(log(), tsa)
    (tmp_path / "token").write_bytes(stamp.token)
    (tmp_path / "checkpoint").write_text(stamp.checkpoint, "utf-8")
    command = ["openssl", "ts", "-verify", "-in", "token", "-token_in", "-data", "checkpoint", "-CAfile", tsa.roots]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_another_root_is_told(tsa: Authority, tmp_path: Path) -> None:
    made = log()
    stamp = stamped(made, tsa)
    with authority(tmp_path / "other") as other:
        wrong = other.roots.read_bytes()
    assert "does not lead to one of the roots" in failure(made.prove([stamp]), Options(tsa_ca=wrong))
    with pytest.raises(NotGiven, match="cannot be relied on"):
        obtain(tsa.url, made.checkpoint().encode(), wrong)


def test_a_revoked_certificate_stamps_nothing(tmp_path: Path) -> None:
    with authority(tmp_path / "authority") as tsa:
        before = stamped(log(), tsa)
        tsa.revoke()
        after = stamped(log(), tsa)
    found = check([before, after], log().nodes, 7, b"", datetime.now(UTC))
    assert [wrong.code for wrong in found] == ["time-stamp-wrong"]
    assert "revoked" in found[0].what


def test_one_over_another_log_is_told(tsa: Authority) -> None:
    stamp = stamped(log(), tsa)
    assert check([stamp], log().nodes, 7, tsa.roots.read_bytes(), datetime.now(UTC)) == []
    [wrong] = check([stamp], log(9).nodes, 9, b"", datetime.now(UTC))
    assert (wrong.code, wrong.grave) == ("time-stamp-contradicts", True)
    [wrong] = check([replace(stamp, token=stamp.token[:-1])], log().nodes, 7, b"", datetime.now(UTC))
    assert wrong.code == "time-stamp-wrong"


def test_it_is_renewed_before_its_certificate_ends(tsa: Authority) -> None:
    made = log()
    first = stamped(made, tsa)
    day, soon = timedelta(days=1), timedelta(days=90)
    now = datetime.fromisoformat(first.time)
    assert due(None, False, day, soon, now)
    assert not due(first, True, day, soon, now)
    assert "made on" in due(first, True, day, soon, now + day)
    assert not due(first, False, day, soon, now + day)
    assert "ends on" in due(first, False, day, soon, now + timedelta(days=300))
    assert [one.code for one in check([first], made.nodes, 8, b"", LATER)] == ["time-stamp-late"]

    second = stamped(made, tsa)
    assert [one.said for one in verify(made.prove([first, second]), Options(now=LATER)) if "ended" in one.said] == [
        f"its certificate ended on {first.until[:10]}; a later time stamp took it in before",
        f"its certificate ended on {second.until[:10]}; nothing has renewed it before",
    ]
    assert all(one.result == NOTE for one in verify(made.prove([first]), Options(now=LATER)) if "ended" in one.said)


def test_a_proof_has_the_time_stamps_that_it_needs() -> None:
    """The first that covers each version, then the fewest that renew."""

    def one(entry: int, size: int, time: str, until: str) -> Stamped:
        return Stamped(replace(log().commits[0], index=entry), size, time, until, "", b"", "", "")

    stamps = [one(3, 3, "2026", "2030"), one(9, 9, "2027", "2030"), one(12, 12, "2029", "2035"),
              one(15, 14, "2034", "2040")]  # fmt: skip
    assert [stamp.entry.index for stamp in worth(stamps, [2, 5])] == [3, 9, 12, 15]
    assert [stamp.entry.index for stamp in worth(stamps, [2])] == [3, 12, 15]
    assert worth(stamps, [99]) == []


def test_an_authority_that_is_away_is_told() -> None:
    with pytest.raises(NotGiven, match="does not answer"):
        obtain("http://127.0.0.1:9/", b"checkpoint", b"")
