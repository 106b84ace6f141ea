"""tianyi ledger prove: a proof of what is held, for whoever does not have Tianyi."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from repository import wire
from repository.cli.app import AsJson, opened
from repository.cli.holdings import AipArgument
from repository.cli.screen import Screen, counted, escape


def prove(
    context: typer.Context,
    aip: AipArgument,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where to write it. [default: here]")] = Path(),
    json: AsJson = False,
) -> None:
    """Write a proof that an AIP is what was logged, and the program that checks it without Tianyi."""
    screen = Screen(json=json)
    with opened(context, screen) as repository:
        proof, path = repository.prove(aip, to)
    told = counted(len(proof.versions), "version"), f"in a signed log of {counted(proof.size, 'entry')}"
    stamps = f", {counted(proof.stamps, 'time stamp')}" if proof.stamps else ""
    line = f"[green]{escape(str(path))}[/]: {' '.join(told)}{stamps}"
    screen.result(wire.proved(proof, path), lambda console: console.print(line))
    if proof.unsigned:
        screen.warn(f"No signed checkpoint covers version {', '.join(map(str, proof.unsigned))} yet.")
