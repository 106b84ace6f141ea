"""Names of a version whose files came in several deliveries: each file has one, and no two files have the same."""

from __future__ import annotations

from contextlib import suppress
from sqlite3 import Connection

from storage.aip import Record
from storage.errors import Damaged, NotFound
from storage.vault import Vault

_STALE = (
    "delete from named where kind = 'file' and path not in (select path from bagged)",
    "delete from named where kind != 'file' and exists"
    " (select 1 from named n where n.name = named.name and n.kind = 'file')",
    "create index named_path on named (path)",
    "create table came (path text primary key, digest text, version integer) without rowid",
)
_DOUBTFUL = (
    "insert into came select path, digest, ? from bagged where path in"
    " (select path from named where kind = 'file' group by path having count(*) > 1)"
)
_OLDER = "update came set version = ?1 where path = ?2 and digest = ?3 and version = ?1 + 1"
_OTHERS = (
    "delete from named where kind = 'file' and path in (select path from came) and name !="
    " (select n.name from named n join came c on c.path = n.path where n.path = named.path"
    "  order by version between first and last desc, first desc limit 1)"
)
_SECOND = (
    "create table second as select name, path, first from named where kind = 'file' and exists"
    " (select 1 from named n where n.name = named.name and (n.first, n.path) < (named.first, named.path))"
)


def settle(db: Connection, vault: Vault, record: Record) -> None:
    """Leave each file of `bagged` one row of `named`: under the name that its bytes came by, as PREMIS has it; where
    files of several deliveries have one name, the first keeps it, and later ones go to a folder of their delivery."""
    for statement in _STALE:
        db.execute(statement)
    if db.execute(_DOUBTFUL, (record.version,)).rowcount:
        _date(db, vault, record)
        db.execute(_OTHERS)
    db.execute(_SECOND)
    folders = {version: _folder(db, version) for (version,) in db.execute("select distinct first from second")}
    rows = db.execute("select name, path, first from second")
    moves = ((name, folders[version] + name, name, path) for name, path, version in rows)
    db.executemany("update named set was = ?, name = ? where name = ? and path = ?", moves)


def _date(db: Connection, vault: Vault, record: Record) -> None:
    """Find since which version each doubtful file has had its bytes. Where what is older cannot be read any more, the
    newest name has to do: it is no reason to give out nothing."""
    with suppress(NotFound, Damaged):
        for older in reversed(vault.records(record.uuid)[: record.version - 1]):
            lines = ((older.version, line.path, str(line.digest)) for line in vault.payload(older))
            db.executemany(_OLDER, lines)


def _folder(db: Connection, version: int) -> bytes:
    """`delivery-v<N>/`, and what it takes to be a name that nothing has."""
    folder = f"delivery-v{version}".encode()
    query = "select 1 from named where name = ?1 or (name > ?2 and name < ?3)"
    while db.execute(query, (folder, folder + b"/", folder + b"0")).fetchone():
        folder += b"+"
    return folder + b"/"
