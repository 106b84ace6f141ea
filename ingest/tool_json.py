"""JSON by Python's own reader, held to RFC 8259: UTF-8 without a mark, one value, no NaN."""

from __future__ import annotations

import json
import platform
from typing import NoReturn

Looked = tuple[list[str], dict[str, str], str]
UNCHECKED = (RecursionError,)
KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def version() -> str:
    return platform.python_version()


def look(path: str) -> Looked:
    """The first thing that is wrong with it; numbers are not made of digits without end."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=refused, parse_int=str, parse_float=str)
    except ValueError as error:
        return [str(error)], {}, ""
    told = {"encoding": "UTF-8", "value": KINDS.get(type(value), "null")}
    if isinstance(value, dict | list):
        told["members"] = str(len(value))
    return [], told, ""


def refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON (RFC 8259 §6)")
