"""An E-ARK package (CSIP and SIP 2.x) as a SIP: its METS documents against the rules, their claims on the worklist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest import checks, sip_eark_folders
from ingest.describe import LARGEST, DublinCore
from ingest.finding import Finding, Severity, error, warning
from ingest.mets import NotMets, nodes
from ingest.seen import Seen
from ingest.sip_eark_description import KINDS, core
from ingest.sip_eark_folders import METS
from ingest.sip_eark_judge import Around, Document, Judge, Reference
from ingest.sip_eark_references import References
from ingest.source import open_source
from ingest.top_folder import top_folder
from ingest.worklist import Worklist
from storage.namemap import Kind
from storage.names import escape_path
from storage.receive import chunks

_LARGEST = 4 << 30  # bytes of a METS document that is read; one of a million files has half of one
_HEAD = 64 * 1024  # bytes of it that say whether it is E-ARK's
_MARKS = (b"dilcis", b"e-ark", b"eark")


@dataclass(frozen=True, slots=True)
class Eark:
    """A package as its METS describes it: its folder (b"" or ending in "/"), what the root document says, the Dublin
    Core that follows from it, the names that some document refers to, and which documents were read."""

    base: bytes
    document: Document
    core: DublinCore
    seen: Seen
    read: tuple[bytes, ...]


def find_base(worklist: Worklist) -> bytes | None:
    """The folder that is a package: what was delivered (b"") or its only folder; None where it is neither. One without
    METS.xml is a package all the same, and an invalid one, when its folders lie as in one."""
    if _looks_like_eark(worklist, b""):
        return b""
    base = top_folder(worklist)
    return base if base and _looks_like_eark(worklist, base) else None


def read(worklist: Worklist, base: bytes, name: str, *, packed: bool) -> Eark:
    """Put the package's claims and findings on the worklist. It came as `name`, `packed` in an archive or not."""
    references = References(worklist, base, Seen())
    worklist.tell(sip_eark_folders.check(worklist, base))
    files: dict[str, bytes] = {}
    inner = [folder + METS for folder in sip_eark_folders.representations(worklist, base)]
    mets = [one for one in (base + METS, *inner) if (item := worklist.item(one)) and item.kind is Kind.FILE]
    described = frozenset(one.split(b"/")[-2].decode("utf-8", "replace") for one in mets if one != base + METS)
    root = Document()
    for one in mets:
        only = "root" if one == base + METS else "representation"
        document = _document(worklist, references, one, _around(worklist, base, one, only, described), files)
        root = document if only == "root" else root
    worklist.tell(_named(root, base, name, packed=packed))
    return Eark(base, root, core(root, files), references.seen, tuple(mets))


def check(worklist: Worklist, eark: Eark, now: datetime | None) -> Iterator[Finding]:
    """Yield what is altered, what no document refers to, and what is of the future, once every file was examined."""
    for path, algorithm, origin in checks.altered(worklist):
        code, _, mets = origin.partition(" ")
        shown = path.removeprefix(escape_path(eark.base))
        yield Finding(code, Severity.ERROR, shown, f"Its {algorithm} digest is not the one in {mets}.")
    if eark.read:
        for name in worklist.names(eark.base):
            if name not in eark.seen and name not in eark.read and not name.rpartition(b"/")[2].startswith(b"."):
                yield warning("CSIP58", "No METS document refers to it.", escape_path(name.removeprefix(eark.base)))
    if now and _is_after(eark.document.modified, now):
        yield error("CSIP8", f"@LASTMODDATE is {eark.document.modified}, which is yet to come.", METS.decode())


def _document(
    worklist: Worklist, references: References, mets: bytes, around: Around, files: dict[str, bytes]
) -> Document:  # fmt: skip
    """Judge one METS document; one that cannot be read to its end is a finding, and what was read of it counts."""
    judge = Judge(around)
    source = worklist.source(mets, _LARGEST)
    try:
        if source is None:
            raise NotMets(f"it has more than {_LARGEST} bytes")
        with suppress(OSError), open_source(source) as stream:  # examination says so
            for node in nodes(chunks(stream)):
                for reference in judge.take(node):
                    worklist.tell(references.take(reference, mets))
                    _keep(worklist, references, reference, mets, files)
    except NotMets as failure:
        worklist.tell([error("mets-invalid", f"It is no METS document: {failure}.", around.path)])
    worklist.tell(judge.findings())
    return judge.document


def _keep(
    worklist: Worklist, references: References, reference: Reference, mets: bytes, files: dict[str, bytes]
) -> None:  # fmt: skip
    """Remember the first file of each kind of descriptive metadata, the root's before those of representations."""
    if reference.kind in KINDS and reference.kind not in files and (name := references.find(reference.href, mets)):
        files[reference.kind] = worklist.read(name, LARGEST) or b""


def _around(worklist: Worklist, base: bytes, mets: bytes, only: str, described: frozenset[str]) -> Around:
    folder = mets.removesuffix(METS)
    within: dict[bytes, dict[str, bytes]] = {}

    def has_folder(use: str) -> bool:
        """Whether there is such a folder; each folder on the way is listed once."""
        at = base
        for step in filter(None, use.split("/")):
            if at not in within:
                within[at] = _by_fold(worklist, at)
            if (name := within[at].get(step.casefold())) is None:
                return False
            at += name + b"/"
        return True

    holds = sip_eark_folders.holding(worklist, folder)
    return Around(escape_path(mets.removeprefix(base)), only, holds, has_folder, described)


def _by_fold(worklist: Worklist, folder: bytes) -> dict[str, bytes]:
    """The folders in a folder, by their names without regard to case."""
    names = (name for name, kind in worklist.children(folder) if kind is Kind.FOLDER)
    return {name.decode("utf-8", "replace").casefold(): name for name in names}


def _named(root: Document, base: bytes, name: str, *, packed: bool) -> Iterator[Finding]:
    """CSIPSTR1 and 2: one folder, called as the package."""
    if packed and not base:
        yield error("CSIPSTR1", "The archive does not unpack to one folder.")
    called = escape_path(base.rstrip(b"/")) if base else "" if packed else name
    if root.identifier and called and called != root.identifier:
        yield warning("CSIPSTR2", f"The folder {called} is not called as the package ({root.identifier[:200]}).")


def _looks_like_eark(worklist: Worklist, base: bytes) -> bool:
    if source := worklist.source(base + METS, _LARGEST):
        with suppress(OSError), open_source(source) as stream:
            head = stream.read(_HEAD).lower()
            if b"http://www.loc.gov/mets/" in head and any(mark in head for mark in _MARKS):
                return True
    return sip_eark_folders.looks_like_package(worklist, base)


def _is_after(text: str, now: datetime) -> bool:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (time if time.tzinfo else time.replace(tzinfo=UTC)) > now
