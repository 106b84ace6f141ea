"""The producer's own lists of digests, in the package or beside it: what they claim about the items listed.

A list in the package counts where its name says so (FOUND); paths in it are taken from wherever producers start them.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO

from ingest import checks, digest_lines
from ingest.digest_lines import Stated
from ingest.errors import NoSuchPackage, NotManifest
from ingest.finding import Finding, error, warning
from ingest.meanings import Starts, folder_of
from ingest.source import open_lines
from ingest.top_folder import top_folder
from ingest.worklist import Worklist
from storage.namemap import Kind
from storage.names import escape_path

LARGEST = 1 << 30  # bytes of a list that is read; one of a million lines has a tenth
_LONGEST = 64 << 10  # bytes of a line
_TOLD = 100  # lines of one list that are told; then reading it ends
_KINDS = b"(" + "|".join(digest_lines.ALGORITHMS).encode() + b")"
FOUND = re.compile(
    rb"(?i)(metadata/)?(checksums?\.(" + _KINDS + rb"|csv|txt)|" + _KINDS + rb"sums?(\.txt)?)|[^/]+\." + _KINDS
)
"""checksum.md5, checksums.csv, SHA256SUMS …, at the package's top or in its folder metadata; *.md5 … at its top."""
_SAID = "|".join((*digest_lines.ALGORITHMS, "b[23]", "blake[0-9a-z-]*?")).encode()  # of the last two none is read
_NAMED = re.compile(rb"(?i).*\.(" + _SAID + rb")(?:sums?)?|(" + _SAID + rb")sums?(?:\.txt)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Given:
    """A list that was handed over beside the package: its own name, and a copy of it that nobody changes."""

    name: bytes
    copy: Path


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a delivery: those below the folder `base` whose names say so, which `has` tells, and the one given
    beside it. `about`: whether some lie in the folder metadata, which they then do not list."""

    base: bytes
    about: bool
    given: Given | None

    def has(self, name: bytes) -> bool:
        return FOUND.fullmatch(name.removeprefix(self.base)) is not None

    def leaves_out(self, name: bytes) -> bool:
        """Whether no list has to have the file."""
        return self.has(name) or (self.about and name.startswith(self.base + b"metadata/"))


def look(path: Path) -> None:
    """Raise NoSuchPackage or NotManifest for what cannot be a list. A pipe or a device cannot: it may have no end."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise NotManifest(escape_path(bytes(path)), "it is a folder, a pipe or a device")
        with path.open("rb"):
            size = facts.st_size
    except FileNotFoundError as failure:
        raise NoSuchPackage(escape_path(bytes(path))) from failure
    except OSError as failure:
        raise NotManifest(escape_path(bytes(path)), failure.strerror or "it cannot be read") from failure
    if size > LARGEST:
        raise NotManifest(escape_path(bytes(path)), f"it is larger than {LARGEST} bytes")


def copied(path: Path, folder: Path) -> Given:
    """The list, copied into a folder of ours; raise as `look`."""
    look(path)
    copy = folder / "digests"
    shutil.copyfile(path, copy)
    return Given(os.fsencode(path.name), copy)


def read(worklist: Worklist, own: bytes, given: Given | None) -> Lists | None:
    """Put the lists' claims and findings on the worklist; `own` is the package's name. None where there is no list."""
    base = top_folder(worklist)
    lists, count = Lists(base, False, given), 0
    for name in _found(worklist, lists):
        lists, count = replace(lists, about=lists.about or folder_of(name) == base + b"metadata/"), count + 1
        if (source := worklist.source(name, LARGEST)) is not None:
            _read(worklist, source, name, Starts.of(base, name, own), lists)
        else:
            worklist.tell([_unreadable(escape_path(name), f"it has more than {LARGEST} bytes")])
    if given:
        _read(worklist, bytes(given.copy), given.name, Starts.of(base, b"", own), lists)
    return lists if count or given else None


def check(worklist: Worklist, lists: Lists) -> Iterator[Finding]:
    """Yield what is altered, missing, contradicted or extra, once every file has been examined."""
    for path, algorithm, origin in checks.altered(worklist):
        yield error("digest-altered", f"Its {algorithm} digest is not the one in {origin}.", path)
    rows = worklist.select(
        "select distinct name, origin from claims c where not exists"
        " (select 1 from items i where i.name = c.name and kind = 'file')"
    )
    for name, origin in rows:
        yield error("digest-missing-file", f"It is not there as a file; {origin} lists it.", escape_path(name))
    rows = worklist.select(
        "select name, algorithm from claims group by name, algorithm having count(distinct hexadecimal) > 1"
    )
    for name, algorithm in rows:
        yield error("digest-contradiction", f"It is listed with different {algorithm} digests.", escape_path(name))
    rows = worklist.select(
        "select name from items i where kind = 'file' and not exists (select 1 from claims c where c.name = i.name)"
    )
    for (name,) in rows:
        if not lists.leaves_out(name):
            yield warning("digest-extra-file", "No list of digests has it.", escape_path(name))


def _found(worklist: Worklist, lists: Lists) -> Iterator[bytes]:
    """The lists in the package, by their names."""
    base = lists.base
    tops = worklist.select(_TOP_FILES, len(base), base, len(base) + 1)
    below = (name for name, kind in worklist.below(base + b"metadata/") if kind is Kind.FILE)
    yield from filter(lists.has, chain((name for (name,) in tops), below))


_TOP_FILES = (
    "select name from items where kind = 'file' and substr(name, 1, ?) = ? and instr(substr(name, ?), x'2f') = 0"
    " order by name"
)


def _read(worklist: Worklist, source: bytes, name: bytes, starts: Starts, lists: Lists) -> None:
    """Put one list on the worklist; of what is no list at all, that alone."""
    origin, claims, wrong = escape_path(name), 0, list[Finding]()
    try:
        with open_lines(source) as stream:
            for stated in _stated(stream, name, origin):
                finding = stated if isinstance(stated, Finding) else _claim(worklist, stated, name, starts, lists)
                claims += finding is None
                wrong.extend([finding] if finding else [])
                if len(wrong) == _TOLD:
                    wrong.append(_unreadable(origin, f"it has {_TOLD} wrong lines and was not read further"))
                    break
    except (OSError, ValueError, csv.Error) as failure:
        wrong.append(_unreadable(origin, str(failure)))
    if not claims and not any(one.code == "digest-list-algorithm" for one in wrong):
        wrong = [_unreadable(origin, "no line of it is a digest and a path")]
    worklist.tell(wrong)


def _stated(stream: IO[bytes], name: bytes, origin: str) -> Iterator[Stated | Finding]:
    """What the list says: a table where its name ends in .csv, else lines."""
    if name.lower().endswith(b".csv"):
        text = (line.decode("utf-8", "surrogateescape") for line in _lines(stream))
        return digest_lines.table(digest_lines.rows(text), origin)
    stripped = (line.rstrip(b"\r\n") for line in _lines(stream))
    named = _NAMED.fullmatch(name.rpartition(b"/")[2])
    return digest_lines.lines(stripped, origin, (named[1] or named[2]).decode().lower() if named else "")


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends, without a byte order mark; raise ValueError for one that is too long."""
    first = True
    while line := stream.readline(_LONGEST + 1):
        if len(line) > _LONGEST:
            raise ValueError(f"a line has more than {_LONGEST} bytes")
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False


def _claim(worklist: Worklist, stated: Stated, name: bytes, starts: Starts, lists: Lists) -> Finding | None:
    """Take in one claim, about the file that is there of those that it may mean; return what is wrong with it."""
    path = stated.path or name.rpartition(b"/")[2].rpartition(b".")[0]
    meant = next(filter(worklist.item, starts.meanings(path)), None) or _likeliest(worklist, starts.meanings(path))
    if meant is None:
        return error("digest-list-line", f"Line {stated.line} leads out of the package.", escape_path(name))
    if not lists.has(meant):  # a list that was begun before it was hashed lists itself as it was then
        worklist.claim([(meant, stated.digest, escape_path(name), stated.line)])
    return None


def _likeliest(worklist: Worklist, meanings: Iterable[bytes]) -> bytes | None:
    """What a path means of which nothing is there: the first whose folder is there; None where it means nothing."""
    possible = list(meanings)
    sure = [name for name in possible if b"\\" not in name] or possible
    return next((name for name in sure if next(worklist.below(folder_of(name)), None)), sure[0] if sure else None)


def _unreadable(origin: str, why: str) -> Finding:
    return error("digest-list-unreadable", f"The list of digests cannot be read: {why.rstrip('.')}.", origin)
