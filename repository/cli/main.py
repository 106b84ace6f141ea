"""The entry point: runs a command and turns whatever it raises into an exit code, a sentence and the next step."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from types import FrameType

import typer

from repository import edge
from repository.cli.commands import app
from repository.cli.screen import Screen

UsageError = typer.BadParameter.__bases__[0]  # click's, or the copy of click that typer carries
ClickException = UsageError.__bases__[0]


def main() -> None:
    """Run `tianyi` with the process's arguments and exit."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams of the process
    signal.signal(signal.SIGTERM, _interrupted)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code (see edge.EXIT_CODES)."""
    screen = Screen(json="--json" in arguments)
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="tianyi", standalone_mode=False)
        if code == edge.INTERRUPTED:
            raise KeyboardInterrupt  # typer has made a silent exit of it
        return code if isinstance(code, int) else edge.DONE
    except typer.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, typer.Abort):
        screen.error("interrupted", "Interrupted; nothing is half-kept.", "Run the same command again.")
        return edge.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return edge.DONE
    except Exception as error:  # noqa: BLE001  # the edge: whatever comes here is told, never a traceback
        return _told(screen, error)


def _told(screen: Screen, error: Exception) -> int:
    if isinstance(error, ClickException):
        usage = getattr(error, "format_message", lambda: str(error))()
        screen.error("usage", usage, "`tianyi --help` lists the commands; `tianyi COMMAND --help` their options.")
        return edge.USAGE
    if told := edge.tell(error):
        screen.error(told.code, told.message, told.next)
        return told.edge.exit
    screen.error("fault", f"Tianyi has a fault: {type(error).__name__}: {error}.", _reported(error))
    return edge.FAULT


def _reported(error: Exception) -> str:
    """Where the technical details are, for whoever mends it."""
    with tempfile.NamedTemporaryFile("w", prefix="tianyi-fault-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    return f"Your holdings are as they were. Please report it with {file.name}."


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
