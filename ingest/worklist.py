"""The work on one delivery, on disk and not in memory: its items, what the producer claims, and what we found.

A SQLite file of one run, thrown away at its end; sets are compared by SQL, so that a million files need no more
memory than one. It is no catalogue: nothing here outlives the ingest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.finding import Finding, Severity
from ingest.worklist_bag import Bagged, Placed
from ingest.worklist_facts import Known
from ingest.worklist_names import fold
from storage.digest import Digest

_ORDER = "case severity when 'error' then 0 when 'warning' then 1 else 2 end, code"
__all__ = ["Known", "Placed", "Worklist", "fold"]


class Worklist(Bagged):
    """Items in the order of their names; places (bag paths) in the order of manifests. Not for several threads."""

    def tell(self, findings: Iterable[Finding]) -> None:
        """Take in findings; what they quote of a document may hold half a surrogate pair, which goes as its escape."""
        rows = ((f.severity.value, f.code, _whole(f.path), _whole(f.message)) for f in findings)
        self._db.executemany("insert or ignore into findings values (?, ?, ?, ?)", rows)

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, errors first, then by code and path, each once."""
        query = f"select code, severity, path, message from findings order by {_ORDER}, path, message"
        for code, severity, path, message in self._db.execute(query):
            yield Finding(code, Severity(severity), path, message)

    def codes(self) -> list[tuple[Severity, str, int]]:
        """How many findings there are of each severity and code, errors first, then by code."""
        query = "select severity, code, count(*) from findings group by severity, code"
        rows = self._db.execute(f"{query} order by {_ORDER}")
        return [(Severity(severity), code, count) for severity, code, count in rows]

    def findings_total(self) -> int:
        return int(self._db.execute("select count(*) from findings").fetchone()[0])

    def claim(self, claims: Iterable[tuple[bytes, Digest, str, int]]) -> None:
        """Take in what the producer says: (name, digest, the manifest that says so, its line)."""
        rows = ((name, d.algorithm, d.hexadecimal, origin, line) for name, d, origin, line in claims)
        self._db.executemany("insert into claims values (?, ?, ?, ?, ?)", rows)


def _whole(text: str) -> str:
    """Text that UTF-8, and so SQLite and every report, can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
