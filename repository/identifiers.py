"""Which engine identifies formats: PRONOM's signatures, as fido or DROID has them, and libmagic beside it.

One a process.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from ingest.engine import fido_identifier
from ingest.identify import Identifier
from ingest.identify_magic import Asked, with_second_opinion


@cache
def identifier(kept: tuple[Path, ...] = (), asked: Asked = "unsure") -> Identifier:
    """The engine; its signatures are kept ready in the folders `kept`."""
    return with_second_opinion(fido_identifier(kept), asked)


@cache
def imported(
    signature_file: Path, container_file: Path, kept: tuple[Path, ...] = (), asked: Asked = "unsure"
) -> Identifier:
    """The engine with the signatures of two files of DROID's; other files have other names."""
    from ingest.droid_engine import droid_identifier  # only now: it brings XML along, which not every worker needs

    return with_second_opinion(droid_identifier(signature_file, container_file, kept), asked)


def users_cache() -> tuple[Path, ...]:
    """Where signatures are kept ready for all repositories, and for commands without one: the user's own cache folder
    (XDG Base Directory Specification), none where there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    home = os.path.expanduser("~")
    folder = Path(named) if os.path.isabs(named) else Path(home) / ".cache"
    return (folder / "tianyi",) if folder.is_absolute() else ()
