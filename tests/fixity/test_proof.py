"""A proof holds, and nothing in it can be changed: checked by the one file that outsiders get."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixity import verify_proof
from fixity.verify_proof import FAILED, Options, verify
from storage.key_entries import LOST, ROTATED
from tests.fixity.proofs import Log, log

ROOT = Path(__file__).parents[2]


def failure(data: bytes, options: Options = Options()) -> str:  # noqa: B008  # a value
    """Why a proof does not hold, "" where it does."""
    last = list(verify(data, options))[-1]
    return f"{last.check}: {last.said}" if last.result == FAILED else ""


@pytest.mark.parametrize("entries", [4, 5, 8, 9, 300])
def test_a_proof_holds(entries: int) -> None:
    assert failure(log(entries).prove(earlier=(1, 2, 3))) == ""


def test_no_byte_of_a_proof_can_be_changed() -> None:
    """Each byte, by each of its bits and to a digit, a quote, a blank or nothing."""
    proof = log().prove(earlier=(1, 3, 5))
    passed = []
    for place, byte in enumerate(proof):
        others = {byte ^ 1 << bit for bit in range(8)} | {*b'0 "9A'}
        changed = [proof[:place] + bytes([other]) + proof[place + 1 :] for other in others - {byte}]
        passed += [place for one in [*changed, proof[:place] + proof[place + 1 :]] if not failure(one)]
    assert passed == []


def test_no_part_can_be_taken_from_another_proof() -> None:
    ours, other = json.loads(log(7).prove(earlier=(3,))), json.loads(log(9).prove(earlier=(3,)))
    for member in ours.keys() - {"proof", "aip", "key", "records", "time_stamps"}:
        mixed = verify_proof.canonical({**ours, member: other[member]}) + b"\n"
        assert failure(mixed), member


def test_another_key_is_told() -> None:
    ours, theirs = log(), Log(seed=b"\x08" * 32)
    assert failure(ours.prove(), Options(key=ours.key)) == ""
    assert "another than yours" in failure(ours.prove(), Options(key=theirs.key))


def test_a_key_is_followed_to_the_one_that_signs_now() -> None:
    made, first = log(), log().key
    made.change_key(b"\x09" * 32, ROTATED)
    second = made.key
    made.change_key(b"\x0a" * 32, ROTATED)
    for known in (first, second, made.key):
        assert failure(made.prove(), Options(key=known)) == ""
    assert "another than yours" in failure(made.prove(), Options(key=Log(seed=b"\x08" * 32).key))
    made.change_key(b"\x0b" * 32, LOST)
    assert "given up as lost in entry 9" in failure(made.prove(), Options(key=first))
    assert failure(made.prove(), Options(key=made.key)) == ""


def test_a_witness_holds_the_log_to_what_it_was() -> None:
    """A log that was changed, and signed again by the same key, cannot go on from what a witness has."""
    honest, changed = log(), log()
    kept = honest.checkpoint(4)
    assert failure(honest.prove(earlier=(4,)), Options(checkpoint=kept)) == ""
    changed.entries[0] = changed.entries[0].replace(b"uid-1000", b"uid-1001")
    assert failure(changed.prove(earlier=(4,))) == ""
    assert "the log was changed" in failure(changed.prove(earlier=(4,)), Options(checkpoint=kept))
    assert "does not tell" in failure(honest.prove(), Options(checkpoint=kept))


def test_the_verifier_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(log().prove())
    (tmp_path / "verify_proof.py").write_bytes((ROOT / "fixity" / "verify_proof.py").read_bytes())
    command = [sys.executable, "-I", "verify_proof.py", "proof.json", "--key", log().key, "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["valid"], done.stderr) == (0, True, b"")
    (tmp_path / "proof.json").write_bytes(log().prove()[:-1])
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["valid"]) == (1, False)


def test_the_verifier_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(log().prove())
    command = [sys.executable, "-I", "-S", ROOT / "fixity" / "verify_proof.py", "proof.json"]  # -S: no packages
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, b"", 1)
    assert b"pip install cryptography" in done.stderr


def test_no_value_can_be_another() -> None:
    """Each value in a proof, put in the place of another or made something else: refused, and never a fault of ours."""
    proof = json.loads(log().prove(earlier=(3,)))
    for place, value in places(proof):
        for other in (None, True, 0, -1, 2**60, "", "x", [], {}, [[]], {"x": 1}, 1.5, "\ud800"):
            if other != value and (place, other) != (("earlier",), []):  # which says less, and nothing that is false
                changed = json.loads(json.dumps(proof))
                inner = changed
                for step in place[:-1]:
                    inner = inner[step]
                inner[place[-1]] = other
                text = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                assert failure(text.encode("utf-8", "surrogatepass") + b"\n"), (place, other)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every place in a JSON value, and what is there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in inner:
        yield (*above, step), member
        yield from places(member, (*above, step))
