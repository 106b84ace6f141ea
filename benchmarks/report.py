"""Results → JSON and Markdown. Pure: the same report gives the same text."""

from __future__ import annotations

import json
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.values import Measurement, Place, Report, Result

PLACES: tuple[Place, Place] = ("ours", "peer")


def runs(result: Result, place: Place) -> list[Measurement]:
    """Return one side's runs in the order of running."""
    return [pair.ours if place == "ours" else pair.peer for pair in result.pairs]


def seconds(result: Result, place: Place) -> float:
    """Return the median wall time of one side of a measured result."""
    return median(run.wall for run in runs(result, place))


def rate(result: Result, wall: float) -> str:
    """Say how fast that is: MB/s (10⁶ bytes) where files are above 1 MiB on average, else files/s."""
    if result.size > result.files << 20:
        return f"{result.size / 1e6 / wall:,.0f} MB/s"
    return f"{result.files / wall:,.0f} files/s"


def side(result: Result, place: Place) -> dict[str, Any]:
    """Return one side as data; figures only where the case is measured."""
    done = runs(result, place)
    data: dict[str, Any] = {"label": getattr(result, place), "exits": [run.exit for run in done]}
    if result.status == "measured":
        wall = seconds(result, place)
        data |= {
            "median_seconds": wall,
            "median_cpu_seconds": median(run.user + run.system for run in done),
            "peak_bytes": max(run.peak for run in done),
            "files_per_second": result.files / wall,
            "bytes_per_second": result.size / wall,
        }
    return data


def case(result: Result) -> dict[str, Any]:
    """Return a result as data."""
    names = ("case", "shape", "status", "compared", "files", "size", "goal")
    data = {name: getattr(result, name) for name in names} | {place: side(result, place) for place in PLACES}
    if result.status == "measured":
        data["ratio"] = {"median": result.ratio, "min": min(result.ratios), "max": max(result.ratios)}
    else:
        data["trouble"] = result.trouble
    return data | {"pairs": [asdict(pair) for pair in result.pairs]}


def to_json(report: Report) -> str:
    """Return the whole report, every run included. Seconds and bytes; a ratio is our time ÷ the peer's."""
    names = ("when", "interrupted", "scale", "pairs", "seed", "least")
    data = {name: getattr(report, name) for name in names}
    data |= {name: dict(getattr(report, name)) for name in ("machine", "programs", "shapes")}
    data["cases"] = [case(result) for result in report.results]
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def times(value: float) -> str:
    """Write a ratio with two figures behind the point, three below a tenth."""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def goal(result: Result) -> str:
    """Say what was wanted and whether it was reached."""
    if result.goal is None:
        return ""
    if result.status != "measured":
        return f"≤ {times(result.goal)}"
    return f"≤ {times(result.goal)}: {'met' if result.ratio <= result.goal else 'missed'}"


def escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def memory(result: Result, place: Place, least: int) -> str:
    """Say the highest peak of a side, as far as it is known."""
    peak = max(run.peak for run in runs(result, place))
    return f"{peak / 1e6:.0f} MB" if peak > least else f"< {least / 1e6:.0f} MB"


def row(result: Result, least: int) -> str:
    """Return one line of the table; memory is not known below `least` bytes."""
    cells = [result.case, result.ours, result.peer]
    if result.status == "measured":
        for place in PLACES:
            wall = seconds(result, place)
            cells.append(f"{wall:.2f} s · {rate(result, wall)} · {memory(result, place, least)}")
        low, high = min(result.ratios), max(result.ratios)
        cells.append(f"**{times(result.ratio)}** ({times(low)}–{times(high)})")
    else:
        cells += ["–", "–", result.trouble]
    return "| " + " | ".join(map(escape, [*cells, goal(result)])) + " |"


def section(shape: str, report: Report) -> list[str]:
    """Return the table of a shape."""
    holds = report.shapes.get(shape, "")
    results = [result for result in report.results if result.shape == shape]
    head = [f"## {shape}", "", f"{holds}.", ""] if holds else [f"## {shape}", ""]
    columns = "| case | ours | peer | our median · rate · peak | its median · rate · peak | ratio | goal |"
    return [*head, columns, "|---|---|---|---|---|---|---|", *(row(r, report.least) for r in results), ""]


def caveats(report: Report) -> list[str]:
    """Return what a reader must know before believing any figure."""
    said = []
    if report.scale != 1:
        said.append(f"**Shapes shrunk to {report.scale:g} of their size: do not quote these figures.**")
    if report.interrupted:
        said.append("**The run was interrupted: cases are missing.**")
    return [line for text in said for line in (text, "")]


def to_markdown(report: Report) -> str:
    """Return the report as tables, one a shape, with what each case compares and what it was run on."""
    lines = ["# Side by side", "", *caveats(report)]
    lines += [
        f"Measured {report.when}, {report.pairs} pairs a case, seed {report.seed}. A ratio is our time "
        "divided by the peer's: **below 1 we are faster**. It is the median of the pairs' ratios, with the "
        "lowest and the highest. MB is 10⁶ bytes; peak is the resident memory of the largest single process.",
        "",
    ]
    for shape in dict.fromkeys(result.shape for result in report.results):
        lines += section(shape, report)
    compared = {result.case: result.compared for result in report.results}
    lines += ["## What is compared", "", *(f"- {name}: {what}." for name, what in compared.items()), ""]
    lines += ["## Run on", "", "| | |", "|---|---|"]
    facts = {**report.machine, **report.programs}
    return "\n".join([*lines, *(f"| {name} | {escape(value)} |" for name, value in facts.items())]) + "\n"
