"""The files that an E-ARK package's METS refers to: what it says of them goes on the worklist as claims."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ingest.finding import Finding, error, warning
from ingest.seen import Seen
from ingest.sip_eark_judge import Reference
from ingest.sip_eark_terms import ALGORITHMS
from ingest.worklist import Worklist
from storage.digest import Digest
from storage.namemap import Kind
from storage.names import escape_path

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(slots=True)
class References:
    """Takes references in; `seen` are the names that any document of the package refers to."""

    worklist: Worklist
    base: bytes
    seen: Seen

    def take(self, reference: Reference, mets: bytes) -> Iterator[Finding]:
        """Claim what is said of a file, relative to the METS document of that name; yield what cannot be so."""
        shown, codes, href = escape_path(mets.removeprefix(self.base)), reference.codes, reference.href
        if not href:
            return
        if _SCHEME.match(_local(href)):
            yield warning(codes.href, f"{_short(href)} lies outside the package: it was not looked for.", shown)
        elif (name := self.find(href, mets)) is None:
            yield error(codes.href, f"{_short(href)} leads out of the package.", shown)
        elif (there := self._file(name, reference.size)) is None:
            yield error(codes.href, f"{_short(href)} is not there.", shown)
        else:
            if there[0] != name:
                other = escape_path(there[0].removeprefix(self.base))
                yield warning(codes.href, f"{_short(href)} is not there but by another case or form: {other}.", shown)
            self.seen.add(there[0])
            yield from self._said(reference, *there, shown)

    def _file(self, name: bytes, size: str) -> tuple[bytes, int] | None:
        """The name and bytes of the file that is meant: that one, or one of the size that is told whose name differs by
        case or form alone, as of packages that were made where that makes no difference."""
        if (item := self.worklist.item(name)) and item.kind is Kind.FILE:
            return name, item.size
        other = self.worklist.alike(name)
        item = self.worklist.item(other) if other else None
        return (item.name, item.size) if item and str(item.size) == size else None

    def _said(self, reference: Reference, name: bytes, size: int, shown: str) -> Iterator[Finding]:
        codes, path = reference.codes, escape_path(name.removeprefix(self.base))
        if reference.size and reference.size.lstrip("0") != str(size).lstrip("0"):
            yield error(codes.size, f"It has {size} bytes; {shown} says {_short(reference.size)}.", path)
        if not reference.digest or not reference.algorithm:
            return
        if (algorithm := ALGORITHMS.get(reference.algorithm)) is None:
            yield warning(codes.algorithm, f"{_short(reference.algorithm)} is not computed: not checked.", path)
            return
        try:
            claimed = Digest(algorithm, reference.digest.lower())
        except ValueError:
            yield error(codes.digest, f"What {shown} says is no {reference.algorithm} digest.", path)
        else:
            self.worklist.claim([(name, claimed, f"{codes.digest} {shown}", 0)])

    def find(self, href: str, mets: bytes) -> bytes | None:
        """The package's name for a reference, as it is or with %XX decoded; None where it leads out."""
        local = _local(href)
        folder = mets.rpartition(b"/")[0]
        found = None
        for path in dict.fromkeys((local.encode("utf-8", "surrogateescape"), unquote_to_bytes(local))):
            name = posixpath.normpath(posixpath.join(folder, path))
            if name.startswith(self.base) and not name.startswith((b"/", b"..")):
                found = found or name
                if self.worklist.item(name):
                    return name
        return found


def _local(href: str) -> str:
    """A reference without what says that it is a file."""
    for prefix in ("file:///", "file://", "file:"):
        href = href.removeprefix(prefix)
    return href


def _short(text: str) -> str:
    return escape_path(text[:200].encode("utf-8", "surrogateescape"))
