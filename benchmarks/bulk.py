"""Large and many: `python -m benchmarks.bulk --files 1000000`, or `--gib 20`.

One package of so many tiny files, or of one large file, goes through `init`, `ingest`, `audit`, `export`, `copies add`,
`replicate` and `rebuild`, one after the other. Seconds and peak memory of each step are printed and written as JSON; of
many files also what the first tenth of them took to come in, and the last.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, ours, programs
from benchmarks.__main__ import HERE, REPOSITORY, interrupt, say
from benchmarks.bulk_source import make_large, make_many
from benchmarks.run import remove
from benchmarks.sides import Argv
from benchmarks.watching import Watched, watch

TEN = 10
A_FILE = 24 << 10  # bytes of disk for a tiny file: source, two copies and an export, and what is written of it


@dataclass(frozen=True, slots=True)
class Bulk:
    """What to run: a package of `files` tiny files, or of one file of `gib` GiB; `command` is tianyi."""

    files: int
    gib: int
    command: str

    @property
    def need(self) -> int:
        """Bytes of disk at once at most; the source goes when it is taken in, an export when it was made."""
        return self.files * A_FILE + self.gib * 2 * (1 << 30) + (1 << 28)

    @property
    def name(self) -> str:
        return f"bulk-{self.gib}-gib" if self.gib else f"bulk-{self.files}-files"


class Failed(Exception):
    """A step that did not do its work."""


def options(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--files", type=int, default=0, metavar="N", help="a package of N files of 64 bytes")
    what.add_argument("--gib", type=int, default=0, metavar="N", help="a package of one file of N GiB")
    parser.add_argument("--scratch", type=Path, default=REPOSITORY.parent, help="where to work")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    parser.add_argument("--tianyi", default=str(programs.own_bin() / "tianyi"), metavar="PROGRAM")
    parser.add_argument("--yes", action="store_true", help="do not ask before using the disk")
    return parser.parse_args(argv)


def run(bulk: Bulk, scratch: Path) -> Iterator[tuple[str, Watched]]:
    """Yield each step and what it took; raise Failed at the first that did not do its work."""
    source, repository, out = scratch / "source", scratch / "repository", scratch / "out"
    make_large(source, bulk.gib) if bulk.gib else make_many(source, bulk.files)

    def step(name: str, *arguments: Path | str) -> tuple[str, Watched]:
        argv: Argv = [bulk.command, "-C", str(repository), *map(str, arguments)]
        done = watch(argv, scratch)
        if done.exit:
            raise Failed(f"{name}: exit {done.exit}: {done.note}")
        return name, done

    yield step("init", "init", repository)
    name, ingested = step("ingest", "ingest", source, "--json")
    yield name, ingested
    yield from tenths(repository / "vault" / "blobs", bulk.files)
    remove(source)
    yield step("audit", "audit", "--json")
    yield step("export as a folder", "export", ours.aip(ingested.said), out, "--as", "folder", "--json")
    remove(out)
    step("copies add", "copies", "add", "second", str(scratch / "second"))
    yield step("replicate", "replicate", "--json")
    yield step("audit of the second copy", "audit", "--copy", "second", "--json")
    (repository / "catalogue.db").unlink()
    yield step("rebuild", "rebuild", "--json")


def tenths(blobs: Path, files: int) -> Iterator[tuple[str, Watched]]:
    """Yield what the first and the last tenth took, by when each blob was written, in the order in which they were."""
    if files < TEN:
        return
    times = sorted(path.stat().st_mtime for path in blobs.glob("*/*/*"))[:files]
    tenth = files // TEN
    for name, seconds in ("first", times[tenth - 1] - times[0]), ("last", times[-1] - times[-tenth]):
        yield f"  its {name} {tenth}", Watched(exit=0, wall=seconds, cpu=0, main=0, worker=0, said="", note="")


def row(name: str, done: Watched) -> dict[str, str | float | int]:
    """One step as JSON; seconds and bytes."""
    seconds = {"seconds": round(done.wall, 1), "processor_seconds": round(done.cpu, 1)}
    return {"step": name, **seconds, "main_peak": done.main, "worker_peak": done.worker}


def line(name: str, done: Watched) -> str:
    """One step as a line of a table."""
    return f"{name:28}{done.wall:9.1f} s{done.cpu:9.1f} s{done.main / 1e6:9.0f} MB{done.worker / 1e6:9.0f} MB"


def permission(bulk: Bulk, folder: Path, yes: bool) -> str:
    """Why not to begin; empty when we may."""
    need, free = bulk.need / 1e9, shutil.disk_usage(folder).free / 1e9
    if free < need:
        return f"This needs {need:.1f} GB of disk for a while, and {free:.1f} GB are free: name another with --scratch."
    if yes:
        return ""
    if not sys.stdin.isatty():
        return f"This needs {need:.1f} GB of disk for a while. Agree with --yes."
    return "" if input(f"This needs {need:.1f} GB of disk for a while. Go on? [y/N] ").lower() == "y" else "Not begun."


def carry_out(bulk: Bulk, folder: Path, results: Path) -> None:
    """Run all steps in a scratch folder below `folder`, which is removed whatever happens; write what there is."""
    scratch = Path(tempfile.mkdtemp(prefix="tianyi-bulk-", dir=folder))
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {**machine.describe(scratch, REPOSITORY), "when": when, "command": bulk.command}
    steps: list[dict[str, str | float | int]] = []
    try:
        print(f"{bulk.name:28}{'time':>11}{'CPU':>11}{'main':>12}{'worker':>12}", flush=True)
        for name, done in run(bulk, scratch):
            print(line(name, done), flush=True)
            steps.append(row(name, done))
    finally:
        remove(scratch)
        results.mkdir(parents=True, exist_ok=True)
        told = {"files": bulk.files or 1, "gib": bulk.gib, "machine": facts, "steps": steps}
        (results / f"{bulk.name}.json").write_text(json.dumps(told, indent=1) + "\n")


def main() -> int:
    asked = options()
    bulk = Bulk(asked.files, asked.gib, asked.tianyi)
    if refused := permission(bulk, asked.scratch, asked.yes):
        say(refused)
        return 2
    signal.signal(signal.SIGTERM, interrupt)
    try:
        carry_out(bulk, asked.scratch, asked.results)
    except Failed as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
