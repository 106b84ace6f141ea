"""DROID's signatures made ready for matching, and kept ready for the next time (ingest/engine.py)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingest.droid import convert, usable
from ingest.droid_container import read_containers
from ingest.droid_look import droid_looks
from ingest.engine import ready
from ingest.identify_pronom import PronomIdentifier

#: What is kept depends on them too.
MADE_BY: Final = ("droid.py", "droid_bytes.py", "droid_container.py", "droid_expression.py", "droid_sets.py")


def droid_identifier(signature_file: Path, container_file: Path, kept: Sequence[Path] = ()) -> PronomIdentifier:
    """Return an engine with the signatures of the two files, kept ready in the folders `kept`; raise
    NotSignatures or OSError."""
    signatures, containers = signature_file.read_bytes(), container_file.read_bytes()
    code = (Path(__file__).with_name(name).read_bytes() for name in MADE_BY)
    digest = sha256(b"".join(sha256(data).digest() for data in (signatures, containers, *code))).hexdigest()
    table, matcher = ready(digest, lambda: convert(signatures, containers).table, kept)
    return PronomIdentifier("pronom", table, matcher, droid_looks(table, usable(read_containers(containers), table)))
