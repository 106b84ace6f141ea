"""The AIP that a delivery is added to: what its last version has, what the delivery would cover of it, what stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ingest import member
from ingest.finding import Finding, error
from ingest.sip import Sip
from ingest.terms import ADD, Terms
from ingest.worklist import Placed, Worklist
from storage import bag
from storage.aip import Record, parse_aip
from storage.namemap import parse_lines
from storage.names import escape_path
from storage.receive import lines
from storage.vault import Vault

_CLASHES = (
    "select i.name from items i join held_names h on h.name = i.name where h.kind != i.kind order by i.name",
    "select name from items i where kind = 'file' and exists"
    " (select 1 from held h where h.place > i.place || '/' and h.place < i.place || '0') order by name",
    "select name from items i where kind != 'folder' and exists (select 1 from held_names h"
    " where h.name > cast(i.name || '/' as blob) and h.name < cast(i.name || '0' as blob)) order by name",
)
"""What names an item of the delivery that cannot lie beside what the AIP has: another kind of thing has its name, or
lies in it."""
_REMEMBERED = 10_000  # folders: files mostly come folder by folder


@dataclass(frozen=True, slots=True)
class Held:
    """`last` is the record of the AIP's last version; `how` is "add", where no file takes the place of another, or
    "replace"."""

    vault: Vault
    last: Record
    how: str

    @property
    def submission(self) -> str:
        """Where the evidence of this delivery lies in the bag."""
        return f"{bag.SUBMISSION}v{self.last.version + 1}/"

    def named(self) -> tuple[str, str]:
        """Its title and producer."""
        tags = {line.path: line.digest for line in self.vault.tag_files(self.last)}
        told = dict(bag.parse_info(self.vault.read(tags[bag.INFO]).decode()))
        return told.get("External-Description", ""), told.get("Source-Organization", "")

    def beside(self, worklist: Worklist, sip: Sip) -> Iterator[Finding]:
        """Put on the worklist what the last version has, and yield why a delivery cannot lie beside it."""
        if sip.ocfl:
            told = "It is an OCFL object, whose versions are those of an AIP of its own: take it in without --into."
            yield error("ocfl-into", told)
        self._load(worklist)
        yield from self._clashes(worklist)

    def _load(self, worklist: Worklist) -> None:
        """For the questions below; the delivery's evidence comes to lie apart from that of deliveries before it."""
        worklist.move(bag.SUBMISSION, self.submission)
        worklist.hold(self.vault.payload(self.last))
        maps = worklist.held(f"{bag.PRESERVATION}names-v")
        for _, digest in sorted(maps, key=lambda one: bag.names_version(one[0])):
            with self.vault.open(digest) as stream:
                worklist.hold_names((item.name, item.kind) for item in parse_lines(lines(stream)))

    def _clashes(self, worklist: Worklist) -> Iterator[Finding]:
        if self.how == ADD:
            for (name,) in worklist.select(
                "select i.name from items i join held h on h.place = i.place where h.digest != i.digest order by name"
            ):
                yield _covered(name, "The AIP has another file there, which --replace would let it cover")
        for query in _CLASHES:
            for (name,) in worklist.select(query):
                yield _covered(name, "The AIP has something else there, a file, a folder or a link")
        solid = lru_cache(_REMEMBERED)(worklist.held_solid)
        for name in worklist.everything():
            if any(map(solid, member.above(name))):
                yield _covered(name, "The AIP has a file or a link where its path wants a folder")

    def inherit(self, worklist: Worklist, *, described: bool) -> None:
        """Take over what the delivery does not cover; with `described`, not the AIP's description."""
        for place, digest in worklist.held_still():
            if not (described and place.startswith(bag.DUBLIN_CORE)):
                worklist.made(Placed(place, digest, self.vault.size(digest)))


def held(vault: Vault, terms: Terms) -> Held | None:
    """The AIP that terms name; None where the delivery becomes one of its own. Raises Deleted, NotFound."""
    if not terms.into:
        return None
    return Held(vault, vault.records(parse_aip(terms.into))[-1], terms.how)


def _covered(name: bytes, why: str) -> Finding:
    return error("path-held", f"{why}.", escape_path(name))
