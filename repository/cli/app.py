"""The application: its options before the command, and the commands in the order of a day's work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repository.cli.commands import Commands
from repository.cli.screen import Json, Screen
from repository.edge import EXIT_CODES
from repository.version import VERSION

if TYPE_CHECKING:
    from repository import Repository

_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."

app = typer.Typer(
    name="tianyi",
    cls=Commands,
    help="Tianyi keeps digital accessions: takes them in, reads them again on schedule, repairs them, gives them out.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")]


@dataclass(frozen=True, slots=True)
class Session:
    """What was said before the command."""

    folder: Path | None
    agent: str


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tianyi {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option("-C", metavar="DIR", help="The repository; else TIANYI_REPOSITORY, else the folder above."),
    ] = None,
    agent: Annotated[
        str, typer.Option(metavar="NAME", help="Who acts; else TIANYI_AGENT, else the system's user number.")
    ] = "",
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    context.obj = Session(folder, agent)


def session(context: typer.Context) -> Session:
    found: Session = context.obj
    return found


def opened(context: typer.Context, screen: Screen) -> Repository:
    """The repository that the command is about."""
    from repository import Repository

    agent = session(context).agent
    repository = Repository.open(chosen(context), agent=agent, progress=screen.progress(context), patience=_patience())
    context.call_on_close(lambda: _tell_unsigned(screen, repository))
    if repository.changed:
        screen.warn(f"{repository.changed} {repository.changed.next} Until then nothing is written to it.")
    if repository.catalogue.aside:
        screen.warn(
            "The ledger has not the entries that the catalogue knew: was an older copy put first? Accessions that came"
            f" since may be lost. The catalogue as it was is kept: {repository.catalogue.aside}"
        )
    if ahead := repository.ahead():
        screen.warn(
            f"The ledger's last entry is of {ahead}, which is yet to come: this machine's clock was wrong then, or is"
            " now. Set it, and let a time service keep it, before more is written: what is due goes by it."
        )
    return repository


def _tell_unsigned(screen: Screen, repository: Repository) -> None:
    if repository.committer.scribe.unsigned:
        screen.warn(
            f"What was written to the ledger is not signed: its key is not in {repository.seal.folder}."
            " Bring it back, or `tianyi ledger replace-lost-key`."
        )


def by_record(screen: Screen, repository: Repository) -> Json | None:
    """Where a policy cannot be used, what is shown goes by those last on record: warn of it, and return it as JSON has
    an error. For commands that decide nothing by a policy; they end with INCOMPLETE, since a person has to correct it.
    """
    from repository import wire

    if not (error := repository.fall_back(shipped=True)):
        return None
    screen.warn(f"A policy cannot be used; until it is corrected, this goes by what was last in force.\n{error}")
    return wire.mistake(error)


def chosen(context: typer.Context) -> Path:
    """The folder of the repository that the command is about; raise NoRepository."""
    from repository import config

    named = session(context).folder or os.environ.get("TIANYI_REPOSITORY")
    return Path(named) if named else config.find(Path.cwd())


def _patience() -> float:
    """Seconds to wait for another writer: TIANYI_PATIENCE, else a minute."""
    said = os.environ.get("TIANYI_PATIENCE", "60")
    try:
        return max(0.0, float(said))
    except ValueError as error:
        raise typer.BadParameter(f"TIANYI_PATIENCE is {said!r}, not a number of seconds.") from error
