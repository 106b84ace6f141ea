"""A table of signatures ready for matching, and its bytes: what is kept between runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ingest.identify import Format
from ingest.needs import Needs
from ingest.signatures import Pattern, Rule, Signatures

_DIGEST, _LENGTH = 32, 8  # bytes: SHA-256 of all that follows it; how long the JSON is, and the database comes behind


@dataclass(frozen=True, slots=True)
class Prepared:
    """`needs` are those of each pattern, by its number; `database` is the Finder's, b"" for the plain one."""

    signatures: Signatures
    needs: Sequence[Needs]
    database: bytes


def to_bytes(prepared: Prepared) -> bytes:
    """Return it as bytes that `from_bytes` takes."""
    text = json.dumps(_table(prepared), separators=(",", ":")).encode()
    rest = len(text).to_bytes(_LENGTH) + text + prepared.database
    return sha256(rest).digest() + rest


def from_bytes(data: bytes) -> Prepared:
    """Return what `to_bytes` was given; raise ValueError for bytes that are not whole."""
    rest = memoryview(data)[_DIGEST:]
    if sha256(rest).digest() != data[:_DIGEST]:
        raise ValueError("not what was written")
    end = _LENGTH + int.from_bytes(rest[:_LENGTH])
    return _read(json.loads(bytes(rest[_LENGTH:end])), bytes(rest[end:]))


def _table(prepared: Prepared) -> dict[str, Any]:
    """JSON has no bytes: each is written as the character of its number (ISO 8859-1)."""
    signatures = prepared.signatures
    numbers: dict[Pattern, int] = {}
    rules = [
        [
            rule.format.puid, rule.format.name, rule.format.version, rule.format.mime,
            [[numbers.setdefault(one, len(numbers)) for one in signature] for signature in rule.signatures],
            sorted(rule.extensions), sorted(rule.beats), rule.container,
        ]
        for rule in signatures.rules
    ]  # fmt: skip
    return {
        "version": signatures.version,
        "dialect": signatures.dialect,
        "patterns": [[one.position, _text(one.expression)] for one in numbers],
        "rules": rules,
        "containers": {
            kind: {path: [[puid, _text(data)] for puid, data in many] for path, many in contents.items()}
            for kind, contents in signatures.containers.items()
        },
        "needs": [[[*map(_text, one.beginnings)], [*map(_text, one.literals)]] for one in prepared.needs],
    }


def _read(table: dict[str, Any], database: bytes) -> Prepared:
    patterns = [Pattern(position, _data(expression)) for position, expression in table["patterns"]]
    rules = tuple(
        Rule(
            Format(puid, name, version, mime),
            tuple(tuple(patterns[number] for number in one) for one in signatures),
            frozenset(extensions), frozenset(beats), container,
        )
        for puid, name, version, mime, signatures, extensions, beats, container in table["rules"]
    )  # fmt: skip
    containers = {
        kind: {path: tuple((puid, _data(text)) for puid, text in many) for path, many in contents.items()}
        for kind, contents in table["containers"].items()
    }
    needs = tuple(Needs(tuple(map(_data, first)), tuple(map(_data, others))) for first, others in table["needs"])
    return Prepared(Signatures(table["version"], rules, containers, table["dialect"]), needs, database)


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _data(text: str) -> bytes:
    return text.encode("latin-1")
