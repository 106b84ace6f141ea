"""Checks of a delivery once every file has been examined: claims, formats and names → findings with codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ingest.finding import Finding, Severity, error, info, warning
from ingest.worklist import Worklist
from storage.names import escape_path

_RESERVED = re.compile(rb"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])(\.[^/]*)?")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # what Unicode calls Cc
_FORBIDDEN = re.compile(rb'[<>:"|?*\\]')
_MAX_PATH = 256  # characters: MAX_PATH of Windows is 260, with a drive before it and an end behind it


def altered(worklist: Worklist) -> Iterator[tuple[str, str, str]]:
    """Yield path, algorithm and manifest where a file's digest is not the one that the producer's manifest says."""
    rows = worklist.select(
        "select c.name, c.algorithm, c.origin from claims c join items i on i.name = c.name"
        " where i.digests is not null and instr(i.digests, c.algorithm || ':' || c.hexadecimal) = 0"
    )
    for name, algorithm, origin in rows:
        yield _shown(name), algorithm, origin


def nothing(worklist: Worklist) -> Iterator[Finding]:
    """Yield that no file would come in. That none is there can be said only where nothing else is wrong."""
    if worklist.totals()[0]:
        return
    if any(severity is Severity.ERROR for severity, _code, _count in worklist.codes()):
        yield error("empty-package", "No file of it could be taken in, for what else is told.")
    else:
        yield error("empty-package", "There is no file in the package.")


def repeated(worklist: Worklist) -> Iterator[Finding]:
    """Yield that every file is held already, where it is: the same delivery may have come before. For once files were
    stored."""
    query = "select count(*), coalesce(sum(new), 0) from items where digest is not null and size > 0"
    files, new = next(worklist.select(query))
    if files and not new:
        yield info("all-held", "Every file of it is held already: perhaps the same was delivered before.")


def formats(worklist: Worklist) -> Iterator[Finding]:
    """Yield what is odd about formats: unknown, known by extension alone, or contradicted by the second opinion, where
    the policy has it asked always."""
    rows = worklist.select("select name, size, formats, mime, basis, opinion from items where digest is not null")
    for name, size, known, mime, basis, opinion in rows:
        if not size:
            yield info("file-empty", "It has no bytes.", _shown(name))
        elif known == "[]" and opinion:
            yield warning("format-unknown", f"No format was recognised; libmagic says {opinion}.", _shown(name))
        elif known == "[]":
            yield warning("format-unknown", "No format was recognised.", _shown(name))
        elif basis == "extension":
            yield info("format-by-extension", "Its format is known by its name's extension alone.", _shown(name))
        elif _contradicts(mime, opinion):
            yield info("format-opinions", f"PRONOM says {mime}, libmagic {opinion}.", _shown(name))


def names(worklist: Worklist) -> Iterator[Finding]:
    """Yield what will trouble someone: users of Windows, BagIt tools, case-insensitive or normalizing file systems."""
    for (name,) in worklist.select("select name from items order by name"):
        if why := trouble(name.rpartition(b"/")[2]) or too_long(name):
            yield info("name-troublesome", why, _shown(name))
    yield from _twins(worklist)
    for name, target in worklist.select("select name, target from items where kind = 'link' order by name"):
        shown = escape_path(target)
        yield info("link-kept", f"It is a symbolic link to {shown}: kept as a link, not followed.", _shown(name))


def trouble(name: bytes) -> str:
    """Why one component of a path will trouble someone, "" where it will not."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return "The name is not UTF-8."
    if _CONTROL.search(text):
        return "The name holds control characters."
    if name.endswith((b" ", b".")) or name.startswith(b" "):
        return "The name begins or ends with a blank or a dot, which Windows drops."
    if _RESERVED.fullmatch(name) or _FORBIDDEN.search(name):
        return "Windows does not allow the name."
    if b"%" in name:
        return "The name holds %, which some BagIt tools read wrongly."
    return "" if unicodedata.is_normalized("NFC", text) else "The name is not in Unicode normalization form C."


def too_long(path: bytes) -> str:
    """Why a path as a whole will trouble someone, "" where it will not. Windows counts characters in UTF-16."""
    if len(path) <= _MAX_PATH:  # UTF-16 never has more units than UTF-8 has bytes
        return ""
    count = len(path.decode("utf-8", "replace").encode("utf-16-le")) // 2
    return f"The path has {count} characters; most programs on Windows take {_MAX_PATH}." if count > _MAX_PATH else ""


def _twins(worklist: Worklist) -> Iterator[Finding]:
    """Names that some file systems would take for one."""
    rows = worklist.select(
        "select group_concat(hex(name)) from items group by folded(name) having count(*) > 1 order by min(name)"
    )
    for (together,) in rows:
        first, *others = sorted(bytes.fromhex(part) for part in together.split(","))
        for other in others:
            told = f"It differs from {escape_path(first)} by {_by(first, other)} alone."
            yield info("names-alike", told, escape_path(other))


def _by(first: bytes, other: bytes) -> str:
    """In what two names differ that look alike; where it is their form, nobody sees it."""
    one, two = (unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")) for name in (first, other))
    return "Unicode normalization" if one == two else "case or form"


def _contradicts(mime: str, opinion: str) -> bool:
    """Whether the two opinions cannot both be right, so far as their main kinds tell (image, audio, video)."""
    telling = {"image", "audio", "video"}
    kinds = {mime.partition("/")[0], opinion.partition("/")[0]}
    return bool(opinion) and len(kinds) == 2 and bool(kinds & telling) and opinion != "application/octet-stream"


def _shown(name: bytes) -> str:
    return escape_path(name)
