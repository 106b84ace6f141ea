"""A BagIt bag (RFC 8493, versions 0.93 to 1.0) as a SIP: what its tag files claim about the items listed."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from ingest import bagit_tags, checks
from ingest.bagit_tags import Claim, Declaration, Fetch
from ingest.finding import Finding, error, info, warning
from ingest.source import open_lines
from ingest.worklist import Worklist
from storage.bag import ORIGINAL, SUBMISSION, parse_info
from storage.namemap import Kind
from storage.names import bag_path, escape_path
from storage.spool import Spool

_LARGEST_TAG = 1 << 30  # bytes of a tag file that is read; a manifest of a million lines has a tenth


def find_base(worklist: Worklist) -> bytes | None:
    """The folder that is a bag: the package itself (b"") or its only folder (b"name/"); None where it is no bag.

    A bag without bagit.txt is a bag all the same, and an invalid one, when it has a manifest beside `data`.
    """
    if _looks_like_bag(worklist, b""):
        return b""
    tops = list(worklist.select(f"select distinct {_TOP} from items limit 2"))
    base: bytes = tops[0][0] + b"/" if len(tops) == 1 else b""
    return base if base and _looks_like_bag(worklist, base) else None


_TOP = "case instr(name, x'2f') when 0 then name else substr(name, 1, instr(name, x'2f') - 1) end"


def place(name: bytes, base: bytes) -> str:
    """The bag path of the producer's file in ours: payload as the original representation, tag files as evidence."""
    payload = base + b"data/"
    if name.startswith(payload):
        return ORIGINAL + bag_path(name[len(payload) :])
    return SUBMISSION + bag_path(name.removeprefix(base))


@dataclass(frozen=True)
class Bag:
    """A bag as it declares itself; `tags` are bag-info's labels and values as they stand there; `to_fetch` the lines of
    fetch.txt whose file did not come along."""

    base: bytes
    declared: Declaration
    tags: tuple[tuple[str, str], ...]
    to_fetch: Spool[Fetch] = field(default_factory=Spool)

    @cached_property
    def elements(self) -> dict[str, str]:
        """The first of each label, labels in lower case."""
        return {label.lower(): value for label, value in reversed(self.tags)}


def read(worklist: Worklist, base: bytes) -> Bag:
    """Put the bag's claims and findings on the worklist, but for what is still to be fetched."""
    declared = _declaration(worklist, base)
    if isinstance(declared, Finding):
        worklist.tell([declared])
        declared = Declaration((0, 97), "UTF-8")
    worklist.tell(_manifests(worklist, base, declared))
    to_fetch: Spool[Fetch] = Spool()
    worklist.tell(_fetches(worklist, base, declared, to_fetch))
    worklist.tell(_normalized(worklist))
    return Bag(base, declared, _info(worklist, base, declared), to_fetch)


def check(worklist: Worklist, bag: Bag) -> Iterator[Finding]:
    """Yield what is missing, extra or altered, once every file has been examined (RFC 8493 §3)."""
    for path, algorithm, origin in checks.altered(worklist):
        yield error("rfc8493-3-altered", f"Its {algorithm} digest is not the one in {origin}.", path)
    yield from _contradictions(worklist)
    rows = worklist.select(
        "select distinct c.name from claims c left join items i on i.name = c.name and i.kind = 'file'"
        " where i.id is null"
    )
    for (name,) in rows:
        there = worklist.item(name)
        told = f"It is a {there.kind.value}, which a bag cannot hold" if there else "It is not there"
        yield error("rfc8493-3-missing", f"{told}; a manifest lists it as a file.", _shown(name, bag.base))
    yield from _unlisted(worklist, bag)
    yield from _oxum(worklist, bag)


def _looks_like_bag(worklist: Worklist, base: bytes) -> bool:
    if worklist.item(base + b"bagit.txt"):
        return True
    tops = (name.removeprefix(base) for name in worklist.names(base + b"manifest-"))
    return _has_payload(worklist, base) and any(map(bagit_tags.manifest_algorithm, tops))


def _has_payload(worklist: Worklist, base: bytes) -> bool:
    """Whether there is the folder data; archives need not list folders that something is in."""
    listed = worklist.item(base + b"data")
    return listed.kind is Kind.FOLDER if listed else any(worklist.names(base + b"data/"))


def _declaration(worklist: Worklist, base: bytes) -> Declaration | Finding:
    data = worklist.read(base + b"bagit.txt", _LARGEST_TAG)
    if data is None:
        return error("rfc8493-2.1.1-missing", "bagit.txt is missing.", "bagit.txt")
    return bagit_tags.declaration(data)


def _manifests(worklist: Worklist, base: bytes, declared: Declaration) -> Iterator[Finding]:
    payload_manifests = 0
    for name in [*worklist.names(base + b"manifest-"), *worklist.names(base + b"tagmanifest-")]:
        known = bagit_tags.manifest_algorithm(name.removeprefix(base))
        if known is None:
            continue
        is_tag, algorithm = known
        if not algorithm:
            yield warning("rfc8493-2.4-algorithm", "Its algorithm is unknown: not checked.", escape_path(name))
            continue
        payload_manifests += not is_tag
        yield from _claims(worklist, base, name, algorithm, declared)
    if not payload_manifests:
        yield error("rfc8493-2.1.3-none", "There is no payload manifest that can be checked.")
    if not _has_payload(worklist, base):
        yield error("rfc8493-2.1.2-payload", "The folder data is missing.", "data")


