"""tianyi copies, tianyi replicate: how the copies of the vault stand, and bringing them up to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from repository import Repository, edge, wire
from repository.cli.app import AsJson, chosen, opened, session
from repository.cli.helping import Command
from repository.cli.screen import Screen, counted, escape, printable, size
from repository.config import Copy
from repository.founding import absolute
from storage.replicate import Replicated

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="How the copies of the vault stand; declare, promote and retire them.")
_COLUMNS = ("name", "state", "behind", "last_read_in_full", "medium", "place", "url")

_HINTS = {
    "behind": "`tianyi replicate` brings it up to the others.",
    "damaged": "`tianyi audit`, then `tianyi repair`.",
    "away": "See that its disk is mounted; one that is lost can be retired, and another added.",
}


@app.callback(invoke_without_command=True)
def copies(context: typer.Context, json: AsJson = False) -> None:
    """Show each copy: complete or behind by how much, last read in full, health. Without a command."""
    if context.invoked_subcommand:
        return
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        states = repository.copy_states()
        screen.rows(map(wire.copy_state, states), _COLUMNS, nothing="", spare=("place", "medium", "url"))
        for state in states:
            if not json and (hint := state.next or _HINTS.get(state.state)):
                why = f": {printable(state.why).removesuffix('.')}" if state.why else ""
                screen.errors.print(f"[dim]→[/] {state.copy.name} is {state.state}{escape(why)}. {escape(hint)}")
    if any(state.state == "damaged" for state in states):
        raise typer.Exit(edge.DAMAGE)
    raise typer.Exit(edge.DONE if all(state.state == "complete" for state in states) else edge.INCOMPLETE)


@app.command("add", cls=Command)
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and hyphens.")],
    url: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="An empty place for it.")],
    medium: Annotated[str, typer.Option(metavar="WORDS", help="What it is kept on, like: disk, tape.")] = "",
    place: Annotated[str, typer.Option(metavar="WORDS", help="Where that is, like: reading room.")] = "",
    form: Annotated[str, typer.Option(metavar="FORM", help="blobs, or ocfl for packages.")] = "blobs",
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What else its kind of store has to know.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Declare another copy; `tianyi replicate` fills it, also while the repository is in use."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        where = absolute(url)
        options = dict(_pair(text) for text in option or ())
        copy = Copy(name, where, medium=medium, place=place, form=form, options=options)
        repository.add_copy(copy)
    screen.result({"name": name, "url": where}, lambda console: _next(console, f"Copy {name} is declared", "replicate"))


@app.command("promote", cls=Command)
def promote(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: AsJson = False,
) -> None:
    """Make a copy the first, which decides what exists: when the first one is lost, or moves."""
    screen = Screen(json=json)
    done = Repository.promote_copy(chosen(context), name, agent=session(context).agent)
    if done.entries:
        screen.warn(
            f"The catalogue knew {counted(done.entries, 'entry')} that {name} has not: what came in while it was away."
            " The catalogue as it was is kept beside the new one; a third copy may have them: `tianyi replicate`."
        )
    told = {"name": done.name, "before": done.before, "entries_missing": done.entries}
    screen.result(told, lambda console: _next(console, f"{name} is the first copy, instead of {done.before}", "copies"))


@app.command("retire", cls=Command)
def retire(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: AsJson = False,
) -> None:
    """Declare a copy no longer; what is in it stays as it is."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        repository.retire_copy(name)
    screen.result({"name": name}, lambda console: console.print(f"{name} is no copy of this vault any more."))


def replicate(
    context: typer.Context,
    copy: Annotated[str, typer.Option(metavar="NAME", help="Only this copy.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what each copy lacks, and change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Bring copies that are behind up to what the others have."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        if dry_run:
            states = [wire.copy_state(state) for state in repository.replicate_plan(copy)]
            screen.rows(states, _COLUMNS, nothing="", spare=("place", "medium", "url"))
            raise typer.Exit(edge.DONE if all(s["state"] == "complete" for s in states) else edge.INCOMPLETE)
        done = repository.replicate(copy)
        screen.result(wire.replicated(done), lambda console: _show(console, done))
    raise typer.Exit(edge.INCOMPLETE if any(one.behind for one in done) else edge.DONE)


def _show(console: Console, done: list[Replicated]) -> None:
    for one in done:
        told = f"{counted(one.copied, 'file')} copied, {size(one.size)}" if one.copied else "nothing to copy"
        state = "[yellow]behind[/]" if one.behind else "[green]complete[/]"
        console.print(f"copy [cyan]{one.copy}[/]  {state}  {told}")
        for key, why in list(one.behind.items())[:20]:
            console.print(f"  {escape(printable(key))}  {escape(printable(why))}".rstrip())


def _next(console: Console, done: str, command: str) -> None:
    console.print(f"{escape(done)}.")
    console.print(f"[dim]→[/] tianyi {command}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE.")
    return name, value
