"""work/state.db: the deliveries that have a number and no end yet, and where they lie.

It is no record: where it is lost, what was in flight is begun again, and somebody has to say where it lies.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.pipeline import Delivery
from ingest.terms import Terms

_TABLE = """
create table if not exists deliveries (
    accession text primary key, path blob not null, metadata blob, manifest blob, said text not null)
"""


class InFlight:
    """Opened for each question; several processes may ask. Raises sqlite3.OperationalError of the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, accession: str, delivery: Delivery) -> None:
        """Remember what was asked for, durable on return."""
        said: dict[str, object] = {"title": delivery.title, "producer": delivery.producer, "kind": delivery.kind}
        said |= {"terms": delivery.terms.told(), "override": delivery.override}
        places = [
            os.fsencode(at.absolute()) if at else None for at in (delivery.path, delivery.metadata, delivery.manifest)
        ]
        with self._open() as db:
            row = (accession, *places, json.dumps(said))
            db.execute("insert or replace into deliveries values (?, ?, ?, ?, ?)", row)

    def get(self, accession: str) -> Delivery | None:
        """What was asked for; None where it is not known any more."""
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
        )  # fmt: skip

    def forget(self, accession: str) -> None:
        with self._open() as db:
            db.execute("delete from deliveries where accession = ?", (accession,))

    def all(self) -> list[str]:
        """The numbers of the accessions that are remembered, in their order."""
        with self._open() as db:
            return [row[0] for row in db.execute("select accession from deliveries order by accession")]

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


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=60.0)
    try:
        db.execute(_TABLE)
    except BaseException:
        db.close()
        raise
    return db
