"""An RO-Crate's metadata document as values, pure: hostile JSON, held against what RO-Crate 1.1 and 1.2 ask of it.

Only what must be so wherever a crate comes from; the profiles that a crate names are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.describe import DublinCore
from ingest.finding import Finding, error, warning

NAMES = (b"ro-crate-metadata.json", b"ro-crate-metadata.jsonld")  # the latter until version 1.0
_SPEC = re.compile(r"https?://w3id\.org/ro/crate/([0-9]+\.[0-9]+)(?:-[A-Za-z0-9]+)?/?")
_CONTEXT = re.compile(r"https?://w3id\.org/ro/crate/[^/]+/context")
_DUBLIN_CORE = {
    "name": "title", "description": "description", "datePublished": "date", "license": "rights", "author": "creator",
    "creator": "creator", "publisher": "publisher", "keywords": "subject", "identifier": "identifier",
    "inLanguage": "language", "contributor": "contributor",
}  # fmt: skip
_LITERAL = {"@value", "@list", "@set"}  # what makes a JSON object no entity (JSON-LD 1.0 §6)
_MOST, _LONGEST = 1_000, 10_000  # values of one property that are told, and characters of one

Entity = Mapping[str, Any]


class NotCrate(ValueError):
    """The bytes are no metadata document; the message says why, as a sentence's rest."""


@dataclass(frozen=True, slots=True)
class Crate:
    """A metadata document: its entities by identifier, the version that its descriptor claims ("" none), and the
    identifier of the root data entity ("" where there is none)."""

    entities: Mapping[str, Entity]
    version: str
    root: str
    profiles: Sequence[str]

    def files(self) -> Iterator[Entity]:
        """Yield the entities that are files."""
        return (entity for entity in self.entities.values() if "File" in _types(entity))

    def folders(self) -> Iterator[Entity]:
        """Yield the entities that are folders, but for the root."""
        for identifier, entity in self.entities.items():
            if "Dataset" in _types(entity) and identifier != self.root:
                yield entity


def read(data: bytes, name: str) -> tuple[Crate, list[Finding]]:
    """Read the document of that name, and say what is wrong with it; raise NotCrate where nothing can be read."""
    graph, context = _graph(data)
    findings = list(_contexts(context, name))
    entities: dict[str, Entity] = {}
    for number, entity in enumerate(graph, start=1):
        identifier = entity.get("@id") if isinstance(entity, dict) else None
        if not isinstance(entity, dict) or not isinstance(identifier, str) or not _types(entity):
            findings.append(error("rocrate-entity", f"Entity {number} has no @id or no @type.", name))
        elif identifier in entities:
            findings.append(error("rocrate-entity", f"{identifier[:200]} is there twice.", name))
        else:
            entities[identifier] = entity
            findings += _flat(entity, identifier, name)
    descriptor = _descriptor(entities)
    root = _reference(descriptor.get("about")) if descriptor else ""
    conforms = _references(descriptor.get("conformsTo")) if descriptor else []
    version = next((known[1] for known in map(_SPEC.fullmatch, conforms) if known), "")
    profiles = _references(entities.get(root, {}).get("conformsTo"))
    crate = Crate(entities, version, root if root in entities else "", [*conforms, *profiles])
    findings += _described(crate, descriptor, name)
    findings += _unlinked(crate, name)
    return crate, findings


def core(crate: Crate) -> DublinCore:
    """What the root data entity says, as Dublin Core; references are followed to their names."""
    found: dict[str, tuple[str, ...]] = {}
    root = crate.entities.get(crate.root, {})
    for name, element in _DUBLIN_CORE.items():
        for value in _listed(root.get(name))[:_MOST]:
            if (text := _named(value, crate)[:_LONGEST]) and text not in found.get(element, ()):
                found[element] = (*found.get(element, ()), text)
    return found


def is_local(identifier: str) -> bool:
    """Whether an identifier is a path in the crate, not a URL, a fragment or a blank node."""
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|#|_:|//", identifier)


