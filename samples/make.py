"""Make the sample accession: small real files of many formats, with names that are hard to keep.

    python samples/make.py FOLDER     write the files into FOLDER, which it makes
    python samples/make.py --table    print the table of samples/README.md

Debian: libreoffice-writer-nogui, libreoffice-calc-nogui, faketime, ffmpeg, fonts-liberation,
fonts-wqy-microhei. PyPI: pillow.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import flat
import kinds
import pictures
import words
from drawings import book, harbour, pavilion, seal
from PIL import Image

ACCESSION = Path(__file__).parent / "accession"
CAFE = "Names/café.txt"
REGISTER = words.Text("Register of ships, March 1987", words.OFFICE, "1987-03-31", "en", ())

Make = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Sample:
    """One file: its path, its format in PRONOM ("" when it has none), what it is."""

    path: str
    puid: str
    note: str
    make: Make


def text(content: str, encoding: str = "utf-8") -> Make:
    return partial(content.encode, encoding)


def document(content: words.Text, target: str) -> Make:
    return partial(kinds.office, flat.document(content), target)


def workbook(target: str) -> Make:
    return partial(kinds.office, flat.workbook(REGISTER), target, "fods")


def drawn(image: Image.Image, kind: str, mode: str = "RGB", **options: object) -> Make:
    """Return the maker of a picture: `mode` is Pillow's, and P takes a palette of 64 colours."""
    shown = pictures.palette(image) if mode == "P" else image.convert(mode)
    return partial(pictures.picture, shown, kind, **options)


