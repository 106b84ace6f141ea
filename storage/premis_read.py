"""Read back the PREMIS that Tianyi wrote, as a stream: what the catalogue is made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import BinaryIO

from lxml import etree

from storage.digest import Digest
from storage.premis import _HEAD, _NAMES, PATH_TYPE, File, FormatName, Happening
from storage.receive import lines
from storage.xml_text import unescaped

_NS = "{http://www.loc.gov/premis/v3}"
_ALGORITHMS = {name.encode(): algorithm for algorithm, name in _NAMES.items()}
_TOP = tuple(f"{_NS}{name}" for name in ("object", "event", "agent", "rights"))  # what lies in the root
_BEGINNING = _HEAD.encode()


def read(stream: BinaryIO) -> Iterator[File | Happening]:
    """Yield the files and events of one segment; raise ValueError where it is not PREMIS XML.

    Most lines are file objects just as `storage.premis` writes them, which an expression reads ten times sooner than
    an XML parser does; that gets all other lines, and what it finds comes at its place among them.
    """
    parser = etree.XMLPullParser(("end",), tag=_TOP, resolve_entities=False, no_network=True, huge_tree=True)
    begun, between = b"", False
    try:
        for line in lines(stream):
            if between and (plain := _PLAIN.fullmatch(line)) and not _is_other(line):
                yield _plain(plain)
                continue
            parser.feed(line + b"\n")
            ended = _ended(parser)
            between = begun == _BEGINNING and _is_between(line, ended)
            yield from _values(ended)
            if len(begun) < len(_BEGINNING):
                begun += line + b"\n"
                between = begun == _BEGINNING
        parser.close()
        yield from _values(_ended(parser))
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed PREMIS: {error}") from error


def _ended(parser: etree.XMLPullParser) -> list[etree._Element]:
    """What lies in the root, so far as it is read to its end."""
    return [element for _, element in parser.read_events() if isinstance(element, etree._Element)]


def _is_between(line: bytes, ended: Sequence[etree._Element]) -> bool:
    """Whether what follows a line that the parser has read lies directly in the root: neither in another element nor
    in a comment, where a file object would be none."""
    if not ended or b"<!" in line or b"<?" in line:
        return False
    last, parent = ended[-1], ended[-1].getparent()
    name = etree.QName(last).localname
    return parent is not None and parent.getparent() is None and line.endswith(f"</premis:{name}>".encode())


def _values(ended: Sequence[etree._Element]) -> Iterator[File | Happening]:
    for element in ended:
        meaning = _VALUES.get(element.tag)
        value = meaning(element) if meaning else None
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
        if value:
            yield value


def _is_other(line: bytes) -> bool:
    return (b"&" in line or b"\xef\xbf" in line) and _OTHER.search(line) is not None


_TEXT = r"[^<>\x00-\x1f]*"  # XML has another view of CR, and of "]]>"
_OTHER = re.compile(rb"&(?!(?:amp|lt|gt|#13);)|\xef\xbf[\xbe\xbf]")
"""What `storage.premis` never writes: other references, and U+FFFE and U+FFFF, which no XML has."""


def _holding(name: str) -> str:
    """An expression for an element that holds text, which is a group."""
    return f"<premis:{name}>({_TEXT})</premis:{name}>"


def _ungrouped(expression: str) -> str:
    return expression.replace("([", "(?:[")


_FIXITY = f"<premis:fixity>{_holding('messageDigestAlgorithm')}{_holding('messageDigest')}</premis:fixity>"
_FORMAT = (
    f"<premis:format><premis:formatDesignation>{_holding('formatName')}(?:{_holding('formatVersion')})?"
    f"</premis:formatDesignation>(?:<premis:formatRegistry>{_holding('formatRegistryName')}"
    f"{_holding('formatRegistryKey')}</premis:formatRegistry>)?"
    f"<premis:formatNote>mime: ({_TEXT})</premis:formatNote>"
    f"<premis:formatNote>basis: ({_TEXT})</premis:formatNote></premis:format>"
)
_FIXITIES, _FORMATS = re.compile(_FIXITY.encode()), re.compile(_FORMAT.encode())
_PLAIN = re.compile(
    (
        '<premis:object xsi:type="premis:file"><premis:objectIdentifier>'
        f"<premis:objectIdentifierType>{PATH_TYPE}</premis:objectIdentifierType>"
        f"{_holding('objectIdentifierValue')}</premis:objectIdentifier>"
        "<premis:objectCharacteristics><premis:compositionLevel>0</premis:compositionLevel>"
        f"((?:{_ungrouped(_FIXITY)})+)<premis:size>([0-9]+)</premis:size>((?:{_ungrouped(_FORMAT)})+)"
        f"</premis:objectCharacteristics>(?:{_holding('originalName')})?</premis:object>"
    ).encode()
)
"""A file that was not made from another."""


def _plain(found: re.Match[bytes]) -> File:
    path, fixities, size, formats, original = found.groups(b"")
    known, mime, basis = _plain_formats(formats)
    digests = tuple([_named(name, digest.decode()) for name, digest in _FIXITIES.findall(fixities)])
    return File(_said(path).partition("/")[2], int(size), digests, known, mime, basis, _said(original))


@lru_cache(1024)  # a collection has some dozens
def _plain_formats(text: bytes) -> tuple[tuple[FormatName, ...], str, str]:
    """The formats that have a PUID, MIME type and basis."""
    known = [tuple(map(_said, one.groups(b""))) for one in _FORMATS.finditer(text)]
    *_, mime, basis = known[-1]
    return tuple(FormatName(name, version, puid) for name, version, _, puid, _, _ in known if puid), mime, basis


def _said(text: bytes) -> str:
    return unescaped(text.decode()) if b"&" in text else text.decode()


def _file(element: etree._Element) -> File | None:
    """The file object; None for the AIP's own."""
    path = _path(element, "objectIdentifier/objectIdentifierValue")
    traits = element.find(f"{_NS}objectCharacteristics")
    if traits is None:
        return None
    notes = dict(note.split(": ", 1) for note in _texts(traits, "format/formatNote"))
    return File(
        path=path,
        size=int(_one(traits, "size")),
        digests=tuple(map(_digest, traits.iterfind(f"{_NS}fixity"))),
        formats=tuple(known for e in traits.iterfind(f"{_NS}format") if (known := _format(e)).puid),
        mime=notes.get("mime", ""),
        basis=notes.get("basis", ""),
        original_name=_one(element, "originalName"),
        derived_from=_path(element, "relationship/relatedObjectIdentifier/relatedObjectIdentifierValue"),
        event=_one(element, "relationship/relatedEventIdentifier/relatedEventIdentifierValue"),
        properties=tuple(map(_property, element.iterfind(f"{_NS}significantProperties"))),
    )


