"""The kinds of file beside pictures: each function returns the bytes of a whole file.

The same bytes come out on each run: the clock stands still, and no tool may roll its dice.
Debian: libreoffice-writer-nogui, libreoffice-calc-nogui, faketime, ffmpeg, fonts-liberation,
fonts-wqy-microhei. PyPI: pillow.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import sqlite3
import struct
import subprocess
import uuid
import wave
import zipfile
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from email.generator import BytesGenerator
from email.message import EmailMessage
from hashlib import sha1
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import drawings
import pictures
import words

NOON = "2004-06-01 12:00:00"  # UTC; the one moment at which everything here is made
STEADY = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "SAL_RAND_REPEATABLE": "1"}
PDF_A_2B = 'pdf:writer_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"2"}}'

PITCH, RATE = 392, 22050  # Hz, samples in a second
BELL = ((0.5, 0.7, 1.2), (1.0, 1.0, 2.0), (1.19, 0.6, 2.6), (2.0, 0.4, 4.0), (2.74, 0.25, 6.0))
FRAMES, WIDTH, HEIGHT = 18, 128, 96
EXACT = ("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")
MP3 = ("-ar", "44100", "-b:a", "64k")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "48k")
FFV1 = ("-c:v", "ffv1", "-level", "3", "-g", "1", "-slices", "4", "-slicecrc", "1", "-c:a", "flac")


def run(*command: str, folder: Path) -> None:
    """Run a tool in `folder`; raise CalledProcessError or TimeoutExpired when it fails."""
    steady = {**os.environ, **STEADY}
    subprocess.run(command, cwd=folder, env=steady, check=True, capture_output=True, timeout=120)


def office(flat: str, target: str, source: str = "fodt") -> bytes:
    """Turn flat OpenDocument into another format; `target` is LibreOffice's `--convert-to`."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"flat.{source}").write_text(flat, encoding="utf-8")
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        convert = ("--headless", "--convert-to", target, f"flat.{source}")
        run("faketime", "-f", NOON, "soffice", profile, *convert, folder=folder)
        return (folder / f"flat.{target.partition(':')[0]}").read_bytes()


def bell() -> bytes:
    """Return one stroke of a bell: five partials that die away (WAV, 16 bits, mono, 1.5 s)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        for t in (step / RATE for step in range(RATE * 3 // 2)):
            parts = (a * math.exp(-d * t) * math.sin(math.tau * PITCH * f * t) for f, a, d in BELL)
            sound.writeframesraw(struct.pack("<h", round(9000 * min(1.0, 400 * t) * sum(parts))))
    return file.getvalue()


def sound(kind: str, *options: str) -> bytes:
    """Return the bell in another format."""
    return encoded(kind, ("-i", "bell.wav"), options)


def film(kind: str, *options: str) -> bytes:
    """Return the voyage of the junk, with the bell as its sound."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "12")
    return encoded(kind, (*raw, "-i", "voyage.rgb", "-i", "bell.wav"), options)


