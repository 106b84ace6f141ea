"""ClamAV's clamd as a scanner: files are streamed to it over a socket (clamd(8): IDSESSION, INSTREAM), many over one
connection. Whatever it does, an ingest goes on; a file of which it has not said "OK" or "FOUND" was not scanned."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ingest.scan import Engine, Outcome, Scan, Unscanned, Verdict
from ingest.scan_line import Broken, Line, connect, parse_address

SILENT = 60.0  # seconds for which a clamd that did not answer is not asked again: other files need not wait for it too
_DEEP = 150  # archives inside one another: beyond any MaxRecursion
_FOUND = re.compile(r"stream: (.+) FOUND")
_NOT_READ = ("Heuristics.Limits.Exceeded", "Heuristics.Encrypted")
"""What clamd "finds" in a file that it has not looked through: AlertExceedsMax and AlertEncrypted of clamd.conf."""
_MOST = 2**31 - 1  # bytes of a file that ClamAV can read (clamd.conf(5), MaxFileSize), whatever it says of a longer one
_VERSION = re.compile(r"ClamAV ([^/ ]+)(?:/([0-9]+)/(.+))?")


class Clamd:
    """The clamd at an address, `unix:/PATH` or `tcp:HOST:PORT`. One file may keep us waiting for `seconds` in all.

    Each scan has a connection to itself; those that went well are used again. Raises ValueError for an address that is
    none.
    """

    def __init__(self, address: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = parse_address(address)
        self.address, self._seconds, self._clock = address, seconds, clock
        self._idle: list[Line] = []
        self._silent, self._until = "", 0.0

    def engine(self) -> Engine:
        """Ask for its version, and whether it tells of files that its limits kept it from reading."""
        try:
            line = self._line()
            told = line.ask(b"zVERSION\0")
            self._keep(line)
            version, signatures, dated = read_version(told)
        except (OSError, Broken) as error:
            return Engine("ClamAV", missing=self._why(error))
        return Engine("ClamAV", version, signatures, dated, self._tells_limits())

    @contextmanager
    def scan(self) -> Iterator[Scan]:
        """Begin with a file; leave it before its end, and the connection is closed."""
        try:
            line = self._line()
        except (OSError, Broken) as error:
            yield Unscanned(self._why(error))
            return
        scan = _Streamed(line, self._why)
        try:
            yield scan
        finally:
            self._keep(line) if scan.is_over else line.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _line(self) -> Line:
        """A connection that nothing waits on; raise OSError or Broken."""
        while self._idle:
            if (line := self._idle.pop()).is_quiet():
                line.patience = self._seconds
                return line
            line.close()  # clamd hangs up on those who say nothing for a while
        began = self._clock()
        if began < self._until:
            raise Broken(self._silent)
        try:
            return connect(self._place, self._seconds, self._clock)
        except OSError as error:
            if self._clock() - began > 1:
                raise TimeoutError(error.strerror or str(error)) from error
            raise

    def _keep(self, line: Line) -> None:
        self._idle.append(line)

    def _why(self, error: Exception) -> str:
        """In words; a clamd that has kept us waiting is left alone for a while."""
        if (told := str(getattr(error, "strerror", None) or error)) == self._silent:
            return told
        why = f"clamd at {self.address}: {told}"
        if isinstance(error, TimeoutError):
            self._silent, self._until = why, self._clock() + SILENT
        return why

    def _tells_limits(self) -> bool:
        """Whether it tells of an archive that is deeper than it looks."""
        with self.scan() as scan:
            for _ in scan.through([_deep()]):
                pass
            verdict = scan.verdict()
        return verdict is not None and "Limits.Exceeded" in verdict.told


class _Streamed:
    """One file on its way through a connection."""

    def __init__(self, line: Line, why: Callable[[Exception], str]) -> None:
        self._line, self._why = line, why
        self._verdict: Verdict | None = None
        self._size = 0
        self.is_over = False

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        self._trying(self._line.begin)
        for part in parts:
            self._size += len(part)
            self._trying(lambda part=part: self._line.send(part))  # type: ignore[misc]
            yield part
        self._trying(self._line.end)

    def verdict(self) -> Verdict:
        if self._verdict is None:
            try:
                self._verdict = read_answer(self._line.answer(), self._size)
                self.is_over = True
            except (OSError, Broken) as error:
                self._fail(error)
        assert self._verdict is not None  # one or the other was said
        return self._verdict

    def _trying(self, act: Callable[[], None]) -> None:
        """Nothing more is sent after what has failed; why, clamd may have said before it hung up."""
        if self._verdict is None:
            try:
                act()
            except (OSError, Broken) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        said = self._line.last_words()
        self._verdict = Verdict(Outcome.NOT_SCANNED, said.removesuffix(".") or self._why(error))


def read_version(told: str) -> tuple[str, str, datetime | None]:
    """The program's version, its signatures' ("" where it has none) and when those were made; raise Broken."""
    if not (known := _VERSION.fullmatch(told)):
        raise Broken(f"it calls itself {told!r}")
    return known[1], known[2] or "", _dated(known[3])


def read_answer(told: str, size: int) -> Verdict:
    """The verdict in clamd's answer to INSTREAM of so many bytes; raise Broken where it is none."""
    if told == "stream: OK" and size > _MOST:
        return Verdict(Outcome.NOT_SCANNED, "ClamAV reads no file of 2 GiB or more")
    if told == "stream: OK":
        return Verdict(Outcome.CLEAN)
    if not (found := _FOUND.fullmatch(told)):
        raise Broken(f"it answered {told!r}")
    if found[1].startswith(_NOT_READ):
        return Verdict(Outcome.NOT_SCANNED, f"clamd says {found[1]}")
    return Verdict(Outcome.INFECTED, found[1])


def _deep() -> bytes:
    """An archive in an archive, and so on."""
    data = b"Tianyi asks how deep clamd looks."
    for _ in range(_DEEP):
        data = gzip.compress(data, mtime=0)
    return data


def _dated(told: str | None) -> datetime | None:
    """When the signatures were made: ctime(3), in the machine's own time."""
    try:
        return datetime.strptime(told or "", "%a %b %d %H:%M:%S %Y").astimezone(UTC)
    except ValueError:
        return None
