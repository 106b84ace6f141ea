"""A producer's BagIt tag files as text → values and findings, leniently where versions differ, pure.

Finding codes name the section of RFC 8493 that was broken.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.finding import Finding, error, warning
from storage.digest import LENGTHS, Digest, computable
from storage.manifest import decode_path

_VERSION = re.compile(r"BagIt-Version:\s*(\d{1,9})\.(\d{1,9})\s*")
_ENCODING = re.compile(r"Tag-File-Character-Encoding:\s*(\S+)\s*")
_MANIFEST = re.compile(rb"(tag)?manifest-([A-Za-z0-9-]+)\.txt")
_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+(\*?)(.+)")
_FETCH = re.compile(r"(\S+)[ \t]+([0-9]{1,18}|-)[ \t]+(.+)")
_CHARACTERS = re.compile(
    r"utf-(8|8-sig|16|16-[lb]e|32|32-[lb]e)|ascii|iso8859-\d+|cp\d+|gb\w+|big5\w*|hz|shift_jis\w*|euc_\w+|koi8\S*|mac\S+|johab"
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True, slots=True)
class Declaration:
    """bagit.txt: version and the encoding of the other tag files."""

    version: tuple[int, int]
    encoding: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A line of a manifest: the paths that it may mean (the first is what its version says), digest, line number."""

    paths: tuple[bytes, ...]
    digest: Digest
    line: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """A line of fetch.txt: the paths that it may mean, as of a manifest's; bytes, None where it does not say."""

    paths: tuple[bytes, ...]
    url: str
    length: int | None


def declaration(data: bytes) -> Declaration | Finding:
    """Parse bagit.txt: two lines, UTF-8 without a byte order mark (RFC 8493 §2.1.1)."""
    lines = data.decode("utf-8", "replace").splitlines()
    version = _VERSION.fullmatch(lines[0]) if lines else None
    encoding = _ENCODING.fullmatch(lines[1]) if len(lines) > 1 else None
    if not version or not encoding or len(lines) > 2:
        return error("rfc8493-2.1.1-declaration", "bagit.txt is not a version and an encoding.", "bagit.txt")
    if not _is_text(encoding[1]):
        return error("rfc8493-2.1.1-encoding", f"The encoding {encoding[1]!r} is unknown.", "bagit.txt")
    number = (int(version[1]), int(version[2]))
    if not (0, 93) <= number <= (1, 0):
        return error("rfc8493-2.1.1-version", f"Version {version[1]}.{version[2]} is unknown.", "bagit.txt")
    return Declaration(number, encoding[1])


def _is_text(encoding: str) -> bool:
    """Whether it is an encoding of characters: Python's own and half-encodings could say anything."""
    try:
        return bool(_CHARACTERS.fullmatch(codecs.lookup(encoding).name))
    except (LookupError, ValueError):
        return False


def manifest_algorithm(name: bytes) -> tuple[bool, str] | None:
    """Whether a file name is a tag manifest's, and its algorithm ("" for one unknown here); None for other names."""
    match = _MANIFEST.fullmatch(name)
    if not match:
        return None
    algorithm = match[2].decode().lower().replace("-", "")
    return bool(match[1]), algorithm if algorithm in LENGTHS and computable(algorithm) else ""


def claims(lines: Iterable[str], name: str, algorithm: str, version: tuple[int, int]) -> Iterator[Claim | Finding]:
    """Yield a manifest's lines (RFC 8493 §2.1.3, §2.2.1): claims, and findings about those that are none."""
    starred = False
    for number, line in enumerate(filter(str.strip, lines), start=1):
        match = _LINE.fullmatch(line)
        digest = _digest(algorithm, match[1]) if match else None
        if not match or digest is None:
            yield error("rfc8493-2.1.3-line", f"Line {number} is not a {algorithm} digest and a path.", name)
            continue
        if match[2] and not starred:
            starred = True
            yield warning("rfc8493-2.1.3-asterisk", "Paths begin with *, as md5sum writes them.", name)
        path = match[3]
        if finding := out_of_scope(path, name, number):
            yield finding
            continue
        if path.startswith("./"):
            yield warning("rfc8493-2.1.3-dot", f"The path in line {number} begins with ./", name)
        yield Claim(_meanings(path.removeprefix("./"), version), digest, number)


def fetches(lines: Iterable[str], version: tuple[int, int]) -> Iterator[Fetch | Finding]:
    """Yield fetch.txt's lines (RFC 8493 §2.2.3), and findings about those that are none."""
    for number, line in enumerate(filter(str.strip, lines), start=1):
        match = _FETCH.fullmatch(line)
        if not match:
            yield error("rfc8493-2.2.3-line", f"Line {number} is not a URL, a length and a path.", "fetch.txt")
        elif finding := out_of_scope(match[3], "fetch.txt", number):
            yield finding
        else:
            length = None if match[2] == "-" else int(match[2])
            yield Fetch(_meanings(match[3].removeprefix("./"), version), match[1], length)


def out_of_scope(path: str, name: str, number: int) -> Finding | None:
    """A path that leaves the bag is never looked at (RFC 8493 §5.2)."""
    leaves = path.startswith(("/", "~")) or _DRIVE.match(path) or ".." in re.split(r"\\?/|\\", path.replace("\\.", "."))
    if not leaves:
        return None
    return error("rfc8493-5.2-path", f"The path in line {number} leads out of the bag: {path[:200]!r}.", name)


def oxum(value: str) -> tuple[int, int] | None:
    """Bytes and files of a Payload-Oxum (RFC 8493 §2.2.2); None where it is none."""
    match = re.fullmatch(r"(\d{1,18})\.(\d{1,18})", value.strip())
    return (int(match[1]), int(match[2])) if match else None


def decoded(data: bytes, encoding: str, name: str) -> str | Finding:
    """A tag file's text in the declared encoding."""
    try:
        return data.decode(codec(encoding))
    except (UnicodeError, LookupError) as failure:
        return undecodable(encoding, name, failure)


def codec(encoding: str) -> str:
    """Python's name for it; a byte order mark is no part of the text."""
    return "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding


def undecodable(encoding: str, name: str, failure: UnicodeError | LookupError) -> Finding:
    return error("rfc8493-2.1.1-encoding", f"It is not {encoding}: {failure}.", name)


def _digest(algorithm: str, text: str) -> Digest | None:
    try:
        return Digest(algorithm, text.lower())
    except ValueError:
        return None


def _meanings(path: str, version: tuple[int, int]) -> tuple[bytes, ...]:
    """Since 1.0 "%" is encoded; before, writers differed: then the path as written is possible too."""
    decoded_path = decode_path(path).encode()
    literal = path.encode()
    ordered = (decoded_path, literal) if version >= (1, 0) else (literal, decoded_path)
    return tuple(dict.fromkeys(ordered))
