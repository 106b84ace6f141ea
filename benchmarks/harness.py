"""A whole run: shape after shape is made, its cases are run on it, and it is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs, run, shapes
from benchmarks.cases import Case, space
from benchmarks.run import Say
from benchmarks.values import Pair, Report, Result


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: cases by shape, at what scale, how many pairs."""

    cases: Mapping[str, Sequence[Case]]
    scale: float
    pairs: int
    seed: int
    sources: shapes.Sources


@dataclass(frozen=True, slots=True)
class Work:
    """A shape on disk."""

    shape: str
    folder: Path
    files: int
    size: int  # bytes

    @classmethod
    def of(cls, shape: str, folder: Path) -> Work:
        found = shapes.files(folder)
        return cls(shape, folder, len(found), sum(path.stat().st_size for path in found))


def space_for(plan: Plan) -> int:
    """Return the bytes of disk needed at once; shapes come one after another, so the largest counts."""
    shaped = {name: shapes.expected(name, plan.scale, plan.seed, plan.sources) for name in plan.cases}
    stay = {name: plan.pairs if name in shapes.MANY else 0 for name in shaped}
    return max((space(cases, shaped[name], stay[name]) for name, cases in plan.cases.items() if cases), default=0)


def result(case: Case, work: Work, pairs: Sequence[Pair] = (), absent: str = "") -> Result:
    """Put a case, what it ran on and what came out together."""
    goal = case.goals.get(work.shape)
    labels = (case.ours.label, case.peer.label, case.compared)
    return Result(case.name, work.shape, *labels, work.files, work.size, goal, tuple(pairs), absent)


def absent(case: Case) -> str:
    """Say which side is not installed and how to get it; empty when both are."""
    wanted = {side.program.name: side.program.missing for side in (case.ours, case.peer)}
    return "; ".join(f"{name} {why}" for name, why in wanted.items() if why)


def one(case: Case, work: Work, plan: Plan, scratch: Path, say: Say) -> Result:
    """Run a case."""
    if why := absent(case):
        return result(case, work, absent=why)
    say(f"  {case.name}: {case.ours.label} : {case.peer.label}")
    return result(case, work, run.pairs(case, work.folder, scratch, plan.pairs, say, stay=work.shape in shapes.MANY))


def results(plan: Plan, scratch: Path, described: dict[str, str], say: Say) -> Iterator[Result]:
    """Yield each case's result; `described` gets a line for each shape."""
    for shape, cases in plan.cases.items():
        if not cases:
            continue
        if shape == "mixed" and not plan.sources.found:
            why = "skipped: neither samples/accession nor TIANYI_CORPORA's formats.tar.xz is there"
            yield from (result(case, Work(shape, scratch, 0, 0), absent=why) for case in cases)
            continue
        folder = scratch / shape
        shapes.make(shape, plan.scale, plan.seed, plan.sources, folder)
        work = Work.of(shape, folder)
        described[shape] = shapes.describe(shape, plan.scale, work.files, work.size)
        say(f"{shape}: {described[shape]}")
        for case in cases:
            yield one(case, work, plan, scratch, say)
            if shape in shapes.MANY and case is not cases[-1]:
                run.forget()
        run.remove(folder)


def run_all(plan: Plan, scratch: Path, now: str, machine: Mapping[str, str], say: Say) -> Report:
    """Run everything; interrupted, return what there is, marked so."""
    described: dict[str, str] = {}
    done: list[Result] = []
    interrupted = False
    try:
        for found in results(plan, scratch, described, say):
            done.append(found)
            if found.trouble:
                say(f"  {found.case}: {found.trouble}")
    except KeyboardInterrupt:
        interrupted = True
    asked = (plan.scale, plan.pairs, plan.seed)
    versions = programs.versions()
    return Report(now, *asked, machine, versions, described, tuple(done), interrupted, run.own_peak())