def _claims(worklist: Worklist, base: bytes, name: bytes, algorithm: str, declared: Declaration) -> Iterator[Finding]:
    shown = escape_path(name.removeprefix(base))
    lines = _tag_lines(worklist, name, shown, declared.encoding)
    if isinstance(lines, Finding):
        yield lines
        return
    for claim in bagit_tags.claims(lines, shown, algorithm, declared.version):
        if isinstance(claim, Claim):
            worklist.claim([(base + _meant(worklist, base, claim.paths), claim.digest, shown, claim.line)])
        else:
            yield claim


def _meant(worklist: Worklist, base: bytes, paths: tuple[bytes, ...]) -> bytes:
    """The path that is there, of those that a line may mean; else the first."""
    return next((path for path in paths if worklist.item(base + path)), paths[0])


def _fetches(worklist: Worklist, base: bytes, declared: Declaration, absent: Spool[Fetch]) -> Iterator[Finding]:
    """Yield what is to be said of fetch.txt; the lines whose file is not there are put by."""
    lines = _tag_lines(worklist, base + b"fetch.txt", "fetch.txt", declared.encoding)
    if isinstance(lines, Finding):
        yield lines
        return
    for fetch in bagit_tags.fetches(lines, declared.version):
        if isinstance(fetch, Finding):
            yield fetch
        elif (there := worklist.item(base + _meant(worklist, base, fetch.paths))) and there.kind is Kind.FILE:
            shown = _shown(there.name, base)
            yield info("rfc8493-2.2.3-fetched", "It is in fetch.txt and is there.", shown)
        else:
            absent.append(fetch)


def _normalized(worklist: Worklist) -> Iterator[Finding]:
    """Claims whose file is there under another Unicode normalization are taken for it, with a warning."""
    query = "select distinct name from claims where name not in (select name from items)"
    absent = Spool(bytes(name) for (name,) in worklist.select(query))
    for name in absent:
        if there := worklist.normalized(name):
            list(worklist.select("update claims set name = ? where name = ?", there, name))
            yield warning("rfc8493-2.1.3-normalization", "Its name is normalized otherwise.", escape_path(there))


def _info(worklist: Worklist, base: bytes, declared: Declaration) -> tuple[tuple[str, str], ...]:
    """bag-info.txt, called package-info.txt before version 0.95."""
    found: list[tuple[str, str]] = []
    for name in (b"bag-info.txt", b"package-info.txt"):
        text = bagit_tags.decoded(worklist.read(base + name, _LARGEST_TAG) or b"", declared.encoding, name.decode())
        if isinstance(text, Finding):
            worklist.tell([text])
            continue
        found.extend(parse_info(text))
    return tuple(found)


def _contradictions(worklist: Worklist) -> Iterator[Finding]:
    """Files that one manifest lists twice (RFC 8493 §2.1.3: MUST NOT be listed more than once)."""
    rows = worklist.select(
        "select name, origin, count(distinct hexadecimal) from claims"
        " group by name, origin, algorithm having count(*) > 1"
    )
    for name, origin, digests in rows:
        shown = escape_path(name)
        if digests != 1:
            yield error("rfc8493-2.1.3-contradiction", f"{origin} lists it with different digests.", shown)
        else:
            yield warning("rfc8493-2.1.3-twice", f"{origin} lists it more than once.", shown)


def _unlisted(worklist: Worklist, bag: Bag) -> Iterator[Finding]:
    """Payload that a manifest does not list: every manifest must (1.0), at least one must (before)."""
    origins = [o for (o,) in worklist.select("select distinct origin from claims where origin glob 'manifest-*'")]
    strict = bag.declared.version >= (1, 0)
    for wanted in ([origin] for origin in origins) if strict else [origins]:
        marks = ", ".join("?" * len(wanted))
        rows = worklist.select(
            "select name from items i where kind = 'file' and substr(name, 1, ?) = ? and not exists"
            f" (select 1 from claims c where c.name = i.name and origin in ({marks}))",
            len(bag.base) + 5, bag.base + b"data/", *wanted,
        )  # fmt: skip
        for (name,) in rows:
            yield error("rfc8493-3-unlisted", f"It is not in {' or '.join(wanted)}.", _shown(name, bag.base))


def _oxum(worklist: Worklist, bag: Bag) -> Iterator[Finding]:
    if (claimed := bag.elements.get("payload-oxum")) is None:
        return
    rows = worklist.select(
        "select coalesce(sum(size), 0), count(*) from items where kind = 'file' and substr(name, 1, ?) = ?",
        len(bag.base) + 5, bag.base + b"data/",
    )  # fmt: skip
    found = next(rows)
    if bagit_tags.oxum(claimed) != found:
        told = f"Payload-Oxum is {claimed}; there are {found[0]} bytes in {found[1]} files."
        yield error("rfc8493-2.2.2-oxum", told, "bag-info.txt")


def _tag_lines(worklist: Worklist, name: bytes, shown: str, encoding: str) -> Iterator[str] | Finding:
    """A tag file's lines; a finding where not all of it is text: then nothing of it counts."""
    try:
        deque(_lines(worklist, name, encoding), maxlen=0)
    except (UnicodeError, LookupError) as failure:
        return bagit_tags.undecodable(encoding, shown, failure)
    return _lines(worklist, name, encoding)


def _lines(worklist: Worklist, name: bytes, encoding: str) -> Iterator[str]:
    """A tag file's lines (ended by LF, CR or CRLF) without their ends, none where it cannot be read: examination says
    so. Raises UnicodeError or LookupError."""
    if source := worklist.source(name, _LARGEST_TAG):
        with suppress(OSError), open_lines(source) as raw, io.TextIOWrapper(raw, bagit_tags.codec(encoding)) as text:
            yield from (line.removesuffix("\n") for line in text)


def _shown(name: bytes, base: bytes) -> str:
    return escape_path(name.removeprefix(base))
