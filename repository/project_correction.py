"""Entries about what a file is, as an officer says → rows of the catalogue. They win, also over later versions."""

from __future__ import annotations

import json
from sqlite3 import Connection

from repository.rows import put
from storage.event import Event
from storage.vault import Vault

_APPLY = """
update files set puids = ?, mime = ?, basis = 'officer' where aip = ? and path = ? and digest = ? and basis != ''
"""


def corrected(db: Connection, vault: Vault, entry: int, event: Event) -> None:
    said = {name: str(event.detail.get(name, "")) for name in ("path", "puid", "mime", "why")}
    row = {"aip": event.object, "digest": f"sha256:{event.detail.get('sha256', '')}", **said}
    before = event.detail.get("was")
    was = json.dumps([str(puid) for puid in before] if isinstance(before, list) else [])
    times = {"time": event.time, "agent": event.agent, "entry": entry}
    put(db, "corrections", {**row, "was": was, **times})
    apply(db, event.object)


def apply(db: Connection, aip: str) -> None:
    """What was said of an AIP's files counts for every version that has them; call after one was taken in."""
    query = "select puid, mime, path, digest from corrections where aip = ?"
    for puid, mime, path, digest in db.execute(query, (aip,)).fetchall():
        db.execute(_APPLY, (json.dumps([puid]), mime, aip, path, digest))
