"""Charts of the status page as SVG: a calendar of what was read, and bars of what was found and healed. Pure.

Colours are variables of the page, so that they are light or dark as the reader's screen; each mark has a title that
screen readers and mice tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from repository.status import Day, Month
from repository.words import counted, size

_CELL, _STEP, _LEFT, _TOP = 13, 16, 34, 18
_HIGH, _BAR, _WIDE = 90, 20, 62  # pixels of the bars: the highest, one's width, a month's
_DAYS = ((0, "Mon"), (2, "Wed"), (4, "Fri"))


def calendar(copy: str, days: Sequence[Day]) -> str:
    """A column a week, a square a day: the darker, the more of it was read."""
    weeks = -(-len(days) // 7)
    most = max((day.bytes for day in days), default=0)
    read = sum(1 for day in days if day.files)
    told = f"Copy {copy}: on {read} of the last {len(days)} days something was read."
    drawn = [_text(_LEFT - 6, _TOP + row * _STEP + 11, name, "end") for row, name in _DAYS]
    drawn += [_text(_LEFT + week * _STEP, _TOP - 6, name) for week, name in _month_names(days)]
    drawn += [_square(number, day, most) for number, day in enumerate(days)]
    return _svg(_LEFT + weeks * _STEP, _TOP + 7 * _STEP, told, drawn, most_wide=40)


def _month_names(days: Sequence[Day]) -> Iterator[tuple[int, str]]:
    """The week in which each month begins, where there is room for its name."""
    before = -3
    for _, month in groupby(enumerate(days), key=lambda one: one[1].day.month):
        number, day = next(month)
        if number // 7 - before >= 3:
            before = number // 7
            yield before, f"{day.day:%b}"


def _square(number: int, day: Day, most: int) -> str:
    week, row = divmod(number, 7)
    shade = f"read{min(4, 1 + int(4 * (day.bytes / most) ** 0.5)) if most else 1}" if day.files else "none"
    told = f"{day.day.isoformat()}: {_amount(day)}"
    x, y = _LEFT + week * _STEP, _TOP + row * _STEP
    return (
        f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="3" style="fill: var(--{shade})">'
        f"<title>{escape(told)}</title></rect>"
    )


def _amount(day: Day) -> str:
    if not day.files:
        return "nothing read"
    return f"{counted(day.files, 'file')}, {size(day.bytes)} read"


def months(copy: str, found: Sequence[Month]) -> str:
    """Two bars a month: what was found damaged, and what was healed. Where nothing was, a line at the bottom."""
    most = max((max(month.found, month.repaired) for month in found), default=0)
    total, healed = sum(month.found for month in found), sum(month.repaired for month in found)
    if not most:
        return f'<p class="quiet">Nothing was found damaged in the last {len(found)} months.</p>'
    happened = f"{counted(total, 'finding')} of damage, {counted(healed, 'repair')}"
    told = f"Copy {copy}: {happened} in the last {len(found)} months."
    drawn = [part for number, month in enumerate(found) for part in _bars(number, month, most)]
    drawn.append(
        f'<line x1="0" x2="{_WIDE * len(found)}" y1="{_HIGH + 20.5}" y2="{_HIGH + 20.5}" style="stroke: var(--rule)"/>'
    )
    key = "".join(
        f'<span class="key" style="background: var(--{colour})"></span>{word} '
        for colour, word in (("bad", "found damaged"), ("healed", "healed"))
    )
    return _svg(_WIDE * len(found), _HIGH + 42, told, drawn, most_wide=56) + f'<p class="quiet">{key}</p>'


def _bars(number: int, month: Month, most: int) -> Iterator[str]:
    middle = number * _WIDE + _WIDE / 2
    bars = ((middle - _BAR - 1, month.found, "bad", "found damaged"), (middle + 1, month.repaired, "healed", "healed"))
    for x, count, colour, word in bars:
        if count:
            height = max(2.0, _HIGH * count / most)
            y = 20 + _HIGH - height
            size = f'x="{x:.1f}" y="{y:.1f}" width="{_BAR}" height="{height:.1f}"'
            yield (
                f'<rect {size} rx="3" style="fill: var(--{colour})">'
                f"<title>{escape(f'{month.month}: {count:,} {word}')}</title></rect>"
            )
            yield _text(x + _BAR / 2, y - 4, f"{count:,}", "middle")
    yield _text(middle, _HIGH + 36, month.month, "middle")


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: float, height: float, told: str, drawn: Sequence[str], most_wide: int) -> str:
    """`most_wide` is in em: a chart does not grow beyond what is good to read."""
    head = (
        f'<svg viewBox="0 0 {width} {height}" role="img" style="max-width:{most_wide}em"><title>{escape(told)}</title>'
    )
    return head + "".join(drawn) + "</svg>"