SAMPLES = (
    Sample("Read me first.txt", "x-fmt/111", "plain text, UTF-8", text(words.READ_ME)),
    # letters and office documents
    Sample(
        "Letters/1987-03-04 To the Harbour Master.doc", "fmt/40", "Word 97", document(words.LETTER, "doc:MS Word 97")
    ),
    Sample(
        "Letters/1988-06-20 Notice of berths.odt",
        "fmt/1756",
        "OpenDocument text, in Chinese",
        document(words.NOTICE, "odt"),
    ),
    Sample("Letters/1989-11-09 Minutes.docx", "fmt/412", "Word, OOXML", document(words.MINUTES, "docx")),
    Sample(
        "Letters/1990-05-17 Instruction to pilots.rtf",
        "fmt/45",
        "RTF, two languages",
        document(words.INSTRUCTION, "rtf"),
    ),
    Sample("Letters/Correspondence 1991.mbox", "fmt/720", "mbox, two letters, two attachments", kinds.mailbox),
    Sample(
        "Letters/Harbour Master's memorandum.txt",
        "x-fmt/111",
        "plain text; an apostrophe in the name",
        text(words.MEMORANDUM),
    ),
    Sample("Letters/to be numbered.txt", "", "empty", text("")),
    Sample("Guide/Guide to the accession.pdf", "fmt/477", "PDF/A-2b", document(words.GUIDE, kinds.PDF_A_2B)),
    Sample("Guide/Guide to the accession.epub", "fmt/483", "EPUB 3", kinds.book),
    # registers and data
    Sample("Registers/berths 1987.csv", "x-fmt/18", "CSV, UTF-8, English and Chinese", kinds.csv_of_ships),
    Sample("Registers/berths%201987.csv", "x-fmt/18", "the same bytes; a percent sign in the name", kinds.csv_of_ships),
    Sample(
        "Registers/100% inspected.txt", "x-fmt/111", "plain text; a percent sign in the name", text(words.INSPECTED)
    ),
    Sample("Registers/dues.ods", "fmt/1755", "OpenDocument spreadsheet", workbook("ods")),
    Sample("Registers/dues.xlsx", "fmt/214", "Excel, OOXML", workbook("xlsx")),
    Sample("Registers/ships.json", "fmt/817", "JSON", kinds.json_of_ships),
    Sample("Registers/ships.xml", "fmt/101", "XML 1.0", kinds.xml_of_ships),
    Sample("Registers/ships.sqlite", "fmt/729", "SQLite 3", kinds.database_of_ships),
    Sample("Registers/ships.csv.gz", "x-fmt/266", "GZIP", kinds.gzipped),
    Sample(
        "Registers/surveys.zip", "x-fmt/263", "ZIP of three files, one named in Chinese; stays one file", kinds.zipped
    ),
    # the library of the Fan family
    Sample("天一阁/目录.txt", "x-fmt/111", "plain text in Chinese, UTF-8", text(words.CATALOGUE)),
    Sample("天一阁/《嘉靖浙江通志》.pdf", "fmt/20", "PDF in Chinese", document(words.GAZETTEER, "pdf")),
    Sample(
        "天一阁/港务/1993年/值班日志.txt",
        "x-fmt/111",
        "plain text in GB18030, three folders deep",
        text(words.DUTY_LOG, "gb18030"),
    ),
    # pictures
    Sample("Pictures/BMP/pavilion 1-bit.bmp", "fmt/116", "BMP, 1 bit, 157 wide", drawn(pavilion(157, 118), "BMP", "1")),
    Sample("Pictures/BMP/pavilion palette.bmp", "fmt/116", "BMP, palette", drawn(pavilion(), "BMP", "P")),
    Sample("Pictures/BMP/book grey.bmp", "fmt/116", "BMP, grey", drawn(book(107, 80), "BMP", "L")),
    Sample("Pictures/BMP/harbour.bmp", "fmt/116", "BMP, RGB, 129 wide", drawn(harbour(129, 97), "BMP")),
    Sample("Pictures/BMP/seal.bmp", "fmt/119", "BMP version 5, RGBA", partial(pictures.bmp_with_alpha, seal())),
    Sample("Pictures/GIF/pavilion 1-bit.gif", "fmt/3", "GIF, black and white", drawn(pavilion(), "GIF", "1")),
    Sample("Pictures/GIF/book.gif", "fmt/3", "GIF, palette", drawn(book(), "GIF", "P")),
    Sample("Pictures/GIF/seal.gif", "fmt/4", "GIF, one colour clear", pictures.gif_with_clear_ground),
    Sample("Pictures/GIF/voyage.gif", "fmt/4", "GIF, 12 frames", pictures.gif_that_moves),
    Sample("Pictures/PCX/pavilion 1-bit.pcx", "fmt/87", "PCX, 1 bit, 157 wide", drawn(pavilion(157, 118), "PCX", "1")),
    Sample("Pictures/PCX/harbour palette.pcx", "fmt/90", "PCX, palette, 129 wide", drawn(harbour(129, 97), "PCX", "P")),
    Sample("Pictures/PCX/book.pcx", "fmt/90", "PCX, RGB", drawn(book(), "PCX")),
    Sample(
        "Pictures/TGA/book grey.tga",
        "fmt/402",
        "TGA, grey, run lengths",
        drawn(book(107, 80), "TGA", "L", compression="tga_rle"),
    ),
    Sample("Pictures/TGA/pavilion palette.tga", "fmt/402", "TGA, palette", drawn(pavilion(), "TGA", "P")),
    Sample(
        "Pictures/TGA/harbour.tga", "fmt/402", "TGA, RGB, run lengths", drawn(harbour(), "TGA", compression="tga_rle")
    ),
    Sample("Pictures/TGA/seal.tga", "fmt/402", "TGA, RGBA", drawn(seal(), "TGA", "RGBA")),
    Sample("Pictures/WebP/pavilion.webp", "fmt/567", "WebP, lossless RGB", drawn(pavilion(), "WEBP", lossless=True)),
    Sample(
        "Pictures/WebP/seal.webp",
        "fmt/567",
        "WebP, lossless RGBA",
        drawn(seal(), "WEBP", "RGBA", lossless=True, exact=True),
    ),
    Sample("Pictures/WebP/harbour.webp", "fmt/566", "WebP, lossy RGB", drawn(harbour(), "WEBP", quality=80)),
    Sample(
        "Pictures/pavilion.tif",
        "fmt/353",
        "TIFF, RGB, LZW",
        partial(pictures.tiff, pavilion(), "The pavilion", compression="tiff_lzw"),
    ),
    Sample("Pictures/three pages.tif", "fmt/353", "TIFF, three pages: 1 bit, grey, RGB", pictures.tiff_of_pages),
    Sample("Pictures/the mole.jpg", "fmt/43", "JPEG with Exif", pictures.jpeg_with_exif),
    Sample("Pictures/seal.png", "fmt/13", "PNG, RGBA, text in two chunks", pictures.png_with_text),
    Sample("Pictures/book.jp2", "x-fmt/392", "JPEG 2000, lossless", drawn(book(), "JPEG2000", irreversible=False)),
    Sample("Pictures/plan of the harbour.svg", "fmt/92", "SVG 1.1", text(words.SVG)),
    # sound, film and web
    Sample("Sound/bell.wav", "fmt/141", "WAVE, PCM, 16 bits, mono", kinds.bell),
    Sample("Sound/bell.flac", "fmt/279", "FLAC", partial(kinds.sound, "flac")),
    Sample("Sound/bell.mp3", "fmt/134", "MP3", partial(kinds.sound, "mp3", *kinds.MP3)),
    Sample("Film/voyage.mp4", "fmt/199", "MP4: H.264 and AAC", partial(kinds.film, "mp4", *kinds.H264)),
    Sample("Film/voyage.mkv", "fmt/569", "Matroska: FFV1 version 3 and FLAC", partial(kinds.film, "mkv", *kinds.FFV1)),
    Sample("Web/notice.xhtml", "fmt/102", "XHTML 1.0, in Chinese", kinds.notice_page),
    Sample("Web/tides.html", "fmt/471", "HTML 5", kinds.tide_page),
    Sample("Web/tides.warc", "fmt/1281", "WARC 1.1: one response", kinds.web_capture),
    # names
    Sample(
        unicodedata.normalize("NFC", CAFE),
        "x-fmt/111",
        "plain text; é is one character (NFC)",
        text(words.CAFE_COMPOSED),
    ),
    Sample(
        unicodedata.normalize("NFD", CAFE),
        "x-fmt/111",
        "plain text; é is e and an accent (NFD)",
        text(words.CAFE_DECOMPOSED),
    ),
    Sample("Names/two  blanks.txt", "x-fmt/111", "plain text; two blanks side by side", text(words.TWO_BLANKS)),
    Sample(
        "Names/ends with a blank ", "x-fmt/111", "plain text, no extension; a blank at the end", text(words.LAST_BLANK)
    ),
)


def write(samples: tuple[Sample, ...], folder: Path) -> None:
    """Write each sample to its path in `folder`; raise FileExistsError rather than overwrite."""
    for sample in samples:
        path = folder / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(sample.make())
        print(sample.path)


def table(samples: tuple[Sample, ...], folder: Path) -> str:
    """Return a Markdown table of the samples, with the sizes that they have in `folder`."""
    lines = ["| file | bytes | PUID | what it is |", "|---|--:|---|---|"]
    for sample in samples:
        size = (folder / sample.path).stat().st_size
        lines.append(f"| `{sample.path}` | {size:,} | {sample.puid} | {sample.note} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--table"]:
            print(table(SAMPLES, ACCESSION))
        case [folder] if not folder.startswith("-"):
            write(SAMPLES, Path(folder))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
