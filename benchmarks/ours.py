"""Our side: the command line of Tianyi, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.peers import bag_of
from benchmarks.programs import TIANYI, own_bin
from benchmarks.sides import Argv, Folders, Side, a_line_a_file, copied, count, shell

HERE = Path(__file__).parent


def tianyi(*arguments: Path | str) -> Argv:
    """Return a call of the command beside our Python."""
    return [str(own_bin() / "tianyi"), *map(str, arguments)]


def filled(repository: Path, source: Path) -> Sequence[Argv]:
    """Make a repository that holds the source; what the second step says names the AIP."""
    return tianyi("init", repository), tianyi("-C", repository, "ingest", source, "--json")


def answer(said: str) -> dict[str, Any]:
    """Return the one JSON object that a command printed; empty when it printed something else."""
    try:
        value = json.loads(said)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def aip(said: str) -> str:
    """Return the AIP that `ingest --json` names; empty when it names none."""
    return str(answer(said).get("aip") or "")


def stored(at: Folders) -> str:
    """Return the AIP that `filled` made as the `once` of the case (run.py keeps what each step said)."""
    return aip((at.kept / "step-2.out").read_text())


def emptied(at: Folders) -> Sequence[Argv]:
    """Declare a second copy that is empty, instead of the one that the run before had filled."""
    repository = at.kept / "repository"
    retire = shell('"$1" -C "$2" copies retire second || true', own_bin() / "tianyi", repository)
    return retire, tianyi("-C", repository, "copies", "add", "second", at.fresh / "second")


STORE = Side(
    "storage alone",
    TIANYI,
    lambda at: [str(own_bin() / "python"), str(HERE / "store.py"), str(at.source), str(at.out)],
    copies=1,
    check=lambda at, said: said.strip() == str(count(at.source)),
)
REPLICATE = Side(
    "tianyi replicate",
    TIANYI,
    lambda at: tianyi("-C", at.kept / "repository", "replicate", "--json"),
    once=lambda at: filled(at.kept / "repository", at.source),
    before=emptied,
    copies=1,
    keeps=1,
    check=lambda at, said: answer(said).get("behind") == 0 and answer(said)["copied"] >= count(at.source),
)
INGEST = Side(
    "tianyi ingest",
    TIANYI,
    lambda at: tianyi("-C", at.fresh / "repository", "ingest", at.source, "--json"),
    before=lambda at: (tianyi("init", at.fresh / "repository"),),
    copies=1,
    check=lambda at, said: aip(said) != "",
)
# An audit on demand reads everything, however lately it was read.
AUDIT = Side(
    "tianyi audit --cached",
    TIANYI,
    lambda at: tianyi("-C", at.kept / "repository", "audit", "--cached", "--json"),
    once=lambda at: filled(at.kept / "repository", at.source),
    keeps=1,
    check=lambda at, said: 0 < answer(said).get("intact", 0) == answer(said)["checked"],
)
AUDIT_COLD = replace(
    AUDIT, label="tianyi audit", command=lambda at: tianyi("-C", at.kept / "repository", "audit", "--json")
)
AUDIT_AGAIN = replace(
    AUDIT,
    label="the scheduler's audit",
    command=lambda at: [str(own_bin() / "python"), str(HERE / "audit.py"), str(at.kept / "repository")],
    seconds=lambda said: float(answer(said)["seconds"]),
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
IDENTIFY = Side(
    "tianyi's identifier",
    TIANYI,
    lambda at: [str(own_bin() / "python"), str(HERE / "identify.py"), "tianyi", str(at.source)],
    check=a_line_a_file,
)
VALIDATE = Side(
    "tianyi validate",
    TIANYI,
    lambda at: tianyi("validate", at.kept / "bag", "--json"),
    once=lambda at: bag_of(at.kept / "bag", at.source),
    keeps=1,
    check=lambda at, said: answer(said).get("valid") is True,
)
