"""pydantic's errors → mistakes that an officer can correct: the line, the field, the words, the likely meaning."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policies.errors import Mistake, PolicyFileError
from policies.text import Document

_MAPPING = frozenset({"model_type", "dict_type", "mapping_type", "model_attributes_type"})
_LIST = frozenset({"tuple_type", "list_type"})


def explain(error: ValidationError, document: Document, kind: type[BaseModel]) -> PolicyFileError:
    """Every error, each with the line of `document` where it is written."""
    return PolicyFileError([_mistake(detail, document, kind) for detail in error.errors(include_url=False)])


def unknown_code(document: Document, code: str, codes: Collection[str]) -> Mistake:
    """A code in `findings.codes` that no finding has."""
    path = ("findings", "codes", code)
    near = get_close_matches(code, codes, n=1)
    told = f"; did you mean {near[0]}?" if near else ""
    fix = "The reference lists the codes of findings."
    return Mistake(document.source, document.line(path), dotted(path), f"no finding has this code{told}", fix)


def _mistake(detail: ErrorDetails, document: Document, kind: type[BaseModel]) -> Mistake:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    wrong, fix = _words(detail, path, kind)
    return Mistake(document.source, document.line(path), dotted(path), wrong, fix)


def _words(detail: ErrorDetails, path: Sequence[str | int], kind: type[BaseModel]) -> tuple[str, str]:
    """(what is wrong, what to do)."""
    error = detail["type"]
    if error == "extra_forbidden" or (detail["loc"][-1:] == ("[key]",) and error == "literal_error"):
        return _unknown(str(path[-1]), names_at(kind, path[:-1]))
    if error == "missing":
        return "this field is missing", f"Add {dotted(path)}."
    if error in _MAPPING:
        return "fields belong here, as `name: value`", "Write its fields below it, indented, or leave it out."
    if error in _LIST:
        return "a list belongs here, as `[one, two]`", "Write a list, or leave it out."
    if error == "too_short":
        return "this list is empty", f"Name at least one in {dotted(path)}."
    wrong = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{wrong}{_given(detail['input'])}", f"Give {dotted(path)} another value."


def _unknown(name: str, known: Sequence[str]) -> tuple[str, str]:
    near = get_close_matches(name, known, n=1)
    told = f"; did you mean {near[0]}?" if near else ""
    return f"unknown field{told}", f"Known here: {', '.join(known)}."


def _given(value: object) -> str:
    if value is None:
        return " (here: nothing)"
    return f" (here: {value!r:.60})" if isinstance(value, str | int) else ""


def names_at(shape: Any, path: Sequence[str | int]) -> list[str]:
    """The fields that may stand at `path` below the model `shape`; none where any name may."""
    for step in path:
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            shape = shape.model_fields[str(step)].annotation
        else:  # Mapping[key, value] and tuple[item, ...]
            shape = [inner for inner in get_args(shape) if inner is not Ellipsis][-1]
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return list(shape.model_fields)
    keys = get_args(shape)[0] if get_origin(shape) is Mapping else None
    return list(get_args(keys)) if get_origin(keys) is Literal else []


def dotted(path: Sequence[str | int]) -> str:
    """`rules[0].to` for ("rules", 0, "to"); what cannot be printed is escaped."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return text if text.isprintable() else ascii(text)
