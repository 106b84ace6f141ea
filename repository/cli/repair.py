"""tianyi repair: heal what audits found damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from fixity.repair import Mend
from repository import Repository, edge, wire
from repository.cli import reports
from repository.cli.app import AsJson, by_record, opened
from repository.cli.naming import named
from repository.cli.screen import Screen, counted, escape, printable
from repository.holdings import Behind
from repository.losses import Loss
from repository.mending import AWAY, Mended
from repository.strays import QUARANTINE

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 100


def repair(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be healed; change nothing.")] = False,
    most: Annotated[int, typer.Option(metavar="N", min=0, help="Files of each copy at most; 0 for all.")] = 0,
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", exists=True, help="A file or folder that may have what no copy has."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Heal what the last audit found, from a copy that reads right."""
    screen = Screen(json=json)
    word = "repairable" if dry_run else "repaired"
    with opened(context, screen) as repository:
        wrong = by_record(screen, repository)
        done = repository.repair_plan(given) if dry_run else repository.repair(most, given)
        standing = _Standing(repository.losses(done), repository.unchecked(), repository.overworked())
        told = wire.mends(word, done, standing.unchecked, standing.losses, repository.behind)
        told["report"] = wire.place(_report(done, standing.losses, repository)) if done.beyond and not dry_run else None
        told = {word: told.pop(word), "overworked": standing.overworked, **told, "policy": wrong}
        screen.result(told, lambda console: _show(console, word, done, standing, repository.behind))
    if done.beyond or done.stopped or (dry_run and done.healed):
        raise typer.Exit(edge.DAMAGE)
    raise typer.Exit(edge.INCOMPLETE if standing.unchecked or wrong else edge.DONE)


class _Standing(NamedTuple):
    """How things stand after it: what is lost, what the last audits left unread, and which copies break too often."""

    losses: Sequence[Loss]
    unchecked: Mapping[str, int]
    overworked: Mapping[str, int]


def _report(done: Mended, losses: Sequence[Loss], repository: Repository) -> Path:
    """What could not be healed, then what can be asked of whom."""
    left = (wire.mend("beyond_repair", one, repository.behind(one.damage.expected.key)) for one in done.beyond)
    return reports.write(repository, "repair", chain(left, map(wire.loss, losses)))


def _show(
    console: Console, word: str, done: Mended, standing: _Standing, behind: Callable[[str], Behind]
) -> None:  # fmt: skip
    losses, unchecked, overworked = standing
    for line in _lines(word, done, behind):
        console.print(line)
    if (more := max(0, len(done.healed) - _SHOWN) + max(0, len(done.beyond) - _SHOWN)) > 0:
        console.print(f"[dim]… {more:,} more: `--json` and `tianyi events` tell of them[/]")
    for copy, keys in unchecked.items():
        console.print(
            f"[yellow]not checked[/] copy [cyan]{escape(copy)}[/]: its last audit left {counted(keys, 'key')} unread"
        )
    _show_limits(console, done, overworked)
    if not done.healed and not done.beyond and not done.past and not unchecked:
        console.print("No damage is on record. `tianyi audit` reads everything again.")
    for loss in losses[:_SHOWN]:
        console.print(f"[dim]→[/] {escape(printable(loss.ask))}")
    if done.away and done.beyond:
        console.print("[dim]→[/] Mount what is away, and see that it answers; then repair again.")
    elif done.beyond and not losses:
        console.print("[dim]→[/] See to what is said above, as a disk that takes nothing; then audit and repair again.")
    elif unchecked and not done.beyond:
        console.print("[dim]→[/] Mount what is away, and see that it answers; then audit and repair.")


def _lines(word: str, done: Mended, behind: Callable[[str], Behind]) -> Iterator[str]:
    for mend in islice(done.healed, _SHOWN):
        yield f"[green]{word}[/] {_place(mend, behind)} {_how(mend)}"
    for mend in islice(done.beyond, _SHOWN):
        state = "[yellow]not repaired[/]" if mend.why == AWAY else "[red]beyond repair[/]"
        yield f"{state} {_place(mend, behind)}: {escape(printable(mend.why))}"
    for mend in islice(done.past, _SHOWN):
        yield f"[green]past[/] {_place(mend, behind)}: nothing needs it any more, so there is nothing to heal"


def _show_limits(console: Console, done: Mended, overworked: Mapping[str, int]) -> None:
    for copy, left in done.stopped.items():
        console.print(f"[yellow]stopped[/] copy [cyan]{escape(copy)}[/]: {counted(left, 'file')} more are damaged")
    for copy, healed in overworked.items():
        console.print(
            f"[yellow]many[/] copy [cyan]{escape(copy)}[/]: {counted(healed, 'file')} healed within a day, more than"
            " the policy heals by itself. Look at its disk (dmesg, smartctl)."
        )


def _how(mend: Mend) -> str:
    if mend.source == QUARANTINE:
        return "into quarantine"
    if mend.fault and mend.fault.outcome == "mode":
        return f"mode {escape(mend.fault.why)}" if mend.fault.why else "has the right mode by now"
    is_right = mend.source == mend.damage.copy or (mend.fault and mend.fault.outcome == "intact")
    return "reads right by now" if is_right else f"from {escape(mend.source)}"


def _place(mend: Mend, behind: Callable[[str], Behind]) -> str:
    key = mend.damage.expected.key
    return f"{named(key, behind(key))} in {escape(mend.damage.copy)}"
