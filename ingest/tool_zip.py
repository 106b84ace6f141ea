"""ZIP and what office programs put into it (OpenDocument, Office Open XML, EPUB): every member is unpacked and its
checksum checked, every XML part parsed, and the few parts that the format rests on have to be there."""

from __future__ import annotations

import importlib
import platform
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from lzma import LZMAError
from typing import Any

from lxml import etree

Looked = tuple[list[str], dict[str, str], str]
CHUNK = 1 << 20
ODF = b"application/vnd.oasis.opendocument."
EPUB = b"application/epub+zip"
BROKEN = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, ValueError, struct.error, KeyError)
STATISTICS = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"


class Unread(Exception):
    """It is encrypted, packed by a method that is not known here, or has more in it than a parser follows."""


UNCHECKED = (Unread, NotImplementedError)


def version() -> str:
    xml = importlib.import_module("tool_xml")
    return f"zipfile of Python {platform.python_version()}, lxml {xml.version()}"


def look(path: str) -> Looked:
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.flag_bits & 1 for member in archive.infolist()):
                raise Unread("it is encrypted")
            kind, problems = judged(archive)
            if kind == "OpenDocument" and b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise Unread("it is encrypted")
            problems += [problem for member in archive.infolist() for problem in read(archive, member, kind)]
            told = {"package": kind, **counted(archive), **(statistics(archive) if not problems else {})}
    except BROKEN as error:
        return [str(error) or type(error).__name__], {}, ""
    return problems, told, "\n".join(problems)


def judged(archive: zipfile.ZipFile) -> tuple[str, list[str]]:
    """What kind of package it is, and which of its pillars are not there."""
    names = archive.namelist()
    twice = [f"two members have the name {name}" for name in dict.fromkeys(names) if names.count(name) > 1]
    declared = archive.read("mimetype")[:200] if "mimetype" in names else b""
    if declared.startswith(ODF):
        return "OpenDocument", [*twice, *first(archive), *missing(names, "META-INF/manifest.xml", "content.xml")]
    if declared.strip() == EPUB or "META-INF/container.xml" in names:
        return "EPUB", [*twice, *first(archive), *missing(names, "mimetype", "META-INF/container.xml"), *roots(archive)]
    if "[Content_Types].xml" in names:
        return "Office Open XML", [*twice, *missing(names, "_rels/.rels"), *targets(archive)]
    return "ZIP", []


def first(archive: zipfile.ZipFile) -> list[str]:
    """`mimetype` is the first member, not compressed (ODF 1.3 part 2 §3.3, EPUB 3 OCF §4.2)."""
    member = archive.infolist()[0]
    if member.filename != "mimetype":
        return ["mimetype is not the first member"]
    return [] if member.compress_type == zipfile.ZIP_STORED else ["mimetype is compressed"]


def missing(names: list[str], *wanted: str) -> list[str]:
    return [f"{name} is missing" for name in wanted if name not in names]


def roots(archive: zipfile.ZipFile) -> list[str]:
    """The documents that an EPUB's container names have to be there."""
    if "META-INF/container.xml" not in archive.namelist():
        return []
    tree = parsed(archive.read("META-INF/container.xml"))
    named = [one.get("full-path", "") for one in tree.iter("{*}rootfile")]
    return missing(archive.namelist(), *named) if named else ["META-INF/container.xml names no document"]


def targets(archive: zipfile.ZipFile) -> list[str]:
    """What the package's own relationships lead to has to be there (ECMA-376 part 2 §6.5)."""
    if "_rels/.rels" not in archive.namelist():
        return []
    relations = parsed(archive.read("_rels/.rels")).iter("{*}Relationship")
    inner = [one.get("Target", "").lstrip("/") for one in relations if one.get("TargetMode") != "External"]
    return missing(archive.namelist(), *inner)


def parsed(data: bytes) -> Any:
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error


def read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: str) -> list[str]:
    """Unpack a member to its end, and parse it where it is XML of an office package."""
    is_xml = kind != "ZIP" and member.filename.endswith((".xml", ".rels", ".opf", ".ncx", ".xhtml"))
    with archive.open(member) as stream:
        if is_xml and member.file_size and (problems := wrong(member.filename, partial(stream.read, CHUNK))):
            return problems
        while stream.read(CHUNK):
            pass
    return []


def wrong(name: str, reading: Callable[[], bytes]) -> list[str]:
    """What is not well-formed in an XML part."""
    xml = importlib.import_module("tool_xml")
    try:
        return [f"{name}: {problem}" for problem in xml.parsed(reading)[0]]
    except xml.TooMuch as error:
        raise Unread(f"{name}: {error}") from error


def counted(archive: zipfile.ZipFile) -> dict[str, str]:
    members = archive.infolist()
    return {"members": str(len(members)), "bytes unpacked": str(sum(member.file_size for member in members))}


def statistics(archive: zipfile.ZipFile) -> dict[str, str]:
    """What an office program has counted: pages, words and the like."""
    names = archive.namelist()
    if "docProps/app.xml" in names:
        wanted = ("Pages", "Words", "Slides", "Application", "AppVersion")
        found = {etree.QName(one).localname: one.text or "" for one in parsed(archive.read("docProps/app.xml"))}
        return {name.lower(): found[name] for name in wanted if name in found}
    if "meta.xml" in names:
        counts = next(parsed(archive.read("meta.xml")).iter(f"{STATISTICS}document-statistic"), None)
        return {} if counts is None else {etree.QName(key).localname: value for key, value in counts.items()}
    return {}
