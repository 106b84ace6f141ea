"""`python -m benchmarks`: options, one run, three files. See README.md."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, programs, report, room, shapes
from benchmarks.cases import chosen
from benchmarks.harness import Plan, run_all, space_for
from benchmarks.picture import to_svg
from benchmarks.run import remove
from benchmarks.values import Report

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent


def options(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Us beside other tools.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cases whose names begin so")
    parser.add_argument("--shape", nargs="+", default=list(shapes.NAMES), choices=shapes.NAMES)
    parser.add_argument("--pairs", type=int, default=5, metavar="N")
    parser.add_argument("--scale", type=float, default=1.0, help="of the shapes' size; 0.1 for a first look")
    parser.add_argument("--seed", type=int, default=1561)
    parser.add_argument("--scratch", type=Path, default=REPOSITORY.parent, help="where to work")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    parser.add_argument("--yes", action="store_true", help="do not ask before using much disk")
    parser.add_argument("--list", action="store_true", help="show the cases and what is installed")
    return parser.parse_args(argv)


def listing() -> str:
    """Return the cases and the programs as text."""
    cases = {case.name: case for shape in shapes.NAMES for case in chosen([], shape)}
    lines = [f"{name:20}{', '.join(c.shapes):22}{c.ours.label} : {c.peer.label}" for name, c in cases.items()]
    return "\n".join([*lines, "", *(f"{name:12}{version}" for name, version in programs.versions().items())])


def permission(need: int, scratch: Path, yes: bool) -> str:
    """Return why not to begin; empty when we may."""
    if refused := room.refusal(need, shutil.disk_usage(scratch).free):
        return refused
    if yes or not room.must_ask(need):
        return ""
    needs = f"This needs {need / 1e9:.1f} GB of disk for a while."
    if not sys.stdin.isatty():
        return f"{needs} Agree with --yes."
    return "" if input(f"{needs} Go on? [y/N] ").lower().startswith("y") else "Not begun."


def write(found: Report, folder: Path) -> None:
    """Write latest.json, latest.md and latest.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("json", report.to_json), ("md", report.to_markdown), ("svg", to_svg)):
        (folder / f"latest.{name}").write_text(text(found), encoding="utf-8")


def interrupt(*_: object) -> None:
    """End as Ctrl-C does: clean up, and report what there is."""
    raise KeyboardInterrupt


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def planned(asked: argparse.Namespace) -> Plan:
    """Return what the options ask for."""
    corpora = Path(os.environ.get("TIANYI_CORPORA", REPOSITORY / "../shared/corpora"))
    sources = shapes.Sources(REPOSITORY / "samples/accession", corpora)
    cases = {shape: chosen(asked.only, shape) for shape in asked.shape}
    return Plan(cases, asked.scale, asked.pairs, asked.seed, sources)


def carry_out(plan: Plan, folder: Path) -> Report:
    """Run the plan in a scratch folder of its own below `folder`, which is removed whatever happens."""
    scratch = Path(tempfile.mkdtemp(prefix="tianyi-benchmarks-", dir=folder))
    try:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return run_all(plan, scratch, now, machine.describe(scratch, REPOSITORY), say)
    finally:
        remove(scratch)


def main() -> int:
    asked = options()
    if asked.list:
        print(listing())
        return 0
    plan = planned(asked)
    refused = "" if any(plan.cases.values()) else "No case is called so: see --list."
    if refused := refused or permission(space_for(plan), asked.scratch, asked.yes):
        say(refused)
        return 2
    signal.signal(signal.SIGTERM, interrupt)
    found = carry_out(plan, asked.scratch)
    if found.results:
        write(found, asked.results)
    print(report.to_markdown(found))
    return 130 if found.interrupted else int(any(result.status == "failed" for result in found.results))


if __name__ == "__main__":
    sys.exit(main())
