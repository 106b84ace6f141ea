"""A producer's own list of digests as bytes → what it states and findings, pure: never trusted, leniently read.

Lines as md5sum and sha*sum write them (GNU coreutils, "cksum output modes"; BSD's with --tag, and OpenSSL's), or a
table (CSV). Paths are bytes, as everywhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ingest.finding import Finding, error
from storage.digest import LENGTHS, Digest, computable

_TOLD_BY_LENGTH = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
ALGORITHMS = (*_TOLD_BY_LENGTH, "sm3")  # an SM3 is as long as a SHA-256: it counts where its name is said
_BY_LENGTH = {LENGTHS[algorithm]: algorithm for algorithm in _TOLD_BY_LENGTH}
_SM3 = re.compile(
    r"(checksum|digest|hash)?sm3(sums?|checksum|digest|hash)?"
)  # and not the cubic metres of "volumes m3"
_BLAKE = re.compile(r"blake\w*|b[23](sums?)?")  # as b2sum's lists are called; as long as digests of SHA-2
_GNU = re.compile(rb"(\\?)([0-9A-Fa-f]{32,128})(?: [ *]|[ \t]+)(.+)", re.DOTALL)
_BSD = re.compile(rb"(\\?)([A-Za-z0-9-]+) ?\((.+)\) ?= ?([0-9A-Fa-f]+)", re.DOTALL)
_BARE = re.compile(rb"[0-9A-Fa-f]{32,128}")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MEANT = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}
_COMMENT = (b"#", b";")
_PATHS = ("path", "filepath", "filename", "file", "name")  # columns of a table, the first that is there
_DIGESTS = ("digest", "checksum", "hash", "value", "messagedigest")
_KINDS = ("algorithm", "checksumalgorithm", "digestalgorithm", "hashalgorithm", "type")


@dataclass(frozen=True, slots=True)
class Stated:
    """A file's digest as the list states it; `path` as written, "" where the list has nothing but a digest."""

    path: bytes
    digest: Digest
    line: int


def lines(found: Iterable[bytes], origin: str, algorithm: str) -> Iterator[Stated | Finding]:
    """What lines state, without their ends; empty ones and comments are passed over.

    `algorithm` is what the list's name says, "" where it says nothing: then the length of each digest does.
    """
    if _is_blake(algorithm):
        yield _unknown(origin, "It")
        return
    for number, line in enumerate(found, start=1):
        if line.strip() and not line.startswith(_COMMENT):
            yield _line(line, algorithm, number, origin) or _bad(origin, number, "is not a digest and a path")


def gnu_line(path: bytes, digest: Digest) -> bytes:
    """A line that md5sum and sha*sum check: a path that holds what would end or hide it is escaped, as they do it."""
    escaped = path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != path else b""
    return b"%s%s  %s\n" % (mark, digest.hexadecimal.encode(), escaped)


def table(rows: Iterable[list[str]], origin: str) -> Iterator[Stated | Finding]:
    """What the rows of a table state, the first of which names the columns: a path; and either algorithms, or an
    algorithm and a digest. Text holds bytes that are not UTF-8 as surrogates."""
    header: list[str] | None = None
    for number, row in enumerate(rows, start=1):
        if header is None:
            header = [_plain(cell) for cell in row]
            if not _path_column(header):
                yield _bad(origin, number, "names no column for paths")
                return
        elif any(row):
            yield from _row(dict(zip(header, row, strict=False)), origin, number)


def algorithm_of(name: str) -> str:
    """The algorithm that a list's or a column's name speaks of ("SHA-256", "checksum.md5"), "" for none."""
    plain = _plain(name).replace("sha2256", "sha256").replace("sha2512", "sha512")
    if _SM3.fullmatch(plain):
        return "sm3"
    return next((known for known in reversed(_TOLD_BY_LENGTH) if known in plain), "")


def _line(line: bytes, algorithm: str, number: int, origin: str) -> Stated | Finding | None:
    if match := _GNU.fullmatch(line):
        escaped, digest, path = match.groups()
    elif match := _BSD.fullmatch(line):
        escaped, named, path, digest = match.groups()
        if _is_blake(named.decode()):
            return _unknown(origin, f"Line {number}")
        if not (algorithm := algorithm_of(named.decode())):
            return None
    elif _BARE.fullmatch(line):
        escaped, digest, path = b"", line, b""
    else:
        return None
    found = _digest(algorithm, digest.decode())
    path = _ESCAPED.sub(_unescaped, path) if escaped else path
    return Stated(path, found, number) if found and b"\0" not in path else None


def _row(row: Mapping[str, str], origin: str, number: int) -> Iterator[Stated | Finding]:
    if any(_plain(row.get(name, "")).startswith("blake") for name in _KINDS):  # "b2" may be the size of a drawing
        yield _unknown(origin, f"Line {number}")
        return
    path = row.get(_path_column(row), "").encode("utf-8", "surrogateescape")
    stated = list(_cells(row))
    if not stated or not path or b"\0" in path:
        yield _bad(origin, number, "has no path, or no digest")
    for algorithm, cell in stated:
        found = _digest(algorithm, cell)
        yield Stated(path, found, number) if found and path else _bad(origin, number, "has a digest that is none")


def _cells(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Algorithm ("" where the length has to tell) and digest of each cell that has one."""
    kind = next((algorithm_of(row[name]) for name in _KINDS if row.get(name)), "")
    for name, cell in row.items():
        if cell.strip() and name in _DIGESTS:
            yield kind, cell.strip()
        elif cell.strip() and name not in _KINDS and name not in _PATHS and (algorithm := algorithm_of(name)):
            yield algorithm, cell.strip()


def _path_column(names: Iterable[str]) -> str:
    found = set(names)
    return next((name for name in _PATHS if name in found), "")


def _digest(algorithm: str, text: str) -> Digest | None:
    try:
        found = Digest(algorithm or _BY_LENGTH.get(len(text), ""), text.lower())
    except ValueError:
        return None
    return found if computable(found.algorithm) else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _MEANT.get(match[1], match[0])


def _is_blake(name: str) -> bool:
    return _BLAKE.fullmatch(_plain(name)) is not None


def _unknown(origin: str, what: str) -> Finding:
    told = f"{what} is of BLAKE, an algorithm that is not known in lists: ask for SHA-256."
    return error("digest-list-algorithm", told, origin)


def _bad(origin: str, number: int, why: str) -> Finding:
    return error("digest-list-line", f"Line {number} {why}.", origin)


def rows(text: Iterable[str]) -> Iterator[list[str]]:
    """The rows of a table, separated by commas or semicolons as its first line is; raise csv.Error."""
    remaining = iter(text)
    first = next(remaining, "")
    delimiter = max(",;\t", key=first.count)
    yield from csv.reader([first], delimiter=delimiter, strict=True)
    yield from csv.reader(remaining, delimiter=delimiter, strict=True)
