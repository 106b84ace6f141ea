"""The command line: a thin user of the façade. One command, one file."""

import gc


def main() -> None:
    """Run `tianyi` with the process's arguments and exit.

    The commands are imported here and not above: workers, which import whatever started the process, begin at once.
    """
    gc.disable()  # what is imported stays: looking for what could go costs a tenth of the start
    from repository.cli import running

    gc.freeze()
    gc.enable()
    running.main()


__all__ = ["main"]
