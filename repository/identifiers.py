"""Which engine identifies formats: fido, with libmagic's second opinion where that is there. One a process."""

from __future__ import annotations

from functools import cache

from ingest.identify import Identifier
from ingest.identify_fido import fido_identifier
from ingest.identify_magic import with_second_opinion


@cache
def identifier() -> Identifier:
    """The engine, its signatures read once a process."""
    return with_second_opinion(fido_identifier())
