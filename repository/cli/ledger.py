"""tianyi ledger: whether the history is what it always was, what it says, and the keys that sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repository import edge, wire
from repository.cli import ledger_prove, ledger_publish
from repository.cli.app import AsJson, by_record, opened
from repository.cli.helping import Command
from repository.cli.screen import Screen, counted, escape, printable
from repository.ledger_check import Verified
from repository.ledger_recover import Recovered
from repository.ledger_scan import INFO
from storage.signed_note import VerifierKey

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="The ledger: verify it, read it, prove by it, change the key that signs.", no_args_is_help=True)


@app.command("verify", cls=Command)
def verify(context: typer.Context, json: AsJson = False) -> None:
    """Read the ledger in every copy, and hold it against every checkpoint that was kept."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        wrong = by_record(screen, repository)
        done = repository.verify_ledger()
    screen.result({**wire.verified(done), "policy": wrong}, lambda console: _show(console, done))
    if not done.valid:
        raise typer.Exit(edge.DAMAGE)
    raise typer.Exit(edge.DONE if done.complete and not wrong else edge.INCOMPLETE)


@app.command("show", cls=Command)
def show(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", metavar="N", min=0, help="The first entry; they begin at 0.")] = 0,
    json: AsJson = False,
) -> None:
    """Print entries as they are in the log, one line of canonical JSON each."""
    with opened(context, Screen(json=json)) as repository:
        for _, raw, _ in repository.vault.ledger.read(start):
            typer.echo(raw)


app.command("prove", cls=Command)(ledger_prove.prove)
app.command("publish", cls=Command)(ledger_publish.publish)


@app.command("recover", cls=Command)
def recover(
    context: typer.Context,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why their entries are gone; it goes on record.")],
    json: AsJson = False,
) -> None:
    """Enter the versions that are held and whose entries the ledger lost; whoever verifies it is told."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        done = repository.recover_entries(reason)
    screen.result(wire.recovered(done), lambda console: _show_recovered(console, done))
    raise typer.Exit(edge.INCOMPLETE if done.left or done.behind else edge.DONE)


@app.command("rotate-key", cls=Command)
def rotate_key(context: typer.Context, json: AsJson = False) -> None:
    """Sign with a new key from now on; both keys sign that."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        key = repository.rotate_key()
    screen.result({"key": key.text}, lambda console: _tell_key(console, key))


@app.command("replace-lost-key", cls=Command)
def replace_lost_key(
    context: typer.Context,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="What became of it; it goes on record.")],
    json: AsJson = False,
) -> None:
    """Sign with a new key where the one before is lost; whoever verifies the ledger is told."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        key = repository.replace_lost_key(reason)
    screen.result({"key": key.text}, lambda console: _tell_key(console, key))


def _show(console: Console, done: Verified) -> None:
    state = "[red]changed[/]" if not done.valid else "[green]whole[/]" if done.complete else "[yellow]incomplete[/]"
    told = f"{counted(done.entries, 'entry')}, held against {counted(done.checkpoints, 'checkpoint')}"
    console.print(f"ledger {state}  {told}")
    console.print(f"  root {done.root}")
    for fault in done.findings:
        where = f"{fault.copy}: " if fault.copy else ""
        console.print(f"  {fault.code:<24} {escape(printable(where + fault.what))}")
    if any(fault.weight != INFO for fault in done.findings):
        console.print("[dim]→[/] docs/how-to/check-the-ledger.md tells what to do about each.")


def _show_recovered(console: Console, done: Recovered) -> None:
    console.print(f"{counted(len(done.entered), 'version')} entered, marked as recovered.")
    for one in done.left:
        console.print(f"  [yellow]left[/] version {one.version} of {one.aip}: {one.why}")
    if done.behind:
        console.print(f"  [yellow]behind[/] {', '.join(sorted(done.behind))}  [dim]→[/] tianyi replicate")


def _tell_key(console: Console, key: VerifierKey) -> None:
    console.print("A new key signs the ledger. Give its public key to those who check it:")
    console.print(f"  {escape(key.text)}")