def _property(element: etree._Element) -> tuple[str, str]:
    return _one(element, "significantPropertiesType"), _one(element, "significantPropertiesValue")


def _event(element: etree._Element) -> Happening:
    objects = _texts(element, "linkingObjectIdentifier/linkingObjectIdentifierValue")
    return Happening(
        id=_one(element, "eventIdentifier/eventIdentifierValue"),
        type=_one(element, "eventType"),
        time=_one(element, "eventDateTime"),
        detail=_one(element, "eventDetailInformation/eventDetail"),
        outcome=_one(element, "eventOutcomeInformation/eventOutcome"),
        note=_one(element, "eventOutcomeInformation/eventOutcomeDetail/eventOutcomeDetailNote"),
        agents=tuple(_texts(element, "linkingAgentIdentifier/linkingAgentIdentifierValue")),
        objects=tuple(value.partition("/")[2] for value in objects),
    )


_VALUES: Mapping[str, Callable[[etree._Element], File | Happening | None]] = {
    f"{_NS}object": _file,
    f"{_NS}event": _event,
}


def _digest(element: etree._Element) -> Digest:
    return _named(_one(element, "messageDigestAlgorithm").encode(), _one(element, "messageDigest"))


def _named(algorithm: bytes, hexadecimal: str) -> Digest:
    """Raise ValueError for an algorithm that nobody knows."""
    return Digest(_ALGORITHMS.get(algorithm) or algorithm.decode(), hexadecimal)


def _format(element: etree._Element) -> FormatName:
    return FormatName(
        _one(element, "formatDesignation/formatName"),
        _one(element, "formatDesignation/formatVersion"),
        _one(element, "formatRegistry/formatRegistryKey"),
    )


def _path(element: etree._Element, path: str) -> str:
    """The bag path in an object's identifier (`urn:uuid:…/data/…`)."""
    return _one(element, path).partition("/")[2]


def _one(element: etree._Element, path: str) -> str:
    return element.findtext(_qualified(path)) or ""


def _texts(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(_qualified(path))]


@cache
def _qualified(path: str) -> str:
    return "/".join(_NS + step for step in path.split("/"))
