"""Files streamed to a real clamd, and to servers that pretend to be one: nothing that was not scanned is clean."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ingest.scan import Outcome, Verdict
from ingest.scan_clamd import Clamd, read_answer
from tests.conftest import Tally
from tests.servers.clamd import INFECTED, NAME, STREAM_MAX, Running
from tests.servers.pretender import Act, dripping, hanging_up, pretending, saying, silent

OK = b"1: stream: OK\0"


def scanned(clamd: Clamd, *parts: bytes) -> Verdict:
    with clamd.scan() as scan:
        assert b"".join(scan.through(parts)) == b"".join(parts)
        verdict = scan.verdict()
    assert verdict
    return verdict


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("letter.txt", b"a" * 1_000 + data + b"b" * 1_000)
    return out.getvalue()


@pytest.fixture(params=["unix", "tcp"])
def asked(clamd: Running, request: pytest.FixtureRequest) -> Iterator[Clamd]:
    one = Clamd(clamd.address if request.param == "unix" else clamd.tcp, 30)
    yield one
    one.close()


def test_it_says_clean_or_which_signature_fits(asked: Clamd) -> None:
    assert scanned(asked, b"a letter") == Verdict(Outcome.CLEAN)
    assert scanned(asked) == Verdict(Outcome.CLEAN)
    assert scanned(asked, b"before ", INFECTED[:9], b"", INFECTED[9:], b" after") == Verdict(Outcome.INFECTED, NAME)
    assert scanned(asked, zipped(INFECTED)) == Verdict(Outcome.INFECTED, NAME)
    assert scanned(asked, b"after that") == Verdict(Outcome.CLEAN)


def test_a_file_that_clamd_does_not_take_was_not_scanned(asked: Clamd) -> None:
    verdict = scanned(asked, *[b"x" * (1 << 20)] * 20)
    assert verdict == Verdict(Outcome.NOT_SCANNED, "clamd says INSTREAM size limit exceeded")
    assert scanned(asked, b"x" * STREAM_MAX).outcome is Outcome.CLEAN  # the next file has a connection again


def test_what_its_limits_kept_it_from_reading_was_not_scanned(asked: Clamd) -> None:
    deep = INFECTED
    for _ in range(6):
        deep = zipped(deep)
    verdict = scanned(asked, deep)
    assert verdict == Verdict(Outcome.NOT_SCANNED, "clamd says Heuristics.Limits.Exceeded.MaxRecursion")


def test_it_says_who_it_is_and_whether_it_tells_of_its_limits(asked: Clamd, mute: Running) -> None:
    engine = asked.engine()
    assert (engine.name, engine.missing, engine.tells_limits) == ("ClamAV", "", True)
    assert str(engine) == f"ClamAV {engine.version}"  # without signatures of ClamAV's own there is no number of them
    other = Clamd(mute.address, 30)
    assert not other.engine().tells_limits
    other.close()


def test_a_clamd_that_ends_and_comes_back(clamd: Running, tally: Tally) -> None:
    asked = Clamd(clamd.address, 30)
    assert scanned(asked, b"a").outcome is Outcome.CLEAN
    clamd.stop()
    assert scanned(asked, b"b") == Verdict(Outcome.NOT_SCANNED, f"clamd at {clamd.address}: No such file or directory")
    assert asked.engine().missing
    clamd.start()
    assert scanned(asked, b"c").outcome is Outcome.CLEAN
    with asked.scan() as scan:
        for number, _ in enumerate(scan.through([b"x" * 1_000] * 50)):
            if number == 20:
                clamd.stop()
        assert scan.verdict() is not None
        assert scan.verdict().outcome is Outcome.NOT_SCANNED  # type: ignore[union-attr]
    clamd.start()
    asked.close()
    tally("virus scanners killed", 2)


@pytest.mark.parametrize(
    "act",
    [
        silent,
        dripping,
        hanging_up,
        saying(b""),
        saying(b"2: stream: OK\0"),
        saying(b"stream: OK\0"),
        saying(b"1: stream: OK"),
        saying(b"1: OK\0"),
        saying(b"1: stream: Some\n.Sig \xff FOUND\0 and more"),
        saying(b"1: Can't allocate memory ERROR\0"),
        saying(OK * 2),
    ],
)
def test_whatever_else_it_says_is_not_scanned(tmp_path: Path, act: Act, tally: Tally) -> None:
    with pretending(tmp_path / "s", act) as address:
        asked = Clamd(address, 0.2)
        verdict = scanned(asked, b"x" * 100_000, b"y" * 100_000)
        asked.close()
    assert verdict.outcome is Outcome.NOT_SCANNED
    assert verdict.told.isprintable()
    tally("virus scanners that hang, cut or lie", 1)


def test_a_file_that_clamav_cannot_read_is_never_clean() -> None:
    assert read_answer("stream: OK", 2**31 - 1).outcome is Outcome.CLEAN
    assert read_answer("stream: OK", 2**31).outcome is Outcome.NOT_SCANNED
    assert read_answer("stream: Heuristics.Encrypted.Zip FOUND", 9).outcome is Outcome.NOT_SCANNED


def test_an_answer_is_believed_when_all_of_it_is_right(tmp_path: Path) -> None:
    with pretending(tmp_path / "s", saying(OK)) as address:
        asked = Clamd(address, 5)
        assert scanned(asked, b"x") == Verdict(Outcome.CLEAN)
        asked.close()


def test_who_keeps_us_waiting_is_left_alone_for_a_while(tmp_path: Path) -> None:
    """A clamd that hangs costs its patience once a minute, not once a file."""
    calls = count()
    now = 0.0

    def hanging(connection: object) -> None:
        next(calls)
        silent(connection)  # type: ignore[arg-type]

    with pretending(tmp_path / "s", hanging) as address:
        asked = Clamd(address, 0.05, lambda: now)
        assert [scanned(asked, b"x").outcome for _ in range(10)] == [Outcome.NOT_SCANNED] * 10
        assert next(calls) == 1
        now = 61.0
        assert "too long" in scanned(asked, b"x").told
    assert next(calls) == 3


@pytest.mark.parametrize("text", ["", "unix:relative", "tcp:host", "tcp:host:0", "tcp::3310", "http:host:1", "/path"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write like"):
        Clamd(text, 1)
