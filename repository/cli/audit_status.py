"""tianyi audit status: how the promise of reading everything again stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository import edge, wire
from repository.cli.app import AsJson, by_record, opened
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.errors import BadRequest
from repository.words import span
from storage.durable import DISK, publish
from storage.durable import told as told_of

if TYPE_CHECKING:
    from rich.console import Console

    from fixity.schedule import Coverage
    from repository.status import CopyStatus

_COLOURS = {"kept": "green", "attested": "dim", "at risk": "yellow", "broken": "red"}
_RECENT = 30  # days


def show_status(
    context: typer.Context,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts there, replacing it.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell for each copy whether everything is read again in time: the promise, its forecast, damage and repairs."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        wrong = by_record(screen, repository)
        now, found = repository.now(), repository.audit_status()
        told = {**wire.audit_status(found, now), "html": wire.place(html) if html else None, "policy": wrong}
        if html:
            from repository.copies import check_outside
            from repository.status_page import page

            check_outside(html, repository.settings)
            if html.is_dir():
                raise BadRequest(f"{html} is a folder, and no page.", f"Name a file, as {html / 'status.html'}.")
            text = page(found, repository.settings.vault_id, now)
            with told_of(str(html)):  # and not of a temporary file beside it
                publish(DISK, html.absolute(), text.encode(), html.absolute().parent, exclusive=False, mode=0o644)
        screen.result(told, lambda console: _show(console, found, html))
    kept = not wrong and all(promise.state in ("kept", "attested") for one in found for promise in one.promises)
    raise typer.Exit(edge.DAMAGE if any(one.damaged for one in found) else edge.DONE if kept else edge.INCOMPLETE)


def _show(console: Console, found: Sequence[CopyStatus], html: Path | None) -> None:
    for one in found:
        for promise in one.promises:
            console.print(_line(promise))
            if promise.advice and promise.state != "attested":
                console.print(f"  [dim]→[/] {escape(promise.advice)}")
        days = one.days[-_RECENT:]
        read = f"  in {_RECENT} days {size(sum(day.bytes for day in days))} read on {counted(_busy(one), 'day')}"
        healed, seen = (sum(getattr(month, word) for month in one.months) for word in ("repaired", "found"))
        console.print(f"[dim]{read}; in a year {counted(seen, 'finding')} of damage, {counted(healed, 'repair')}[/]")
        if one.damaged:
            console.print(f"  [red]{counted(one.damaged, 'file')} damaged[/]  [dim]→[/] tianyi repair")
    if html:
        console.print(f"[dim]written: {escape(printable(str(html)))}[/]")


def _busy(one: CopyStatus) -> int:
    return sum(1 for day in one.days[-_RECENT:] if day.files)


def _line(promise: Coverage) -> str:
    name = f"copy [cyan]{escape(promise.copy)}[/]"
    name += f", collection [cyan]{escape(promise.collection)}[/]" if promise.collection else ""
    state = f"[{_COLOURS[promise.state]}]{promise.state}[/]"
    if promise.every is None:
        return f"{name} {state}: never read by us; {escape(printable(promise.advice))}"
    told = [f"{size(promise.size)}, every {span(promise.every)}"]
    told += [f"{size(promise.unread)} not read yet"] if promise.unread else []
    told += [f"read longest ago {promise.oldest:%Y-%m-%d}"] if promise.oldest else []
    breaks = "broke" if promise.state == "broken" else "would break"
    told += [f"{breaks} {promise.breaks:%Y-%m-%d}"] if promise.breaks else []
    return f"{name} {state}: {'; '.join(told)}"
