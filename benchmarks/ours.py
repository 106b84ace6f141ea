"""Our side: the command line of Tianyi, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import bag_of
from benchmarks.programs import TIANYI, own_bin
from benchmarks.sides import Argv, Folders, Side, copied


def tianyi(*arguments: Path | str) -> Argv:
    """Return a call of the command beside our Python."""
    return [str(own_bin() / "tianyi"), *map(str, arguments)]


def filled(repository: Path, source: Path) -> Sequence[Argv]:
    """Make a repository that holds the source; what the second step says names the AIP."""
    return tianyi("init", repository), tianyi("-C", repository, "ingest", source, "--json")


def aip(said: str) -> str:
    """Return the AIP that `ingest --json` names; empty when it names none."""
    try:
        answer = json.loads(said)
    except ValueError:
        return ""
    return str(answer.get("aip") or "") if isinstance(answer, dict) else ""


def stored(at: Folders) -> str:
    """Return the AIP that `filled` made as the `once` of the case (run.py keeps what each step said)."""
    return aip((at.kept / "step-2.out").read_text())


INGEST = Side(
    "tianyi ingest",
    TIANYI,
    lambda at: tianyi("-C", at.fresh / "repository", "ingest", at.source, "--json"),
    before=lambda at: (tianyi("init", at.fresh / "repository"),),
    copies=1,
    check=lambda at, said: aip(said) != "",
)
# In a repository of its own each time: an audit that finds everything audited a minute ago has nothing to do.
AUDIT = Side(
    "tianyi audit",
    TIANYI,
    lambda at: tianyi("-C", at.fresh / "repository", "audit", "--json"),
    before=lambda at: filled(at.fresh / "repository", at.source),
    copies=1,
)
EXPORT = Side(
    "tianyi export --as folder",
    TIANYI,
    lambda at: tianyi("-C", at.kept / "repository", "export", stored(at), at.out, "--as", "folder"),
    once=lambda at: filled(at.kept / "repository", at.source),
    copies=1,
    keeps=1,
    check=copied,
)
EXPORT_BAG = Side(
    "tianyi export --as bag",
    TIANYI,
    lambda at: tianyi("-C", at.kept / "repository", "export", stored(at), at.out, "--as", "bag"),
    once=lambda at: filled(at.kept / "repository", at.source),
    copies=1,
    keeps=1,
    check=copied,
)
IDENTIFY = Side("tianyi identify", TIANYI, lambda at: tianyi("identify", at.source, "--json"))
VALIDATE = Side(
    "tianyi validate",
    TIANYI,
    lambda at: tianyi("validate", at.kept / "bag", "--json"),
    once=lambda at: bag_of(at.kept / "bag", at.source),
    keeps=1,
)
