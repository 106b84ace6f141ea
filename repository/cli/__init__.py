"""The command line: a thin user of the façade. One command, one file."""


def main() -> None:
    """Run `tianyi` with the process's arguments and exit.

    The commands are imported here and not above: workers, which import whatever started the process, begin at once.
    """
    from repository.cli import running

    running.main()


__all__ = ["main"]
