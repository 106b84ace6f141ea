"""Writes docs/reference.md from the code, so that it says what the code says: `make reference`.

tests/test_docs.py fails when the page and the code differ.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

import typer
from typer.models import OptionInfo

from ingest.codes import EARK, OCFL
from policies.errors import PolicyError
from repository import edge
from repository.cli.app import app
from repository.cli.commands import COMMANDS as NAMED
from repository.cli.commands import loaded
from repository.holdings import PREMIS_TYPES
from storage.errors import TianyiError

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"
T = TypeVar("T")
ROOMS = ("storage", "policies", "ingest", "fixity", "repository")
SEVERITIES = ("error", "warning", "info")

HEAD = """\
# Reference

Made from the code by `make reference`; do not edit it by hand.

[Commands](#commands) · [Exit codes](#exit-codes) · [Errors](#errors) · [Findings](#findings) ·
[Ledger entries](#ledger-entries)
"""
COMMANDS = """\
Every command prints tables and sentences for people, or with `--json` JSON for machines: one object, or one object
a line (JSON Lines) where it lists things. Progress and errors go to standard error; with `--json`, an error is the one
object `{"code": …, "message": …, "next": …}` on standard output.
"""
ERRORS = """\
What stops a command, as its JSON calls it. People are told a sentence and the next step.
"""
FINDINGS = """\
What the checks of a delivery can see. A [policy](how-to/write-a-policy.md) decides what each leads to, by code or by
severity. Codes that begin with `rfc8493-` name the section of RFC 8493 (BagIt) whose rule it is. Besides those listed
here there are those of [OCFL](https://ocfl.io/1.1/spec/validation-codes.html): `E092` is an error, `W004` a warning;
and the requirements of E-ARK ([CSIP](https://earkcsip.dilcis.eu), [SIP](https://earksip.dilcis.eu)): `CSIP71`,
`CSIPSTR4`, `SIP2`, an error where a MUST is broken, a warning for a SHOULD, an information for a MAY.
"""
ENTRIES = """\
The types of what the ledger holds ([vault format](vault-format.md#the-ledger)), and the terms of PREMIS's vocabulary
that `tianyi events` shows them by.
"""


class Parameter(NamedTuple):
    """An argument (without names) or option of a command; `value` is what stands for its value, "" for a switch."""

    names: tuple[str, ...]
    value: str
    help: str
    default: Any


class Found(NamedTuple):
    """A finding that some code makes; `…` stands for what is put in when it happens."""

    code: str
    severity: str
    message: str


def page() -> str:
    """The whole page."""
    parts = [
        HEAD,
        "## Commands\n", COMMANDS, *commands(),
        "## Exit codes\n", *table(("code", "meaning"), edge.EXIT_CODES.items()),
        "## Errors\n", ERRORS, *table(("code", "exit", "what happened"), errors()),
        "## Findings\n", FINDINGS, *table(Found._fields, findings()),
        "## Ledger entries\n", ENTRIES, *table(("entry", "PREMIS event type"), entries()),
    ]  # fmt: skip
    return "\n".join(parts).rstrip("\n") + "\n"


def table(head: Sequence[str], rows: Any) -> Iterator[str]:
    """Rows as a table of Markdown; the first column is code."""
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}"
    for first, *rest in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in (f'`{first}`', *rest))} |"
    yield ""


def commands() -> Iterator[str]:
    """Every command with its arguments and options, in the order of `tianyi --help`."""
    yield "### tianyi\n"
    yield from _parameters(_there(_there(app.registered_callback).callback))
    for name in NAMED:
        found, called = loaded(name), f"tianyi {name}"
        yield from _group(found, called) if isinstance(found, typer.Typer) else _command(found, called)


def _group(group: typer.Typer, name: str) -> Iterator[str]:
    callback = group.registered_callback
    if callback and callback.invoke_without_command is True:
        yield from _command(_there(callback.callback), name)
    for one in group.registered_commands:
        yield from _command(_there(one.callback), f"{name} {one.name}")
    for below in group.registered_groups:
        yield from _group(_there(below.typer_instance), f"{name} {below.name}")


def _there(value: T | None) -> T:
    """What typer's types leave open, and a registered command always has."""
    assert value is not None
    return value


def _command(function: Callable[..., Any], name: str) -> Iterator[str]:
    arguments = [_placeholder(one) for one in _said(function) if not one.names]
    yield f"### {' '.join([name, *arguments])}\n"
    yield f"{_sentence(function.__doc__)}\n"
    yield from _parameters(function)


def _parameters(function: Callable[..., Any]) -> Iterator[str]:
    shown = [one for one in _said(function) if "--json" not in one.names]
    if shown:
        rows = ((", ".join(one.names) + f" {one.value}" * bool(one.names and one.value), one) for one in shown)
        yield from table(("", ""), ((head or one.value, one.help + _default(one)) for head, one in rows))


def _said(function: Callable[..., Any]) -> Iterator[Parameter]:
    """A command's parameters, read from its signature: typer's own objects differ from release to release."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind = getattr(hints[name], "__origin__", hints[name])
        for info in getattr(hints[name], "__metadata__", ()):
            names = _names(name, info) if isinstance(info, OptionInfo) else ()
            value = "" if kind is bool else _value(name, kind, info)
            yield Parameter(names, value, _sentence(info.help), parameter.default)


def _names(name: str, option: OptionInfo) -> tuple[str, ...]:
    """The option's names as declared; typer keeps the first of them where it otherwise has a default."""
    first = [option.default] if isinstance(option.default, str) else []
    return tuple([*first, *(option.param_decls or ())] or [f"--{name.replace('_', '-')}"])


def _value(name: str, kind: Any, info: Any) -> str:
    """What stands for the value: the choices, the metavar, else the parameter's name."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    kinds = {typing.get_origin(one) for one in (kind, *typing.get_args(kind))}
    many = "…" if list in kinds and not isinstance(info, OptionInfo) else ""
    return f"{info.metavar or name.upper()}{many}"


def _placeholder(argument: Parameter) -> str:
    return argument.value if argument.default is inspect.Parameter.empty else f"[{argument.value}]"


def _default(parameter: Parameter) -> str:
    value = parameter.default
    plain = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    return f" Default: `{value}`." if plain else ""


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def errors() -> list[tuple[str, int, str]]:
    """Code, exit code and meaning of every error that people are told of, and those of the system."""
    told: dict[str, tuple[str, int, str]] = {}
    for kind in (*_below(TianyiError), *_below(PolicyError)):
        code = str(getattr(kind, "code", ""))
        if code != TianyiError.code:  # those that inherit it are roots of trees
            told.setdefault(code, (code, _exit(kind), _meaning(kind)))
    told["system"] = ("system", _exit(OSError), "The operating system refused something.")
    told["fault"] = ("fault", edge.FAULT, "A fault of Tianyi's own.")
    return sorted(told.values())


def _below(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        if child.__module__.partition(".")[0] in ROOMS:  # and not a test's
            yield child
            yield from _below(child)


def _exit(kind: type[Exception]) -> int:
    return next(edge.EDGE[parent].exit for parent in kind.__mro__ if parent in edge.EDGE)


def _meaning(kind: type[Exception]) -> str:
    """The docstring's first sentence; else the message that the constructor makes."""
    if kind.__doc__:
        return kind.__doc__.split("\n")[0].strip()
    source = (ROOT / Path(*kind.__module__.split("."))).with_suffix(".py")
    node = next(
        node for node in ast.walk(_parsed(source)) if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    calls = (call for call in ast.walk(node) if isinstance(call, ast.Call) and _called(call) == "__init__")
    return next((_text(call.args[0]).replace("….", "…") for call in calls if call.args), "")


def findings() -> list[Found]:
    """Every finding that the code of `ingest` can make, by code."""
    sources = sorted((ROOT / "ingest").glob("*.py"))
    found = {finding for source in sources for finding in _findings(_parsed(source))}
    by_code: dict[tuple[str, str], list[str]] = {}
    for one in sorted(one for one in found if one.code not in OCFL | EARK):
        by_code.setdefault((one.code, one.severity), []).append(one.message)
    return [Found(code, severity, " ".join(messages)) for (code, severity), messages in by_code.items()]


def _findings(tree: ast.Module) -> Iterator[Found]:
    """Calls of `error`, `warning` and `info`; a message that was given a name is looked up."""
    named = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _called(call) in SEVERITIES and len(call.args) >= 2:
            code, message = _text(call.args[0]), call.args[1]
            message = named.get(message.id, message) if isinstance(message, ast.Name) else message
            if re.fullmatch(r"[a-z0-9.…-]+", code) and code != "…":
                yield Found(code, _called(call), _text(message).replace("….", "…"))


def entries() -> list[tuple[str, str]]:
    """The types of ledger entries that the code writes, with their PREMIS terms."""
    sources = [source for room in ROOMS for source in (ROOT / room).rglob("*.py")]
    types = {kind for source in sources for kind in _entries(_parsed(source))}
    return [(kind, PREMIS_TYPES.get(kind, "–")) for kind in sorted(types)]


def _entries(tree: ast.Module) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        if _called(call) == "Event":
            yield from (_text(word.value) for word in call.keywords if word.arg == "type" and _is_text(word.value))
        elif _called(call) == "_note" and len(call.args) > 1 and _is_text(call.args[0]):
            yield _text(call.args[0])


def _parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _text(node: ast.expr) -> str:
    """A text as it stands in the code, `…` for what is not known before it runs."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_text, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return "…"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
