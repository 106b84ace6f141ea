"""A progress that stops the work that tells it how far it is; an ingest that fails with one delivery."""

from __future__ import annotations

from collections.abc import Callable

from ingest.delivery import Delivery, Receipt, Setting
from storage.progress import Progress

TakeIn = Callable[[Delivery, Setting, str], Receipt]


def interrupt() -> None:
    """As if somebody had pressed Ctrl-C."""
    raise KeyboardInterrupt


class Stops(Progress):
    """Lets so many files be done; `stop` is called by every one after them."""

    def __init__(self, files: int, stop: Callable[[], object] = interrupt) -> None:
        self.left, self.stop = files, stop

    def begin(self, what: str, files: int, size: int) -> None: ...
    def end(self) -> None: ...

    def advance(self, files: int, size: int) -> None:
        self.left -= files
        if self.left < 0:
            self.stop()


def faulty(name: str, take_in: TakeIn, error: Exception | None = None) -> TakeIn:
    """The same, but that the delivery of that name ends with an error; unless said otherwise, one of a kind that nobody
    foresaw."""

    def take(delivery: Delivery, setting: Setting, accession: str) -> Receipt:
        if delivery.path.name == name:
            raise error or ZeroDivisionError("not foreseen")
        return take_in(delivery, setting, accession)

    return take
