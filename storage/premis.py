"""PREMIS 3 as values → a stream of XML, in segments, so that memory does not grow with the package.

One segment holds at most OBJECTS objects; the first also holds the version's events and agents, and the AIP itself is
one of its objects. Elements are written by templates, in the order of premis-v3-0.xsd; every text goes through `_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from storage.digest import Digest
from storage.xml_text import escaped

OBJECTS = 10_000  # of one segment
REGISTRY = "PRONOM"
PATH_TYPE = "AIP and bag path"  # an object's identifier: urn:uuid:…/data/…
_NAMES = {"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384",
          "sha512": "SHA-512", "sm3": "SM3", **{f"blake2b-{bits}": f"BLAKE2b-{bits}" for bits in (160, 256, 384, 512)}
          }  # fmt: skip  # the Library of Congress's vocabulary, SM3 added


class FormatName(NamedTuple):
    """A format (PREMIS 3 §1.5.4): its name, version and PUID, "" where there is none."""

    name: str
    version: str = ""
    puid: str = ""


class File(NamedTuple):
    """A file object. `path` is its bag path, `original_name` the path that it came under (escaped, "" if made here).

    `derived_from` is the bag path of the file that it was made from and `event` the event that made it. `properties`
    are significant properties (§1.4), by name.
    """

    path: str
    size: int
    digests: Sequence[Digest]
    formats: Sequence[FormatName]
    mime: str
    basis: str
    original_name: str = ""
    derived_from: str = ""
    event: str = ""
    properties: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who or what acted: `kind` is "software", "organization" or "person"."""

    id: str
    name: str
    kind: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event (PREMIS 3 §2) of files or of the whole AIP; `objects` are bag paths, "" being the AIP itself."""

    id: str
    type: str
    time: str
    detail: str = ""
    outcome: str = ""
    note: str = ""
    agents: Sequence[str] = ()
    objects: Sequence[str] = ("",)


@dataclass(frozen=True, slots=True)
class Rights:
    """A rights statement (PREMIS 3 §4.1) of the whole AIP, by agreement with its producer: `agreement` names it, `note`
    says who may do what, `restrictions` what nobody may; "" where nothing was said."""

    id: str
    agreement: str = ""
    note: str = ""
    restrictions: str = ""


_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<premis:premis xmlns:premis="http://www.loc.gov/premis/v3"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">\n'
)
_TAIL = "</premis:premis>\n"


def segments(
    aip: str, files: Iterable[File], events: Iterable[Happening], agents: Iterable[Agent], rights: Iterable[Rights] = ()
) -> Iterator[Iterator[bytes]]:
    """Yield each segment as an iterator of its bytes, to be exhausted before the next is asked for.

    PREMIS wants objects before events before agents before rights; an AIP without new files has one segment.
    """
    remaining = iter(files)
    upcoming = next(remaining, None)
    closing = [*(_event(aip, event) for event in events), *map(_agent, agents), *(_rights(aip, one) for one in rights)]
    while upcoming is not None or closing:
        room = OBJECTS - 1 if closing else OBJECTS  # the AIP itself is an object, too
        some = [] if upcoming is None else [upcoming, *islice(remaining, room - 1)]
        upcoming = next(remaining, None)
        yield _segment(aip, some, closing)
        closing = []


def _segment(aip: str, files: Sequence[File], closing: Sequence[str]) -> Iterator[bytes]:
    yield _HEAD.encode()
    if closing:
        yield _whole(aip).encode()
    for file in files:
        yield _file(aip, file).encode()
    yield from (part.encode() for part in closing)
    yield _TAIL.encode()


def _whole(aip: str) -> str:
    """The AIP itself, as an intellectual entity, so that events have it to point at."""
    return (
        '<premis:object xsi:type="premis:intellectualEntity">'
        f"{_identifier('object', PATH_TYPE, f'{aip}/')}</premis:object>\n"
    )


def _file(aip: str, file: File) -> str:
    path, size, digests, formats, mime, basis, original_name, derived_from, _, properties = file
    original = _element("originalName", original_name) if original_name else ""
    derivation = _derivation(aip, file) if derived_from else ""
    return (
        f'<premis:object xsi:type="premis:file">{_OBJECT[0]}{_text(aip)}/{_text(path)}{_OBJECT[1]}'
        f"{''.join([_property(*one) for one in properties])}"
        "<premis:objectCharacteristics><premis:compositionLevel>0</premis:compositionLevel>"
        f"{''.join(map(_fixity, digests))}<premis:size>{size}</premis:size>"
        f"{_formats(tuple(formats), mime, basis)}</premis:objectCharacteristics>"
        f"{original}{derivation}</premis:object>\n"
    )


def _property(name: str, value: str) -> str:
    return (
        f"<premis:significantProperties>{_element('significantPropertiesType', name)}"
        f"{_element('significantPropertiesValue', value)}</premis:significantProperties>"
    )


def _fixity(digest: Digest) -> str:
    return (
        f"<premis:fixity><premis:messageDigestAlgorithm>{_NAMES[digest.algorithm]}</premis:messageDigestAlgorithm>"
        f"<premis:messageDigest>{digest.hexadecimal}</premis:messageDigest></premis:fixity>"
    )


@lru_cache(1024)
def _formats(formats: Sequence[FormatName], mime: str, basis: str) -> str:
    """One `format` for each that fits; the name is the MIME type where no format was recognised."""
    return "".join(_each_format(formats or (FormatName(mime),), mime, basis))


def _each_format(formats: Sequence[FormatName], mime: str, basis: str) -> Iterator[str]:
    notes = _element("formatNote", f"mime: {mime}") + _element("formatNote", f"basis: {basis}")
    for known in formats:
        version = _element("formatVersion", known.version) if known.version else ""
        registry = (
            f"<premis:formatRegistry>{_element('formatRegistryName', REGISTRY)}"
            f"{_element('formatRegistryKey', known.puid)}</premis:formatRegistry>"
            if known.puid
            else ""
        )
        yield (
            f"<premis:format><premis:formatDesignation>{_element('formatName', known.name)}{version}"
            f"</premis:formatDesignation>{registry}{notes}</premis:format>"
        )


def _derivation(aip: str, file: File) -> str:
    event = _identifier("relatedEvent", "UUID", file.event) if file.event else ""
    return (
        f"<premis:relationship>{_element('relationshipType', 'derivation')}"
        f"{_element('relationshipSubType', 'has source')}"
        f"{_identifier('relatedObject', PATH_TYPE, f'{aip}/{file.derived_from}')}{event}</premis:relationship>"
    )


def _event(aip: str, event: Happening) -> str:
    detail = _element("eventDetail", event.detail) if event.detail else ""
    note = _element("eventOutcomeDetailNote", event.note) if event.note else ""
    parts = [
        f"<premis:event>{_identifier('event', 'UUID', event.id)}",
        _element("eventType", event.type),
        _element("eventDateTime", event.time),
        f"<premis:eventDetailInformation>{detail}</premis:eventDetailInformation>" if detail else "",
        f"<premis:eventOutcomeInformation>{_element('eventOutcome', event.outcome)}",
        f"<premis:eventOutcomeDetail>{note}</premis:eventOutcomeDetail>" if note else "",
        "</premis:eventOutcomeInformation>",
        *(_identifier("linkingAgent", "local", agent) for agent in event.agents),
        *(_identifier("linkingObject", PATH_TYPE, f"{aip}/{path}") for path in event.objects),
        "</premis:event>\n",
    ]
    return "".join(parts)


def _agent(agent: Agent) -> str:
    version = _element("agentVersion", agent.version) if agent.version else ""
    return (
        f"<premis:agent>{_identifier('agent', 'local', agent.id)}{_element('agentName', agent.name)}"
        f"{_element('agentType', agent.kind)}{version}</premis:agent>\n"
    )


def _rights(aip: str, rights: Rights) -> str:
    """Its basis is "other", as the agreement with a producer is none of the other three of the vocabulary."""
    agreement, note = rights.agreement, rights.note
    document = _identifier("otherRightsDocumentation", "agreement", agreement) if agreement else ""
    granted = f"{_element('act', 'use')}{_element('restriction', rights.restrictions)}"
    return (
        f"<premis:rights><premis:rightsStatement>{_identifier('rightsStatement', 'UUID', rights.id)}"
        f"{_element('rightsBasis', 'other')}<premis:otherRightsInformation>{document}"
        f"{_element('otherRightsBasis', 'agreement')}{_element('otherRightsNote', note) if note else ''}"
        "</premis:otherRightsInformation>"
        f"{f'<premis:rightsGranted>{granted}</premis:rightsGranted>' if rights.restrictions else ''}"
        f"{_identifier('linkingObject', PATH_TYPE, f'{aip}/')}</premis:rightsStatement></premis:rights>\n"
    )


def _identifier(what: str, kind: str, value: str) -> str:
    return (
        f"<premis:{what}Identifier>{_element(f'{what}IdentifierType', kind)}"
        f"{_element(f'{what}IdentifierValue', value)}</premis:{what}Identifier>"
    )


def _element(name: str, text: str) -> str:
    return f"<premis:{name}>{_text(text)}</premis:{name}>"


def _text(text: str) -> str:
    """Text as XML 1.0 keeps it: CR by reference, what XML cannot hold as U+FFFD (names never have any)."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or _allowed(c) else "\ufffd" for c in text)
    return escaped(text)


def _allowed(character: str) -> bool:
    point = ord(character)
    return point in (0x9, 0xA, 0xD) or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point > 0xFFFF


_OBJECT = _identifier("object", PATH_TYPE, "?").split("?")  # what is around the one that each of millions has
