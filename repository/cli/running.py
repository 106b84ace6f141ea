"""The entry point: runs a command and turns whatever it raises into an exit code, a sentence and the next step."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer

from ingest.undisturbed import undisturbed
from repository import edge
from repository.cli import INTERRUPTED, ending
from repository.cli.app import app
from repository.cli.helping import UsageError
from repository.cli.screen import Screen
from repository.cli.telling import tell

ClickException = UsageError.__bases__[0]


def main() -> None:
    """Run `tianyi` with the process's arguments and exit."""
    ending.open_closed()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams of the process
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    code = run(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # all is said: as Python ends, one would change how
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code (see edge.EXIT_CODES). Everything that it said is written by then."""
    screen, streams = Screen(json="--json" in arguments), (sys.stdout, sys.stderr)
    try:
        code = _ran(screen, arguments)
    except BaseException as error:
        sys.stdout, sys.stderr = streams  # typer wraps them when one of them is closed
        if not ending.is_closed(error):
            raise
        code = edge.DONE  # the reader has seen enough
    return ending.written(screen, code)


def _ran(screen: Screen, arguments: Sequence[str]) -> int:
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="tianyi", standalone_mode=False)
        if code == edge.INTERRUPTED:
            raise KeyboardInterrupt  # typer has made a silent exit of it
        return code if isinstance(code, int) else edge.DONE
    except ending.Ended as end:
        return end.code
    except typer.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _interruption(screen, arguments)
    except Exception as error:
        if ending.is_closed(error):
            raise
        if ending.CAME:  # Python makes another error of an interrupt in the middle of an import
            return _interruption(screen, arguments)
        return _told_somewhere(screen, error)


def _interruption(screen: Screen, arguments: Sequence[str]) -> int:
    again = "Run the same command again."
    if "ingest" in arguments:
        again = (
            "`tianyi ingest --resume` goes on with it; if that has nothing to go on with, run the same command again."
        )
    screen.error("interrupted", INTERRUPTED, again)
    return edge.INTERRUPTED


def _told_somewhere(screen: Screen, error: Exception) -> int:
    """Tell of an error, on standard error where standard output takes no more."""
    try:
        code = _told(screen, error)
        sys.stdout.flush()
    except OSError as lost:
        if ending.is_closed(lost):
            raise
        ending.discard(sys.stdout)
        code = _told(Screen(json=False), error)
    return code


def _told(screen: Screen, error: Exception) -> int:
    if isinstance(error, ClickException):
        return _usage(screen, error)
    return tell(screen, error)


def _usage(screen: Screen, error: Exception) -> int:
    """What was not understood, and which command's help says more; the help itself where nothing was asked for."""
    words = str(getattr(error, "format_message", lambda: error)()).replace("Value error, ", "")
    if type(error).__name__ == "NoArgsIsHelpError" and not screen.json:
        print(words, file=sys.stderr)
        return edge.USAGE
    command = getattr(getattr(error, "ctx", None), "command_path", "tianyi")
    more = "lists the commands" if command in ("tianyi", "tianyi migrate") else "tells its options"
    screen.error("usage", words, f"`{command} --help` {more}.")
    return edge.USAGE


def _interrupted(number: int, frame: FrameType | None) -> None:
    """Clearing away what is half done may take a while: whoever waits for that is told so, at once; who asks again does
    not wait, and what is left goes when the repository is opened next, as after a kill."""
    ending.CAME.append(number)
    if len(ending.CAME) > 1:
        os._exit(edge.INTERRUPTED)
    said = "what is being kept is told first" if undisturbed.lasts else "what is half done is cleared away"
    if os.isatty(2):
        os.write(2, f"\nStopping; {said} …\n".encode())
    if not undisturbed.lasts:
        raise KeyboardInterrupt
