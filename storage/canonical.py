"""Canonical JSON (RFC 8785): the same value gives the same bytes, so that bytes can be hashed and signed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | str | Sequence[Json] | Mapping[str, Json]"

_LARGEST = 2**53 - 1  # RFC 7493 §2.2: beyond this, readers that use doubles lose digits


def canonical(value: Json) -> bytes:
    """UTF-8 without blanks, keys in ascending order (RFC 8785 §3.2.3).

    Takes no floats, no integer beyond 2**53-1, no named tuple (a Digest is one, and is written as text) and only ASCII
    keys, for which sorting by UTF-16 unit and by code point agree; raises ValueError otherwise.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _check(value: Json) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError(f"too large for canonical JSON: {value}")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise ValueError(f"not an ASCII key: {key!r}")
            _check(inner)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray) and not hasattr(value, "_fields"):
        for inner in value:
            _check(inner)
    else:
        raise ValueError(f"not canonical JSON: {value!r}")


def parse_canonical(data: bytes) -> dict[str, Json]:
    """The object that `data` is the canonical form of; raise ValueError where a single byte differs from it."""
    try:
        value = json.loads(data)
        same = canonical(value) == data
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict) or not same:
        raise ValueError("not an object in canonical JSON")
    return value
