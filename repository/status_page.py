"""The status of all audits as one HTML page that needs nothing else: for a board, or an inspector. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from fixity.schedule import Coverage
from repository.status import CopyStatus
from repository.status_chart import calendar, months
from repository.words import counted, size, span

_WORDS = {
    "attested": "attested by others", "kept": "promise kept", "at risk": "promise at risk", "broken": "promise broken",
}  # fmt: skip
_CODE = re.compile("`([^`]*)`")
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --paper: #ffffff; --card: #f6f8fa; --rule: #d1d9e0;
  --none: #e8ebef; --read1: #b7dfc4; --read2: #76c08f; --read3: #36995c; --read4: #14693a;
  --bad: #b3261e; --healed: #2f6fb0; --good: #14693a; --warn: #8a5a00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4af; --paper: #0d1117; --card: #151b23;
  --rule: #30363d; --none: #21262d; --read1: #123b26; --read2: #1b6a3e; --read3: #2fa05f; --read4: #63d490;
  --bad: #ff7b72; --healed: #6cb0f5; --good: #56d48a; --warn: #e3b341 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.2rem; margin: 0 } h3 { font-size: .95rem; margin: 1.4rem 0 .4rem }
p { margin: .3rem 0 } .quiet { color: var(--quiet) }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1.2rem 1.4rem;
  margin: 1.4rem 0; break-inside: avoid }
.state { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; border: 1.5px solid currentColor;
  font-size: .85rem; font-weight: 600; margin-left: .6rem; vertical-align: .1rem }
.kept { color: var(--good) } .at-risk { color: var(--warn) }
.broken { color: var(--bad) } .attested { color: var(--quiet) }
.key { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin: 0 .4em 0 1.2em }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin-top: .8rem }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top }
th { color: var(--quiet); font-weight: 500 } td.number { font-variant-numeric: tabular-nums }
svg { display: block; width: 100%; height: auto } svg text { fill: var(--quiet); font: 11px system-ui, sans-serif }
@media print { body { padding: 0; max-width: none } section { background: none } }
"""


def page(found: Sequence[CopyStatus], vault_id: str, now: datetime) -> str:
    """The page. Everything in it that came from outside is escaped."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Audits of vault {escape(vault_id)}</title><style>{_STYLE}</style></head><body>",
        "<header><h1>Is everything read again, in time?</h1>",
        f'<p class="quiet">Vault {escape(vault_id)}, {now:%Y-%m-%d %H:%M} UTC</p>',
        f"<p>{escape(_summary(found))}</p></header>",
        *(_copy(one) for one in found),
        '<footer class="quiet"><p>Made by Tianyi from the vault’s ledger. An audit counts as read what it read: '
        "what was not reached is not in it.</p></footer></body></html>\n",
    ]
    return "\n".join(parts)


def _summary(found: Sequence[CopyStatus]) -> str:
    promises = [promise for one in found for promise in one.promises]
    wrong = [promise for promise in promises if promise.state in ("at risk", "broken")]
    damaged = sum(one.damaged for one in found)
    told = f"{len(wrong)} of {len(promises)} promises need attention." if wrong else "All promises are kept."
    return f"{told} Damage is known in {counted(damaged, 'file')}." if damaged else f"{told} No damage is known."


def _copy(one: CopyStatus) -> str:
    state = max((promise.state for promise in one.promises), key=list(_WORDS).index)  # the worst of them
    rows = "".join(_row(promise) for promise in one.promises)
    damaged = f'<p class="broken"><strong>{counted(one.damaged, "file")} damaged</strong> as far as is known.</p>'
    return (
        f'<section aria-label="Copy {escape(one.copy)}"><h2>Copy {escape(one.copy)}'
        f'<span class="state {state.replace(" ", "-")}">{_WORDS[state]}</span></h2>'
        f"{''.join(_advice(one.promises))}{damaged if one.damaged else ''}"
        "<table><thead><tr><th>Promise</th><th>State</th><th>Read longest ago</th><th>Not read yet</th><th>Held</th>"
        f"<th>Breaks</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<h3>Read, day by day: the darker, the more</h3>{calendar(one.copy, one.days)}"
        f"<h3>Damage found, and healed, by month</h3>{months(one.copy, one.months)}</section>"
    )


def _advice(promises: Sequence[Coverage]) -> Iterator[str]:
    for promise in promises:
        if promise.advice:
            name = f"{escape(promise.collection)}: " if promise.collection else ""
            told = _CODE.sub(r"<code>\1</code>", escape(promise.advice))
            yield f"<p>{name}{told}</p>"


def _row(promise: Coverage) -> str:
    cells = [
        escape(promise.collection) or "everything", _every(promise), _WORDS[promise.state],
        _moment(promise.oldest), size(promise.unread), size(promise.size), _moment(promise.breaks),
    ]  # fmt: skip
    cells = [f"{cells[0]}, {cells[1]}", *cells[2:]]
    return "<tr>" + "".join(f'<td class="number">{cell}</td>' for cell in cells) + "</tr>"


def _every(promise: Coverage) -> str:
    if promise.every is None:
        return "never read by us"
    return f"within {span(promise.every)}"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "–"
