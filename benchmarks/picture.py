"""Results → SVG: a dot a case for the median ratio, a line from the lowest to the highest pair. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log

from benchmarks.report import seconds, times
from benchmarks.values import Report, Result

WIDTH, LEFT, RIGHT = 960, 330, 730  # pixels; the axis goes from LEFT to RIGHT
TOP, ROW, GAP = 118, 28, 40
MARKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
STYLE = """
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #24292f }
.paper { fill: #ffffff; stroke: #d0d7de }
.title { font-size: 19px; font-weight: 600 }
.shape { font-size: 13px; font-weight: 600 }
.quiet, .mark { fill: #656d76 }
.mark, .small { font-size: 11px }
.grid { stroke: #d8dee4; stroke-width: 1 }
.one { stroke: #57606a; stroke-width: 1.5 }
.band { fill: #818b981a }
.faster { fill: #0a7d4f; stroke: #0a7d4f } .slower { fill: #b3541e; stroke: #b3541e }
.even { fill: #6e7781; stroke: #6e7781 }
.whisker { stroke-width: 3; stroke-linecap: round; stroke-opacity: .45 }
.dot { stroke: #ffffff; stroke-width: 1.5 }
.goal { fill: none; stroke: #8250df; stroke-width: 2 }
.trouble { font-style: italic; fill: #9a6700; paint-order: stroke; stroke: #f2f3f5; stroke-width: 5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.paper { fill: #0d1117; stroke: #30363d }
.quiet, .mark { fill: #8d96a0 }
.grid { stroke: #262c34 }
.one { stroke: #9198a1 }
.faster { fill: #3fb984; stroke: #3fb984 } .slower { fill: #ee8a4f; stroke: #ee8a4f }
.even { fill: #9198a1; stroke: #9198a1 }
.dot { stroke: #0d1117 }
.goal { stroke: #a98bf5 }
.trouble { fill: #d9a62e; stroke: #191d23 }
}
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis of ratios."""

    low: float
    high: float

    def x(self, ratio: float) -> float:
        """Return where a ratio lies, in pixels."""
        return LEFT + (RIGHT - LEFT) * log(ratio / self.low) / log(self.high / self.low)

    @property
    def marks(self) -> list[float]:
        return [mark for mark in MARKS if self.low <= mark <= self.high]


def axis(results: Sequence[Result]) -> Axis:
    """Return an axis that holds every ratio and goal, 1 with something on both sides, and ends on marks."""
    shown = [r for result in results for r in (*result.ratios, *([result.goal] if result.goal else []))]
    low, high = min([*shown, 0.5]), max([*shown, 2.0])
    below = [mark for mark in MARKS if mark <= low]
    above = [mark for mark in MARKS if mark >= high]
    return Axis(below[-1] if below else low, above[0] if above else high)


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def verdict(ratios: Sequence[float]) -> str:
    """Say faster or slower only when every pair agrees."""
    if max(ratios) < 1:
        return "faster"
    return "slower" if min(ratios) > 1 else "even"


def figures(result: Result, scale: Axis, y: float) -> list[str]:
    """Draw the whisker, the dot, the goal and the words of a measured case."""
    low, high, kind = min(result.ratios), max(result.ratios), verdict(result.ratios)
    both = f"{seconds(result, 'ours'):.2f} s · {seconds(result, 'peer'):.2f} s"
    told = f"{result.case}: {both}, ratio {times(result.ratio)} ({times(low)} to {times(high)})"
    drawn = [
        f"<g><title>{escape(told)}</title>",
        line(scale.x(low), y, scale.x(high), y, f"whisker {kind}"),
        f'<circle cx="{scale.x(result.ratio):.1f}" cy="{y:.1f}" r="6" class="{kind} dot"/></g>',
        text(RIGHT + 16, y + 4, f"{times(result.ratio)}×"),
        text(WIDTH - 24, y + 4, both, "quiet small", "end"),
    ]
    if result.goal is not None:
        x = scale.x(result.goal)
        drawn.append(f'<path d="M{x - 4:.1f} {y - 9:.1f}h8m-4 0v18m-4 0h8" class="goal"/>')
    return drawn


def shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def row(result: Result, scale: Axis, y: float) -> list[str]:
    """Draw one case whose middle is at `y`."""
    label = text(LEFT - 18, y + 4, f"{result.ours} : {result.peer}", "", "end")
    if result.status == "measured":
        return [label, *figures(result, scale, y)]
    return [label, text(LEFT + 6, y + 4, shortened(result.trouble, 84), "trouble small")]


def shape(name: str, results: Sequence[Result], scale: Axis, y: float) -> list[str]:
    """Draw the cases of a shape below its name; `y` is where its band begins."""
    height = ROW * len(results) + 12
    drawn = [
        text(24, y - 8, name, "shape"),
        f'<rect x="16" y="{y:.1f}" width="{WIDTH - 32}" height="{height}" rx="6" class="band"/>',
    ]
    drawn += [line(scale.x(m), y, scale.x(m), y + height, "one" if m == 1 else "grid") for m in scale.marks]
    for number, result in enumerate(results):
        drawn += row(result, scale, y + 6 + ROW * (number + 0.5))
    return drawn


def heading(report: Report, scale: Axis) -> list[str]:
    """Draw the title, how to read the picture and the marks of the axis."""
    shrunk = "" if report.scale == 1 else f" · shapes shrunk to {report.scale:g}: not to be quoted"
    reading = "our time ÷ the peer's, median of the pairs; the line goes from the lowest pair to the highest"
    drawn = [
        text(24, 36, "Side by side with what you would pick instead", "title"),
        text(24, 58, reading + shrunk, "quiet"),
        text(scale.x(1) - 12, TOP - 26, "← we are faster", "mark", "end"),
        text(scale.x(1) + 12, TOP - 26, "we are slower →", "mark"),
        text(WIDTH - 24, TOP - 8, "ours · peer", "mark", "end"),
    ]
    return drawn + [text(scale.x(m), TOP - 8, f"{m:g}×", "mark", "middle") for m in scale.marks]


def to_svg(report: Report) -> str:
    """Return the picture; light or dark as the reader's screen is."""
    scale, y = axis(report.results), float(TOP)
    drawn = heading(report, scale)
    for name in dict.fromkeys(result.shape for result in report.results):
        results = [result for result in report.results if result.shape == name]
        drawn += shape(name, results, scale, y)
        y += ROW * len(results) + 12 + GAP
    facts = (report.machine.get(name, "") for name in ("cpu", "memory", "file system", "kernel"))
    cores = f"{report.machine.get('cores', '?')} cores"
    drawn.append(text(24, y - 12, " · ".join([report.when, cores, *filter(None, facts)]), "quiet small"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 8:.0f}" role="img">'
    paper = f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{y + 7:.0f}" rx="10" class="paper"/>'
    named = "<title>Benchmarks of Tianyi beside other tools</title>"
    return "\n".join([head, named, f"<style>{STYLE}</style>", paper, *drawn, "</svg>"]) + "\n"
