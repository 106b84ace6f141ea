"""The format tools, by declaration: which formats each speaks for. It is asked about no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ingest import tool_builtin
from ingest.judgement import Judgement, Subject


class Tool(Protocol):
    """A tool. It works on files called `0`, `1`, … in a scratch folder, which it may fill."""

    @property
    def name(self) -> str: ...
    def knows(self, subject: Subject) -> bool:
        """Whether it speaks for that format; of a guess, for every format that it may be."""

    def judge(self, folder: Path, files: Mapping[int, int]) -> dict[int, Judgement]:
        """What it says of each file; `files` is number → bytes. A tool that fails is an answer too."""


@dataclass(frozen=True, slots=True)
class Formats:
    """PUIDs, and MIME types for what has no PUID."""

    puids: frozenset[str]
    mimes: frozenset[str] = frozenset()

    def know(self, subject: Subject) -> bool:
        if not subject.puids:
            return subject.mime in self.mimes
        known = [puid in self.puids for puid in subject.puids]
        return all(known) if subject.guessed else any(known)


@dataclass(frozen=True, slots=True)
class Builtin:
    """A tool that comes with Tianyi: the module `tool_<name>`, which needs a library of that distribution's `extra`."""

    name: str
    formats: Formats
    library: str = ""

    def knows(self, subject: Subject) -> bool:
        return self.formats.know(subject)

    def judge(self, folder: Path, files: Mapping[int, int]) -> dict[int, Judgement]:
        return tool_builtin.judge(self.name, self.library, folder, files)


def asked(tools: Sequence[Tool], subject: Subject) -> list[Tool]:
    """The tools that speak for a format, in their order."""
    return [tool for tool in tools if tool.knows(subject)]


def _puids(text: str, *, kind: str = "fmt/") -> frozenset[str]:
    """PUIDs from their numbers: "14-16 18"."""
    spans = (part.partition("-") for part in text.split())
    return frozenset(f"{kind}{n}" for first, _, last in spans for n in range(int(first), int(last or first) + 1))


def _x(text: str) -> frozenset[str]:
    return _puids(text, kind="x-fmt/")


BUILTIN: Final[Sequence[Builtin]] = (
    # Numbers are PRONOM's (signature file V122).
    Builtin("pdf", Formats(  # PDF, PDF/A, PDF/X, PDF/E, PDF/UA; Adobe Illustrator 9 to 16, which are PDF too
        _puids("14-20 95 144-148 157 158 276 354 476-481 488-493 558-565 1129 1451 1910-1912 2050 2052"),
        frozenset({"application/pdf"})), "pikepdf"),
    Builtin("pictures", Formats(  # PNG, GIF, JPEG, JP2, TIFF and DNG, BMP, WebP, PCX, TGA, ICO, PNM, PSD
        _puids("3 4 11-13 935 41-44 112 113 645 1507 7-10 152-156 353 436-438 730 86-90 114-119 402 409 566-568 1794")
        | _x("92 164 178 367 387 388 390-392 398 399 270 418"),
        frozenset({"image/png", "image/gif", "image/jpeg", "image/jp2", "image/tiff", "image/bmp", "image/webp"})),
        "pillow"),
    Builtin("av", Formats(  # WAVE, RF64, AIFF, MP3, AAC, FLAC, Ogg, AC-3; MPEG, MP4, Matroska, AVI, MOV, MXF, DV, ASF
        _puids("1 2 6 141-143 527 703-713 414 416 134 198 347 1812 279 203 944-948 735 356 954 357 596 951")
        | _puids("5 131-133 199 337 441 569 573 585 640 649 200 783-791")
        | _x("135 136 139 152 382 384-386 389 396 397"),
        frozenset({"audio/x-wav", "audio/mpeg", "audio/flac", "audio/ogg", "video/mp4", "video/x-matroska"})), "av"),
    Builtin("xml", Formats(  # XML, XSD, SVG, XHTML, GML, KML, RDF, TEI, XFDF, XSPF, MusicXML
        _puids("101-103 91 92 413 1047 244 875 896 979 1474-1477 1501 1613 2040") | _x("227 280 281"),
        frozenset({"application/xml", "text/xml", "image/svg+xml", "application/xhtml+xml"})), "lxml"),
    Builtin("json", Formats(_puids("817 880 1311 1367"), frozenset({"application/json"}))),
    Builtin("zip", Formats(  # ZIP, OpenDocument, Office Open XML, EPUB, OpenOffice 1.0
        _puids("483 127-130 135-140 189 214 215 290-297 412 424 444 445 487 523 595 597-599 627-633 636 924-929")
        | _puids("1752-1756 1827-1829 2044-2048") | _x("263")
        | {"fido-fmt/189.word", "fido-fmt/189.xl", "fido-fmt/189.ppt"},
        frozenset({"application/zip", "application/epub+zip"}
                  | {f"application/vnd.oasis.opendocument.{kind}" for kind in (
                      "text", "spreadsheet", "presentation", "graphics", "formula", "chart", "image", "database")})),
        "lxml"),
    Builtin("ole", Formats(  # Word, Excel and PowerPoint in compound files
        _puids("39 40 59 61 62 125 126 609 754 755") | _x("17 45 84 86 87")), "olefile"),
)  # fmt: skip
"""What comes with Tianyi. Of XML and office packages it is well-formedness that is checked, never a schema."""
