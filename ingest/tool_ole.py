"""Office documents of 1997 to 2003 by olefile: the compound file ([MS-CFB]), every stream read to its end."""

from __future__ import annotations

import olefile  # type: ignore[import-untyped]

Looked = tuple[list[str], dict[str, str], str]
BROKEN = (OSError, ValueError, IndexError, EOFError, TypeError)
MAIN = {"WordDocument": "Word", "Workbook": "Excel", "Book": "Excel", "PowerPoint Document": "PowerPoint"}
ENCRYPTED = 0x0100  # [MS-DOC] 2.5.2, FibBase: fEncrypted


class Encrypted(Exception):
    """What is in it cannot be told."""


UNCHECKED = (Encrypted,)


def version() -> str:
    return str(olefile.__version__)


def look(path: str) -> Looked:
    """What olefile calls incorrect or worse, and streams that do not come to the bytes that they claim."""
    try:
        with olefile.OleFileIO(path, raise_defects=olefile.DEFECT_INCORRECT) as ole:
            streams = ole.listdir()
            refuse_encrypted(ole)
            problems = [problem for name in streams for problem in cut(ole, name)]
            kinds = [kind for name, kind in MAIN.items() if ole.exists(name)]
            problems += [] if kinds else ["it has none of the streams that a document of Word, Excel or PowerPoint has"]
            told = {"document": ", ".join(kinds), "streams": str(len(streams)), **statistics(ole)}
    except BROKEN as error:
        return [str(error) or type(error).__name__], {}, ""
    return problems, told, "\n".join(problems)


def refuse_encrypted(ole: olefile.OleFileIO) -> None:
    """Raise Encrypted for a document of Word whose header says so, and for an encrypted package."""
    if ole.exists("EncryptedPackage") or ole.exists("EncryptedSummary"):
        raise Encrypted("it is encrypted")
    if ole.exists("WordDocument"):
        with ole.openstream("WordDocument") as stream:
            header: bytes = stream.read(12)
        if int.from_bytes(header[10:12], "little") & ENCRYPTED:
            raise Encrypted("it is encrypted")


def cut(ole: olefile.OleFileIO, name: list[str]) -> list[str]:
    """olefile fills up no stream: one that is cut short is shorter than it claims."""
    claimed, got = ole.get_size(name), len(ole.openstream(name).read())
    return [] if got == claimed else [f"the stream {'/'.join(name)} claims {claimed} bytes and has {got}"]


def statistics(ole: olefile.OleFileIO) -> dict[str, str]:
    metadata = ole.get_metadata()
    wanted = {"pages": metadata.num_pages, "words": metadata.num_words, "slides": metadata.slides}
    wanted |= {"application": metadata.creating_application, "code page": metadata.codepage}
    return {name: value.decode("latin-1").strip("\0") if isinstance(value, bytes) else str(value)
            for name, value in wanted.items() if value}  # fmt: skip