def encoded(kind: str, sources: Sequence[str], options: Sequence[str]) -> bytes:
    """Run FFmpeg over the bell and the voyage."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bell.wav").write_bytes(bell())
        frames = drawings.voyage(FRAMES, WIDTH, HEIGHT)
        (folder / "voyage.rgb").write_bytes(b"".join(frame.tobytes() for frame in frames))
        title = ("-metadata", "title=The harbour bell")
        run("ffmpeg", "-nostdin", *sources, *options, *EXACT, *title, f"out.{kind}", folder=folder)
        return (folder / f"out.{kind}").read_bytes()


def csv_of_ships() -> bytes:
    """Return the register as RFC 4180 text in UTF-8, with headings in two languages."""
    file = io.StringIO()
    csv.writer(file).writerows([words.HEADINGS, *map(astuple, words.SHIPS)])
    return file.getvalue().encode()


def json_of_ships() -> bytes:
    """Return the register as JSON."""
    register = {"office": words.OFFICE, "ships": [asdict(ship) for ship in words.SHIPS]}
    return (json.dumps(register, ensure_ascii=False, indent=1) + "\n").encode()


def xml_of_ships() -> bytes:
    """Return the register as XML."""
    root = ElementTree.Element("register", {"office": words.OFFICE, "xml:lang": "en"})
    for ship in words.SHIPS:
        line = ElementTree.SubElement(root, "ship", number=str(ship.number), berth=ship.berth)
        ElementTree.SubElement(line, "name").text = ship.name
        ElementTree.SubElement(line, "name", {"xml:lang": "zh"}).text = ship.chinese
        ElementTree.SubElement(line, "arrived").text = ship.arrived
    ElementTree.indent(root)
    whole: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return whole + b"\n"


def database_of_ships() -> bytes:
    """Return the register as an SQLite database of one table."""
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE TABLE ship (number INTEGER PRIMARY KEY, name TEXT, chinese TEXT, berth TEXT,"
        " tons INTEGER, arrived TEXT, dues INTEGER)"
    )
    database.executemany("INSERT INTO ship VALUES (?,?,?,?,?,?,?)", map(astuple, words.SHIPS))
    database.commit()
    return database.serialize()


def mailbox() -> bytes:
    """Return an mbox of two letters (RFC 4155), the first with a list and a drawing attached."""
    file = io.BytesIO()
    for number, (date, subject, body) in enumerate(words.LETTERS, start=1):
        letter = EmailMessage()
        letter["From"] = "Lin Shuyuan <lin@harbour.example>"
        letter["To"] = "Registry <registry@harbour.example>"
        letter["Date"], letter["Subject"] = date, subject
        letter["Message-ID"] = f"<1991-{number}@harbour.example>"
        letter.set_content(body, cte="8bit")
        if number == 1:
            attach(letter)
        file.write(f"From lin@harbour.example {postmark(date)}\n".encode())
        BytesGenerator(file, mangle_from_=True).flatten(letter)
        file.write(b"\n")
    return file.getvalue()


def attach(letter: EmailMessage) -> None:
    """Add the list of ships and the drawing of the book, behind a boundary that stays the same."""
    drawing = pictures.picture(drawings.book(64, 48), "PNG")
    letter.add_attachment(csv_of_ships(), "text", "csv", filename="soundings.csv")
    letter.add_attachment(drawing, "image", "png", filename="quay.png")
    letter.set_boundary("=_1991_survey")


def postmark(date: str) -> str:
    """Return an RFC 5322 date as an mbox separator writes it: Mon Mar  4 09:12:00 1991."""
    weekday, day, month, year, clock, _zone = date.replace(",", "").split()
    return f"{weekday} {month} {int(day):2} {clock} {year}"


def parcel(members: Mapping[str, bytes], stored: Sequence[str] = ()) -> bytes:
    """Return a ZIP of the members in their order, all deflated but those named as `stored`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1994, 12, 20, 9, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            whole.writestr(info, content)
    return file.getvalue()


def zipped() -> bytes:
    """Return a ZIP which holds a text, a table and a picture, one of them named in Chinese."""
    members = {
        "surveys/note.txt": words.MEMORANDUM.encode(),
        "surveys/ships.csv": csv_of_ships(),
        "surveys/海港.png": pictures.picture(drawings.harbour(96, 72), "PNG"),
    }
    return parcel(members)


def gzipped() -> bytes:
    """Return the register as CSV, compressed (RFC 1952)."""
    return gzip.compress(csv_of_ships(), mtime=0)


def book() -> bytes:
    """Return the guide as an EPUB 3 of one chapter; `mimetype` comes first and is stored."""
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": words.EPUB_CONTAINER,
        "guide.opf": words.EPUB_PACKAGE.format(text=words.GUIDE),
        "contents.xhtml": words.EPUB_CONTENTS.format(text=words.GUIDE),
        "guide.xhtml": words.EPUB_CHAPTER.format(text=words.GUIDE, body=prose(words.GUIDE)),
    }
    return parcel({name: text.encode() for name, text in members.items()}, stored=["mimetype"])


def prose(text: words.Text) -> str:
    """Return the paragraphs as XHTML."""
    return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.paragraphs)


def notice_page() -> bytes:
    """Return the notice of berths as XHTML 1.0 Strict."""
    return words.XHTML.format(text=words.NOTICE, body=prose(words.NOTICE)).encode()


def tide_page() -> bytes:
    """Return a table of tides as HTML 5."""
    lines = ("".join(f"<td>{value}</td>" for value in tide) for tide in words.TIDES)
    return words.HTML.format(rows="\n".join(f"<tr>{line}</tr>" for line in lines)).encode()


def web_capture() -> bytes:
    """Return a WARC 1.1 file (ISO 28500): what it is, and the answer that held the tide page."""
    page = tide_page()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
    about = f"software: hand-made\r\npublisher: {words.ARCHIVE}\r\n".encode()
    answer = {
        "WARC-Target-URI": "http://harbour.example/tides.html",
        "WARC-Payload-Digest": f"sha1:{b32encode(sha1(page).digest()).decode()}",
    }
    return warc_record("warcinfo", "application/warc-fields", about, {}) + warc_record(
        "response", "application/http; msgtype=response", head.encode() + page, answer
    )


def warc_record(kind: str, media: str, block: bytes, more: Mapping[str, str]) -> bytes:
    """Return one record: its named fields, its block, and the two empty lines after it."""
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<{uuid.uuid5(uuid.NAMESPACE_URL, f'harbour.example/{kind}').urn}>",
        "WARC-Date": f"{NOON.replace(' ', 'T')}Z",
        **more,
        "Content-Type": media,
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"WARC/1.1\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"
