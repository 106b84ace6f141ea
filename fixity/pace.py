"""How fast to read: a bucket that fills evenly, from which bytes and files are taken. The clock and sleep are
arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_BURST = 0.25  # seconds of work that may be saved up while others kept us waiting
_AIM = 0.98  # of what is allowed: what was saved up must not bring us above it


@dataclass(slots=True)
class Bucket:
    """Gives out at most `rate` a second, evenly; `None` gives out everything."""

    rate: float | None
    ready: float | None = None
    """When the next one may be taken, by the clock."""

    def wait(self, amount: float, now: float) -> float:
        """Take an amount; return how many seconds to wait before going on."""
        if not self.rate:
            return 0.0
        saved = now if self.ready is None else max(self.ready, now - _BURST)
        self.ready = saved + amount / (self.rate * _AIM)
        return max(0.0, self.ready - now)


class Pace:
    """Lets so many bytes and files a second through, and keeps a core busy for so much of the time.

    `cpu` is a part of one core; `worked` tells the processor's seconds that this process has used.
    """

    def __init__(
        self, bytes_per_second: float | None = None, files_per_second: float | None = None, cpu: float | None = None, *,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
        worked: Callable[[], float] = time.process_time,
    ) -> None:  # fmt: skip
        self._bytes, self._files = Bucket(bytes_per_second), Bucket(files_per_second)
        self._cpu = Bucket(cpu)
        self._clock, self._sleep, self._worked = clock, sleep, worked
        self._used = worked()
        self.is_bounded = any(bucket.rate for bucket in (self._bytes, self._files, self._cpu))

    def begin(self) -> None:
        """A file is about to be read."""
        if self.is_bounded:
            self._rest(self._files.wait(1, self._clock()))

    def through(self, parts: Iterable[bytes]) -> Iterable[bytes]:
        """The parts, each as soon as it may."""
        return self._slowly(parts) if self.is_bounded else parts

    def _slowly(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            yield part
            used = self._worked()
            now = self._clock()
            self._rest(max(self._bytes.wait(len(part), now), self._cpu.wait(used - self._used, now)))
            self._used = used

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)


UNHURRIED = Pace()
"""As fast as it goes. It keeps no state, so that it may be shared."""
