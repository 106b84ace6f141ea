"""What no copy has whole any more, by the names that people know, and what can be asked of whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fixity.repair import NOWHERE, Mend
from repository.catalogue import Catalogue
from storage import layout

_MOST = 10  # AIPs that are told of for one blob: some are in every AIP
_HELD = (
    "select f.aip, a.accession, a.title, a.producer, f.path, f.original_name, f.derived_from, f.content"
    " from files f join aips a on a.aip = f.aip where f.digest = ?"
    " group by f.aip, f.path order by f.content desc, a.accession, f.aip, f.path limit ?"
)
_AIP = "select aip, accession, title, producer from aips where aip = ?"
_HELPS = "`tianyi repair --from FILE`"
_ELSEWHERE = f"a copy that was retired, or a backup of one, may have it; then {_HELPS}"


@dataclass(frozen=True, slots=True)
class Loss:
    """A file of an AIP, or something that no AIP has as a file, that is damaged in these copies and whole in none.

    `file` is the name that its producer gave it, or else its path in the bag; `ask` is a sentence: what can be done.
    """

    key: str
    digest: str
    bytes: int
    copies: Sequence[str]
    aip: str = ""
    accession: str = ""
    title: str = ""
    producer: str = ""
    file: str = ""
    ask: str = ""


def losses(catalogue: Catalogue, beyond: Iterable[Mend], away: Sequence[str] = ()) -> Iterator[Loss]:
    """Yield each loss once, by key, whichever copies it is damaged in; copies that are `away` may still have it."""
    lost: dict[str, list[Mend]] = {}
    for mend in beyond:
        if mend.why == NOWHERE:
            lost.setdefault(mend.damage.expected.key, []).append(mend)
    first = "".join(f"bring back {name}, which is away; else " for name in away)
    for _, mends in sorted(lost.items()):
        for loss in _told(catalogue, mends):
            yield replace(loss, ask=first + loss.ask)


def _told(catalogue: Catalogue, mends: Sequence[Mend]) -> Iterator[Loss]:
    expected = mends[0].damage.expected
    copies = tuple(mend.damage.copy for mend in mends)
    loss = Loss(expected.key, str(expected.digest), expected.size, copies, ask=_ELSEWHERE)
    if name := layout.record_name(expected.key):
        known = catalogue.one(_AIP, f"urn:uuid:{name[0]}") or {}
        yield replace(loss, **known)
        return
    files = list(catalogue.rows(_HELD, loss.digest, _MOST)) if layout.blob_digest(expected.key) else []
    yield from (_of_file(loss, row) for row in files)
    if not files:
        yield loss


def _of_file(loss: Loss, row: Mapping[str, Any]) -> Loss:
    """What was delivered is asked of its producer; what was made here may be in something that was given out."""
    known = {name: row[name] for name in ("aip", "accession", "title", "producer")}
    loss = replace(loss, **known, file=row["original_name"] or row["path"])
    if row["content"] and row["original_name"]:
        whom = row["producer"] or "the producer"
        what = f"{loss.file}, accession {loss.accession}, {loss.bytes:,} bytes, SHA-256 {loss.digest[7:]}"
        return replace(loss, ask=f"ask {whom} for {what}; then {_HELPS}")
    made = f"was made here from {row['derived_from']}" if row["derived_from"] else "was written here"
    ask = f"{loss.file} of {loss.accession} {made}: whoever has a bag of it that was given out has it; then {_HELPS}"
    return replace(loss, ask=ask)
