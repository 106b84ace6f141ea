"""Identification is stopped where hostile bytes keep a pattern busy."""

from __future__ import annotations

import time

import pytest

from ingest.bounded import TookTooLong, at_most
from ingest.identify import Basis, Format, Identification, Sample
from ingest.identify_pronom import PronomIdentifier
from ingest.matcher_re import ReMatcher
from ingest.signatures import Pattern, Rule, Signatures

SVG = rb"(?s)\A.{0,4}<\?xml .*version=.*<svg.*version=.1\.1"  # as fmt/92 has it, shorter
RULE = Rule(
    Format("fmt/92", "Scalable Vector Graphics", "1.1", "image/svg+xml"),
    ((Pattern("BOF", SVG),),), frozenset({"svg"}), frozenset(), "",
)  # fmt: skip
TABLE = Signatures("of one rule", (RULE,), {})


def _sample(data: bytes) -> Sample:
    return Sample(b"drawing.svg", len(data), data, data, lambda: (_ for _ in ()).throw(OSError()))


def _identifier(patience: float) -> PronomIdentifier:
    return PronomIdentifier("test", TABLE, ReMatcher(TABLE, patience), {})


def test_bytes_made_to_backtrack_for_minutes_are_given_up() -> None:
    hostile = _sample(b'<?xml version="1.0"?><svg version="1.0" ' * 3_000)
    before = time.monotonic()
    assert _identifier(0.2).identify(hostile) == Identification.of((), Basis.NONE)
    assert time.monotonic() - before < 20  # a bound that is generous: without ours it takes over a minute


def test_a_usual_file_is_identified_within_the_bound() -> None:
    assert _identifier(20).identify(_sample(b'<?xml version="1.0"?><svg version="1.1">')).puids == ("fmt/92",)


def test_what_is_quick_is_not_stopped() -> None:
    with at_most(20):
        pass
    with pytest.raises(TookTooLong), at_most(0.01):
        time.sleep(5)
