"""Bytes of small valid files, by kind: pure, and the same for the same random generator and size."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

WORDS = tuple(
    b"the of and to in on accession archive letter harbour council minutes ledger estate map survey parish "
    b"report river mill photograph file volume box folio signed dated copy draft annual budget reply".split()
)
BLOCK = 1 << 20  # bytes


@cache
def prose() -> bytes:
    """Return about 1 MiB of lower-case words in lines, without a character that any format must escape."""
    rng = Random(1561)
    return b"\n".join(b" ".join(rng.choices(WORDS, k=rng.randint(6, 14))) for _ in range(17_000))[:BLOCK]


def words(rng: Random, size: int, newlines: bool = True) -> bytes:
    """Return `size` bytes of prose that begin with a number of their own, so that no two files are equal."""
    start = rng.randrange(len(prose()) - 64_000)
    text = (b"no %d " % rng.getrandbits(48) + prose()[start : start + size])[:size]
    return text if newlines else text.replace(b"\n", b" ")


def between(head: bytes, tail: bytes, newlines: bool = True) -> Callable[[Random, int], bytes]:
    """Return a maker of text files: `head`, prose, `tail`, together of the wanted size."""
    room = len(head) + len(tail)
    return lambda rng, size: head + words(rng, max(1, size - room), newlines) + tail


def table(rng: Random, size: int) -> bytes:
    """Return a CSV file of three columns."""
    return (b"number,place,note\n" + words(rng, size).replace(b" ", b","))[:size]


def pdf(rng: Random, size: int) -> bytes:
    """Return a PDF 1.4 of one page whose text is not compressed."""
    stream = b"BT /F1 9 Tf 40 800 Td (" + words(rng, max(40, size - 620), newlines=False) + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, table = b"%PDF-1.4\n", b"xref\n0 6\n0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return out + table + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)


def png(rng: Random, size: int) -> bytes:
    """Return a grey PNG, 64 pixels wide, of noise."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = max(1, size // 65)
    header = struct.pack(">IIBBBBB", 64, rows, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + rng.randbytes(64) for _ in range(rows)), 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff(rng: Random, size: int) -> bytes:
    """Return a grey, uncompressed TIFF, 64 pixels wide, of noise."""
    rows = max(1, size // 64)
    tags = {256: 64, 257: rows, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: rows, 279: 64 * rows}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + 64 * rows) + rng.randbytes(64 * rows) + directory


def wav(rng: Random, size: int) -> Iterator[bytes]:
    """Yield a PCM WAVE file (16 bit, mono, 48 kHz) of noise, below 4 GiB, in blocks of at most 1 MiB."""
    data = max(0, size - 44) // 2 * 2
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 48_000, 96_000, 2, 16)
    yield struct.pack("<4sI4s", b"RIFF", data + 36, b"WAVE") + sound + struct.pack("<4sI", b"data", data)
    for start in range(0, data, BLOCK):
        yield rng.randbytes(min(BLOCK, data - start))


XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<record><note>', b"</note></record>\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>note</title></head><body><p>", b"</p></body></html>\n"
MAIL = b"Received: from mail.example.org by archive.example.org; Mon, 4 Mar 2024 09:00:00 +0000\n"
MAIL += b"Message-ID: <1@example.org>\nDate: Mon, 4 Mar 2024 09:00:00 +0000\nFrom: clerk@example.org\n"
MAIL += b"To: archive@example.org\nSubject: minutes\nMIME-Version: 1.0\n\n"
MAKERS: dict[str, Callable[[Random, int], bytes]] = {
    "txt": words,
    "xml": between(*XML),
    "html": between(*HTML),
    "json": between(b'{"note": "', b'"}\n', newlines=False),
    "eml": between(MAIL, b"\n"),
    "csv": table,
    "pdf": pdf,
    "png": png,
    "tif": tiff,
    "wav": lambda rng, size: b"".join(wav(rng, size)),
}