def _graph(data: bytes) -> tuple[list[Any], Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # no half characters
    except UnicodeError as failure:
        raise NotCrate("it is not UTF-8") from failure
    except (ValueError, RecursionError) as failure:
        raise NotCrate(f"it is not JSON ({str(failure)[:200]})") from failure
    graph = document.get("@graph") if isinstance(document, dict) else None
    if not isinstance(graph, list):
        raise NotCrate("it has no @graph, a list of entities")
    return graph, document.get("@context")


def _contexts(context: Any, name: str) -> Iterator[Finding]:
    named = [one for one in _listed(context) if isinstance(one, str)]
    if not any(map(_CONTEXT.fullmatch, named)):
        yield error("rocrate-context", "Its @context does not name RO-Crate's.", name)


def _flat(entity: Entity, identifier: str, name: str) -> Iterator[Finding]:
    """Entities refer to others by @id alone; values of JSON-LD (@value) are no entities."""
    for key, value in entity.items():
        for one in _listed(value):
            if isinstance(one, dict) and set(one) != {"@id"} and not _LITERAL & set(one):
                yield error("rocrate-entity", f"{key[:100]} of {identifier[:200]} is not a reference by @id.", name)
                return


def _descriptor(entities: Mapping[str, Entity]) -> Entity | None:
    own = [one.decode() for one in NAMES]
    exact = next((entities[one] for one in (*own, *(f"./{one}" for one in own)) if one in entities), None)
    return exact or next((e for i, e in entities.items() if i.endswith(tuple(f"/{one}" for one in own))), None)


def _described(crate: Crate, descriptor: Entity | None, name: str) -> Iterator[Finding]:
    """The document describes itself, and says which entity is the root."""
    if descriptor is None:
        yield error("rocrate-descriptor", "It has no entity that describes the document itself.", name)
        return
    if "CreativeWork" not in _types(descriptor):
        yield error("rocrate-descriptor", "The @type of the descriptor is not CreativeWork.", name)
    if not crate.version:
        yield error("rocrate-descriptor", "Its conformsTo names no version of RO-Crate.", name)
    if not crate.root:
        yield error("rocrate-root", "The descriptor's about names no entity that is there.", name)
    else:
        yield from _rooted(crate, crate.entities[crate.root], name)


def _unlinked(crate: Crate, name: str) -> Iterator[Finding]:
    """Files and folders are linked to the root by hasPart, directly or through others (1.1 "Data Entities")."""
    reached: set[str] = set()
    waiting = [crate.root]
    while waiting:
        identifier = waiting.pop()
        if identifier not in reached:
            reached.add(identifier)
            waiting += _references(crate.entities.get(identifier, {}).get("hasPart"))
    for entity in (*crate.files(), *crate.folders()):
        if crate.root and is_local(entity["@id"]) and entity["@id"] not in reached:
            yield error("rocrate-unlinked", f"No hasPart leads from the root to {entity['@id'][:200]}.", name)


def _rooted(crate: Crate, root: Entity, name: str) -> Iterator[Finding]:
    """The root data entity says what it is."""
    if "Dataset" not in _types(root):
        yield error("rocrate-root", "The @type of the root data entity is not Dataset.", name)
    for key in ("name", "description", "datePublished", "license"):
        if not any(_named(value, crate) for value in _listed(root.get(key))):
            yield error("rocrate-root", f"The root data entity has no {key}.", name)
    if is_local(crate.root) and not crate.root.endswith("/"):
        yield error("rocrate-root", f"Its @id is neither a URI nor a folder's path: {crate.root[:200]}.", name)
    if len(_listed(root.get("datePublished"))) > 1:
        yield error("rocrate-root", "The root data entity has more than one datePublished.", name)
    for value in _listed(root.get("datePublished")):
        text = _named(value, crate)
        if text and not _is_date(text):
            yield error("rocrate-root", f"datePublished is not a date of ISO 8601: {text[:100]}.", name)
        elif text and len(text) < len("2026-01-01"):
            yield warning("rocrate-root", f"datePublished names no day: {text[:100]}.", name)


def _is_date(text: str) -> bool:
    try:
        if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", text):
            return True
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _types(entity: Entity) -> list[str]:
    return [one for one in _listed(entity.get("@type")) if isinstance(one, str)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _reference(value: Any) -> str:
    return next(iter(_references(value)), "")


def _references(value: Any) -> list[str]:
    return [str(one["@id"]) for one in _listed(value) if isinstance(one, dict) and isinstance(one.get("@id"), str)]


def _named(value: Any, crate: Crate) -> str:
    """A value as text: a literal, or the name of what it refers to, else the identifier."""
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
    if isinstance(value, dict):
        identifier = _reference(value)
        names = _listed(crate.entities.get(identifier, {}).get("name"))
        return next((str(one) for one in names if isinstance(one, str) and one.strip()), identifier).strip()
    return str(value).strip() if isinstance(value, str | int | float) else ""
