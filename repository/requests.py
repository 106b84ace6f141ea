"""Requests, legal holds and what a deletion would take away, as questions to the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repository.catalogue import Catalogue
from repository.disposal import Hold, Plan, Request
from repository.errors import UnknownHold, UnknownRequest
from storage.store import Store

SHOWN = 10  # AIPs named that share blobs with one
_REQUESTS = (
    "select request, aip, accession, state, due, reason, requested, requested_by, requested_user, approved,"
    " approved_by, policy, exists (select 1 from holds h where h.aip = r.aip and released = '') as held from requests r"
)
_HOLDS = "select hold, aip, accession, reason, since, agent from holds where released = ''"
_KEPT = "(exists (select 1 from files o where o.digest = f.digest and o.aip != f.aip)" + (
    " or exists (select 1 from evidence e where e.digest = f.digest))"
)
_BLOBS = f"select digest, max(size) as size, {_KEPT} as kept from files f where aip = ? group by digest"
_SHARING = (
    "select distinct o.aip from files f join files o on o.digest = f.digest and o.aip != f.aip where f.aip = ?"
    " order by o.aip"
)


def requests(catalogue: Catalogue) -> Iterator[Request]:
    """Yield every request that was ever made, in the order of their numbers."""
    for row in catalogue.rows(f"{_REQUESTS} order by entry"):
        yield _request(row)


def request(catalogue: Catalogue, name: str) -> Request:
    """One request; raise UnknownRequest."""
    row = catalogue.one(f"{_REQUESTS} where request = ?", name.strip().upper())
    if row is None:
        raise UnknownRequest(name)
    return _request(row)


def open_request(catalogue: Catalogue, aip: str) -> Request | None:
    """An AIP's request that was neither withdrawn nor carried out; there is one at most."""
    row = catalogue.one(f"{_REQUESTS} where aip = ? and state in ('requested', 'approved')", aip)
    return _request(row) if row else None


def holds(catalogue: Catalogue, aip: str = "") -> list[Hold]:
    """The holds in force, on every AIP or on one, in the order of their numbers."""
    query = f"{_HOLDS} and (aip = ?1 or ?1 = '') order by entry"
    return [Hold(**row) for row in catalogue.rows(query, aip)]


def hold(catalogue: Catalogue, name: str) -> Hold:
    """One hold in force; raise UnknownHold."""
    found = catalogue.one(f"{_HOLDS} and hold = ?", name.strip().upper())
    if found is None:
        raise UnknownHold(name, [one.hold for one in holds(catalogue)])
    return Hold(**found)


def next_number(catalogue: Catalogue, letter: str, year: int) -> str:
    """The next number of the year: D-2026-0001 for a request, H-2026-0001 for a hold. Ask under the commit lock."""
    table, column = {"D": ("requests", "request"), "H": ("holds", "hold")}[letter]
    query = f"select max(cast(substr({column}, 8) as integer)) as last from {table} where {column} like ?"
    row = catalogue.one(query, f"{letter}-{year}-%")
    return f"{letter}-{year}-{((row['last'] if row else 0) or 0) + 1:04d}"


def plan(catalogue: Catalogue, aip: str, copies: Sequence[Store]) -> Plan:
    """What the deletion of an AIP would take away, with all versions that it has at this moment."""
    told = catalogue.one("select accession, title, versions from aips where aip = ?", aip)
    assert told is not None  # it was resolved
    counts = catalogue.one(
        "select coalesce(sum(not kept), 0) as blobs, coalesce(sum(size * not kept), 0) as bytes,"
        f" coalesce(sum(kept), 0) as shared_blobs, coalesce(sum(size * kept), 0) as shared_bytes from ({_BLOBS})",
        aip,
    )
    sharing = [row["aip"] for row in catalogue.rows(_SHARING, aip)]
    return Plan(
        aip=aip, **told, **(counts or {}), shared_with=tuple(sharing[:SHOWN]), shared_with_total=len(sharing),
        copies={store.name: store.keeps_all for store in copies if store.keeps_all},
    )  # fmt: skip


def _request(row: dict[str, object]) -> Request:
    return Request(**{**row, "held": bool(row["held"])})  # type: ignore[arg-type]  # the query names its columns
