"""work/state.db: the deliveries that have a number and no end yet, and where they lie; what came from drop folders.

It is no record: where it is lost, what was in flight is begun again, and somebody has to say where it lies.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingest.terms import Terms
from storage.names import escape_path

if TYPE_CHECKING:
    from ingest.delivery import Delivery
    from ingest.drop_folder import Entry

_TABLES = (
    "create table if not exists deliveries (accession text primary key, path blob not null, metadata blob,"
    " manifest blob, said text not null)",
    "create table if not exists drops (accession text primary key, folder blob not null, name blob not null,"
    " inode integer not null, snapshot text not null)",
)
_TAKEN = """
select accession, snapshot != :snapshot from drops
where folder = :folder and ((snapshot = :snapshot and (inode = :inode or name = :name))
                            or (snapshot != :snapshot and inode = :inode and name = :name))
order by snapshot = :snapshot desc, accession desc limit 1
"""


class Taken(NamedTuple):
    """As which accession an entry of a drop folder was taken in, and whether it has changed since."""

    accession: str
    changed: bool


class InFlight:
    """Opened for each question; several processes may ask. Raises sqlite3.OperationalError of the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, accession: str, delivery: Delivery, dropped: Entry | None = None) -> None:
        """Remember what was asked for before an accession gets its number, durable on return: whoever had it before
        never got it. `dropped` is the entry of a drop folder that it is."""
        self._write(accession, delivery, dropped, anew=True)

    def put(self, accession: str, delivery: Delivery) -> None:
        """Remember what was asked for, durable on return."""
        self._write(accession, delivery)

    def _write(self, accession: str, delivery: Delivery, dropped: Entry | None = None, *, anew: bool = False) -> None:
        said: dict[str, object] = {"title": delivery.title, "producer": delivery.producer, "kind": delivery.kind}
        said |= {"terms": delivery.terms.told(), "override": delivery.override, "follow": delivery.follow}
        places = [_raw(at) if at else None for at in (delivery.path, delivery.metadata, delivery.manifest)]
        with self._open() as db:
            if anew:
                db.execute("delete from drops where accession = ?", (accession,))
            row = (accession, *places, json.dumps(said))
            db.execute("insert or replace into deliveries values (?, ?, ?, ?, ?)", row)
            if dropped:
                found = (accession, _raw(delivery.path.parent), dropped.name, dropped.inode, dropped.snapshot)
                db.execute("insert or replace into drops values (?, ?, ?, ?, ?)", found)

    def get(self, accession: str) -> Delivery | None:
        """What was asked for; None where it is not known any more."""
        from ingest.delivery import Delivery

        query = "select said, path, metadata, manifest from deliveries where accession = ?"
        with self._open() as db:
            row = db.execute(query, (accession,)).fetchone()
        if row is None:
            return None
        said = json.loads(row[0])
        path, metadata, manifest = (Path(os.fsdecode(at)) if at else None for at in row[1:])
        return Delivery(
            path=path or Path(), title=said["title"], producer=said["producer"], kind=said["kind"],
            override=said["override"], metadata=metadata, manifest=manifest, terms=Terms(**said["terms"]),
            follow=said.get("follow", True),
        )  # fmt: skip

    def forget(self, accession: str) -> None:
        with self._open() as db:
            _forget(db, accession)

    def withdraw(self, accession: str) -> None:
        """Forget it whole: it never got its number, and what lies in a drop folder was not taken."""
        with self._open() as db:
            _forget(db, accession)
            db.execute("delete from drops where accession = ?", (accession,))

    def all(self) -> list[str]:
        """The numbers of the accessions that are remembered, in their order."""
        with self._open() as db:
            return [row[0] for row in db.execute("select accession from deliveries order by accession")]

    def taken(self, folder: Path, entry: Entry) -> Taken | None:
        """As what an entry was taken in; None where it was not.

        It is known by its content's names, sizes and times, and its own name or inode: whoever renames it has not
        delivered it again. One with the same name and inode is it too, and has changed; one that took its place is
        another.
        """
        known = {"folder": _raw(folder), "name": entry.name, "inode": entry.inode, "snapshot": entry.snapshot}
        with self._open() as db:
            row = db.execute(_TAKEN, known).fetchone()
        return Taken(row[0], bool(row[1])) if row else None

    def dropped(self, folder: Path) -> dict[str, bytes]:
        """The accessions that were taken from a drop folder, and the names that they had there."""
        with self._open() as db:
            return dict(db.execute("select accession, name from drops where folder = ?", (_raw(folder),)))

    def entries(self) -> dict[str, str]:
        """The paths (escaped) in drop folders that accessions were taken from."""
        with self._open() as db:
            rows = db.execute("select accession, folder, name from drops").fetchall()
        return {accession: escape_path(os.path.join(folder, name)) for accession, folder, name in rows}

    def names(self) -> dict[str, str]:
        """What to call deliveries that are not at their end: the title that was said, else the name (escaped)."""
        with self._open() as db:
            rows = db.execute("select accession, path, json_extract(said, '$.title') from deliveries").fetchall()
        return {accession: title or escape_path(os.path.basename(path)) for accession, path, title in rows}

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a file that is no database of ours is begun anew."""
        with closing(self._connected()) as db, db:
            yield db

    def _connected(self) -> sqlite3.Connection:
        try:
            return _connected(self._path)
        except sqlite3.OperationalError:  # the disk's fault, or another process's
            raise
        except sqlite3.DatabaseError:
            os.unlink(self._path)
            return _connected(self._path)


def _forget(db: sqlite3.Connection, accession: str) -> None:
    db.execute("delete from deliveries where accession = ?", (accession,))


def _raw(path: Path) -> bytes:
    return os.fsencode(path.absolute())


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=60.0)
    try:
        for table in _TABLES:
            db.execute(table)
    except BaseException:
        db.close()
        raise
    return db
