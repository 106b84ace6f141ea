"""work/rounds.db: how far the rounds have come that are under way. It is no record: where it is lost, they read again.

A round is written down in the ledger when it ends. One that was killed is found here with all that it had read but
for its last piece.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fixity.audit import Audit, Finding, Piece
from fixity.round import Plan
from storage.digest import Digest

_TABLES = """
create table if not exists rounds (copy text, scope text, plan text not null, reached text not null,
    counts text not null, size integer not null, cached integer not null, primary key (copy, scope)) without rowid;
create table if not exists compared (time text not null);
create table if not exists findings (copy text, scope text, finding text not null);
"""


class UnderWay(NamedTuple):
    """A round as it stands: `reached` is the last key that was read, and `found` what came of all so far."""

    plan: Plan
    reached: str
    found: Audit


@dataclass(frozen=True, slots=True)
class Journal:
    """Opened for each piece; several processes may write, each about rounds of its own. Raises sqlite3.Error of the
    disk."""

    path: Path

    def begin(self, plan: Plan, *, cached: bool) -> UnderWay:
        """Forget what is known of such a round, and begin this one."""
        with self._open() as db:
            _forget(db, plan)
            row = (plan.copy, plan.scope, json.dumps(asdict(plan)), plan.after, "{}", 0, cached)
            db.execute("insert into rounds values (?, ?, ?, ?, ?, ?, ?)", row)
        return UnderWay(plan, plan.after, Audit(plan.copy, cached=cached))

    def note(self, now: UnderWay, piece: Piece) -> UnderWay:
        """Write down what came of the next piece: `now` and it, as it stands then."""
        now.found.add(piece)
        with self._open() as db:
            row = (piece.last, json.dumps(now.found.counts), now.found.size, now.plan.copy, now.plan.scope)
            db.execute("update rounds set reached = ?, counts = ?, size = ? where copy = ? and scope = ?", row)
            texts = ((now.plan.copy, now.plan.scope, _written(one)) for one in piece.findings)
            db.executemany("insert into findings values (?, ?, ?)", texts)
        return now._replace(reached=piece.last)

    def under_way(self) -> Iterator[UnderWay]:
        """Yield the rounds that did not come to their end."""
        with self._open() as db:
            rows = db.execute("select copy, scope, plan, reached, counts, size, cached from rounds").fetchall()
            for copy, scope, plan, reached, counts, size, cached in rows:
                found = Audit(copy, Counter(json.loads(counts)), size, cached=bool(cached))
                query = "select finding from findings where copy = ? and scope = ? order by rowid"
                found.findings.extend(_read(text) for (text,) in db.execute(query, (copy, scope)))
                yield UnderWay(Plan(**json.loads(plan)), reached, found)

    def is_time_to_compare(self, now: datetime) -> bool:
        """Whether a day is over since this was last asked and true: catalogue and vault are compared so often."""
        with self._open() as db:
            [last] = db.execute("select max(time) from compared").fetchone()
            if last and timedelta(0) <= now - datetime.fromisoformat(last) < timedelta(days=1):
                return False
            db.execute("delete from compared")
            db.execute("insert into compared values (?)", (now.isoformat(),))
        return True

    def forget(self, plan: Plan) -> None:
        """It is in the ledger, or of no use."""
        with self._open() as db:
            _forget(db, plan)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=60.0)) as db:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = off")  # a power cut costs reading again; a kill costs nothing
            db.executescript(_TABLES)
            with db:
                yield db


def at(path: Path) -> Journal:
    """The journal there; one that cannot be read is begun anew."""
    journal = Journal(path)
    try:
        list(journal.under_way())
    except sqlite3.OperationalError:  # the disk's fault, or another process's
        raise
    except (sqlite3.DatabaseError, ValueError, TypeError):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return journal


def _forget(db: sqlite3.Connection, plan: Plan) -> None:
    for table in ("rounds", "findings"):
        db.execute(f"delete from {table} where copy = ? and scope = ?", (plan.copy, plan.scope))


def _written(found: Finding) -> str:
    return json.dumps([found.outcome, found.copy, found.key, *map(_text, (found.expected, found.found)), found.why])


def _text(digest: Digest | None) -> str:
    return str(digest or "")


def _read(text: str) -> Finding:
    outcome, copy, key, expected, found, why = json.loads(text)
    return Finding(outcome, copy, key, _digest(expected), _digest(found), why)


def _digest(text: str) -> Digest | None:
    return Digest.parse(text) if text else None
