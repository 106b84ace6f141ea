"""The command line: a thin user of the façade. One command, one file."""

import gc

INTERRUPTED = "Interrupted; nothing is half-kept."
_JSON = f'{{"code": "interrupted", "message": "{INTERRUPTED}", "next": "Run the same command again."}}\n'


def main() -> None:
    """Run `tianyi` with the process's arguments and exit.

    The commands are imported here and not above: workers, which import whatever started the process, begin at once.
    """
    _guard()
    gc.disable()  # what is imported stays: looking for what could go costs a tenth of the start
    from repository.cli import running

    gc.freeze()
    gc.enable()
    running.main()


def _guard() -> None:
    """Until the command can end by itself, an interruption ends it at once: nothing was begun."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, frame: object) -> None:
    import os
    import sys

    told = (1, _JSON) if "--json" in sys.argv else (2, f"Error: {INTERRUPTED}\n")
    try:
        os.write(told[0], told[1].encode())
    finally:
        os._exit(130)  # edge.INTERRUPTED, which may not be there yet


__all__ = ["main"]
