"""How a screen names files: as their producer did, without the folders that every AIP has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from repository.cli.screen import escape, printable
from repository.holdings import Behind

_LONGEST = 72  # characters of a reason; JSON has all of it
_COUNTS = (
    "intact",
    "altered",
    "missing",
    "unreadable",
    "not_checked",
    "extra",
    "migrated",
    "left",
    "removed",
    "failed",
)
_REPRESENTATION = re.compile(r"data/representations/([^/]+)/data/(.+)", re.DOTALL)


def short(path: str) -> str:
    """A bag path: an original by its own path, a file of another representation with that one's name before it."""
    if not (found := _REPRESENTATION.fullmatch(path)):
        return path
    return found[2] if found[1] == "original" else f"[{found[1]}] {found[2]}"


def named(key: str, behind: Behind) -> str:
    """A key of the vault, as markup: the file that it holds first, where it holds one."""
    if not behind.files:
        return escape(printable(key))
    first = behind.files[0]
    more = f" and {behind.total - 1:,} more" if behind.total > 1 else ""
    name = first.original_name or short(first.path)
    return f"{first.accession} {escape(printable(name))}{more} [dim]({escape(key)})[/]"


def why(detail: Mapping[str, Any]) -> str:
    """The gist of an event's detail: the file that it is about, then its reason, note or counts."""
    files = detail.get("files")
    path = files[0] if isinstance(files, list) and files else detail.get("path", "")
    reason = _reason(detail)
    if files:
        reason = reason.partition(": ")[0]  # from which format to which; the policy's reasons come after it
    return ": ".join(filter(None, (short(str(path)), _cut(reason))))


def _reason(detail: Mapping[str, Any]) -> str:
    for name in ("why", "note", "message"):
        if told := detail.get(name):
            return str(told)
    if because := detail.get("because"):
        return "; ".join(map(str, because))
    if isinstance(repaired := detail.get("repaired"), list):
        return f"{len(repaired):,} repaired from {', '.join(map(str, detail.get('from', [])))}"
    counts = ((detail.get(name), name.replace("_", " ")) for name in _COUNTS)
    return ", ".join(f"{number:,} {word}" for number, word in counts if isinstance(number, int) and number)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
