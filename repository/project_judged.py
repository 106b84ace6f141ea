"""What format tools said of files, as the `validation` events of PREMIS tell it: the newest word on each file."""

from __future__ import annotations

from sqlite3 import Connection
from typing import TYPE_CHECKING

from ingest.judgement import EVENT
from storage.aip import Record

if TYPE_CHECKING:
    from storage.premis import Happening

OF_FILE = """
coalesce((select case when sum(outcome = 'malformed') then 'malformed' when sum(outcome = 'well-formed')
then 'well-formed' end from judged j where j.aip = f.aip and j.path = f.path and j.version >= f.since), 'not checked')
"""
"""What all tools together say of the file `f` as it is now (ingest.judgement.overall)."""


def is_judgement(found: Happening) -> bool:
    """Whether an event is what one tool says of one file, and not about the AIP as a whole."""
    return found.type == EVENT and bool(found.agents) and any(found.objects)


def put(db: Connection, record: Record, found: Happening) -> None:
    """Take it in; what tools said of the file before counts no more."""
    path, agent = found.objects[0], found.agents[0]
    before = "delete from judged where aip = ? and path = ? and version < ?"
    db.execute(before, (record.aip, path, record.version))
    db.execute(
        "insert or replace into judged (aip, path, tool, version, agent, outcome, note) values (?, ?, ?, ?, ?, ?, ?)",
        (record.aip, path, agent.partition(" ")[0], record.version, agent, found.outcome, found.note),
    )
