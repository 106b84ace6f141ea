"""The folders of an E-ARK package (CSIP 2.2.0 §4, CSIPSTR1–16): what should lie where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.finding import Finding, error, info, warning
from ingest.worklist import Worklist
from storage.namemap import Kind
from storage.names import escape_path

METS = b"METS.xml"
_HOLDERS = (b"documentation", b"schemas", b"representations", b"metadata/descriptive", b"metadata/preservation")


def looks_like_package(worklist: Worklist, base: bytes) -> bool:
    """Whether folders lie as in a package, though no METS.xml says so: representations, and beside them a METS.xml that
    says nothing, or metadata, schemas or documentation where there is a representation with data."""
    if not _is_folder(worklist, base + b"representations"):
        return False
    if worklist.item(base + METS):
        return True
    known = any(_is_folder(worklist, base + one) for one in (b"metadata", b"schemas", b"documentation"))
    return known and any(_is_folder(worklist, one + b"data") for one in representations(worklist, base))


def representations(worklist: Worklist, base: bytes) -> list[bytes]:
    """The folders of the representations, each ending in "/"."""
    folder = base + b"representations/"
    return [folder + name + b"/" for name in _folders(worklist, folder)]


def holding(worklist: Worklist, folder: bytes) -> frozenset[str]:
    """Which of a package's folders hold files, but for those that only keep a folder from being empty."""
    return frozenset(one.decode() for one in _HOLDERS if any(map(_is_content, worklist.names(folder + one + b"/"))))


def check(worklist: Worklist, base: bytes) -> Iterator[Finding]:
    """Yield what lies otherwise than the standard says; MUST is an error, SHOULD a warning."""
    names = _folders(worklist, base)
    if worklist.item(base + METS) is None:
        yield error("CSIPSTR4", "There is no METS.xml in the package's folder.", METS.decode())
    if b"metadata" not in names:
        yield warning("CSIPSTR5", "There is no folder metadata.")
    else:
        inner = _folders(worklist, base + b"metadata/")
        if b"preservation" not in inner:
            yield info("CSIPSTR6", "There is no folder metadata/preservation.", "metadata")
        if b"descriptive" not in inner:
            yield info("CSIPSTR7", "There is no folder metadata/descriptive.", "metadata")
    if b"representations" not in names:
        yield warning("CSIPSTR9", "There is no folder representations.")
    found = representations(worklist, base)
    if b"representations" in names and not found:
        yield warning("CSIPSTR10", "No folder in representations is one of a representation.", "representations")
    for folder in found:
        yield from _representation(worklist, folder, escape_path(folder.removeprefix(base).rstrip(b"/")))
    if not any(b"schemas" in _folders(worklist, folder) for folder in (base, *found)):
        yield warning("CSIPSTR15", "There is no folder schemas.")
    if not any(b"documentation" in _folders(worklist, folder) for folder in (base, *found)):
        yield warning("CSIPSTR16", "There is no folder documentation.")


def _representation(worklist: Worklist, folder: bytes, shown: str) -> Iterator[Finding]:
    names = _folders(worklist, folder)
    if b"data" not in names:
        yield warning("CSIPSTR11", "The representation has no folder data.", shown)
    if worklist.item(folder + METS) is None:
        yield warning("CSIPSTR12", "The representation has no METS.xml.", shown)
    if b"metadata" not in names:
        yield warning("CSIPSTR13", "The representation has no folder metadata.", shown)


def _is_folder(worklist: Worklist, name: bytes) -> bool:
    item = worklist.item(name)
    return item.kind is Kind.FOLDER if item else next(worklist.below(name + b"/"), None) is not None


def _folders(worklist: Worklist, folder: bytes) -> Sequence[bytes]:
    return [name for name, kind in worklist.children(folder) if kind is Kind.FOLDER]


def _is_content(name: bytes) -> bool:
    return not name.rpartition(b"/")[2].startswith(b".")
