"""Identification is stopped where hostile bytes keep a pattern busy."""

from __future__ import annotations

import time

from ingest.bounded import identify_at_most
from ingest.identify import Basis, Identification, Sample
from ingest.identify_fido import fido_identifier


def _sample(data: bytes) -> Sample:
    return Sample(b"drawing.svg", len(data), data, data, lambda: (_ for _ in ()).throw(OSError()))


def test_bytes_made_to_backtrack_for_minutes_are_given_up() -> None:
    hostile = _sample(b'<?xml version="1.0"?><svg version="1.1" ' * 3_000)
    fido_identifier()  # its signatures are read beforehand
    before = time.monotonic()
    assert identify_at_most(0.5, fido_identifier(), hostile) == Identification.of((), Basis.NONE)
    assert time.monotonic() - before < 20  # a bound that is generous: without ours it takes over a minute


def test_a_usual_file_is_identified_within_the_bound() -> None:
    assert identify_at_most(20, fido_identifier(), _sample(b"%PDF-1.4\n%%EOF\n")).puids == ("fmt/18",)
