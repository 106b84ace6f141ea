"""Looking after a repository beside its jobs: alerts, and metrics in a file.

A thread of its own, since a look may wait for a disk or a mail server that does not answer, and a scheduler has to
stop when it is told to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from repository import metrics_file
from repository.alerting import look
from repository.alerts import CLEAR, Message
from repository.config import Config
from repository.facade import utc_now

Warn = Callable[[str], None]
_MINUTE, _PATIENCE = 60.0, 2.0  # seconds


class Monitor:
    """Looks when woken, and by itself: as often as the policy says, and every minute where metrics are written.

    `warn` hears of what is wrong, and of messages that a destination did not take.
    """

    def __init__(self, settings: Config, file: Path | None, warn: Warn) -> None:
        self.settings, self.file, self.warn = settings, file, warn
        self._wake, self._over = Event(), Event()

    def wake(self) -> None:
        """Have it look now."""
        self._wake.set()

    def stop(self) -> None:
        self._over.set()
        self._wake.set()

    def serve(self) -> None:
        """Look until stopped."""
        while not self._over.is_set():
            self._wake.clear()
            every = self.look_once()
            self._wake.wait(min(every, _MINUTE) if self.file else every)

    def look_once(self) -> float:
        """Look once; return after how many seconds to look again."""
        began = time.monotonic()
        try:
            seen = look(self.settings, utc_now)
            if self.file:
                metrics_file.write(self.file, seen.health, seen.faults, utc_now())
        except OSError as error:  # a disk that is full, a folder that is not there: the next look may do better
            self.warn(f"Alerts or metrics could not be written: {error}")
            return _MINUTE
        for message in seen.messages:
            self.warn(_told(message))
        for why in seen.unsent:
            self.warn(why)
        return max(1.0, seen.policy.look.total_seconds() - (time.monotonic() - began))


@contextmanager
def monitoring(settings: Config, file: Path | None, warn: Warn, *, at_end: bool = False) -> Iterator[Monitor]:
    """Look after the repository while the block lasts, or once `at_end`."""
    monitor = Monitor(settings, file, warn)
    if at_end:
        yield monitor
        monitor.look_once()
        return
    thread = Thread(target=monitor.serve, daemon=True)  # one that waits for a dead disk does not keep the process
    thread.start()
    try:
        yield monitor
    finally:
        monitor.stop()
        thread.join(_PATIENCE)


def _told(message: Message) -> str:
    return message.title if message.why == CLEAR else f"{message.title}\n{message.text}"
