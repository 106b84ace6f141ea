"""Errors as commands tell of them, and the deliveries that go on after one that had a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ingest.errors import IngestError
from repository import edge
from repository.cli.ending import CAME
from repository.cli.screen import Screen

if TYPE_CHECKING:
    from ingest.delivery import Receipt


def tell(screen: Screen, error: Exception, **about: str) -> int:
    """Tell of an error, with further fields for JSON; return its exit code. What the table of the edge does not know is
    a fault, whose details are left in a file."""
    if told := edge.tell(error):
        screen.error(told.code, told.message, told.next, json=None, **about)
        return told.edge.exit
    said = f"Tianyi has a fault: {type(error).__name__}: {error}."
    screen.error("fault", said, _reported(error), json=None, **about)
    return edge.FAULT


def attempted(take: Callable[[], Iterable[Receipt]]) -> list[Receipt] | Exception:
    """What comes of one delivery: also what is wrong with that one alone, so that the next one is taken. What would
    stop the next one too, as a full disk, is raised; so is any error that Python makes of an interrupt."""
    try:
        return list(take())
    except Exception as error:
        if CAME or not (isinstance(error, IngestError) or edge.tell(error) is None):
            raise
        return error


def _reported(error: Exception) -> str:
    """Where the technical details are, for whoever mends it."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="tianyi-fault-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    return f"Your holdings are as they were. Please report it with {file.name}."
