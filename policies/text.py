"""YAML text → plain values with the line of each: mappings, lists, text, decimal integers and nothing else.

YAML 1.1 reads `no` as false, `010` as 8, `1:30` as 90 and `2026-01-01` as a date. Here these stay the text that was
written, and the model of the policy judges them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.errors import Mistake, PolicyFileError

LARGEST = 256 * 1024  # characters of a policy file
DEEPEST = 20  # mappings and lists inside one another
_KNOWN = frozenset(f"tag:yaml.org,2002:{name}" for name in (
    "map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value",
))  # fmt: skip
_INTEGER = re.compile(r"-?(0|[1-9][0-9_]{0,24})")

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, its name for messages, and the line (from 1) of every field, by its path."""

    source: str
    values: Mapping[str, Any]
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, path: Path) -> int:
        """The line of the field, or of the nearest one around it that is written in this file."""
        return next((self.lines[at] for n in range(len(path), -1, -1) if (at := tuple(path[:n])) in self.lines), 0)


def read(text: str, source: str) -> Document:
    """The document; raise PolicyFileError for what is not YAML, too large, or not one mapping. Empty text is {}."""
    if len(text) > LARGEST:
        raise _mistake(source, 0, f"over {LARGEST} characters", "Keep policies small.")
    try:
        return _document(_Loader(text), source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        wrong = ", ".join(part for part in (error.context, error.problem) if part)
        raise _mistake(source, mark.line + 1 if mark else 0, wrong) from error
    except yaml.reader.ReaderError as error:  # characters that YAML 1.1 §5.1 does not allow
        line = text.count("\n", 0, error.position) + 1
        raise _mistake(source, line, "a control character", "Remove it.") from error


def shipped(text: str) -> Mapping[str, Any]:
    """The values of a document of our own, in which nobody looks for mistakes: by libyaml, where PyYAML has it, which
    is ten times as fast."""
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {} if root is None else _value(root)


def _document(loader: _Loader, source: str) -> Document:
    root = loader.get_single_node()
    if root is None:
        return Document(source, {}, {(): 1})
    if not isinstance(root, MappingNode):
        raise _mistake(source, root.start_mark.line + 1, "not a mapping of fields", "Write fields as `name: value`.")
    return Document(source, _value(root), {(): root.start_mark.line + 1, **dict(_lines(root, ()))})


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses anchors (so that nothing can multiply) and bounds nesting."""

    nesting = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _fault(event, "anchors and aliases are not used here: write the value out")
        if self.nesting >= DEEPEST:
            raise _fault(event, f"nested more than {DEEPEST} deep")
        self.nesting += 1
        node: Node | None = super().compose_node(parent, index)
        self.nesting -= 1
        return node


def _value(node: Node) -> Any:
    if node.tag not in _KNOWN:
        raise _fault(node, f"a value of type {node.tag} is not used here")
    if isinstance(node, MappingNode):
        _check_keys(node)
        return {key.value: _value(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    if node.tag.endswith(":int") and _INTEGER.fullmatch(node.value):
        return int(node.value)
    return None if node.tag.endswith(":null") else node.value


def _check_keys(node: MappingNode) -> None:
    """Refuse keys given twice (YAML 1.2 §3.2.1.3), of which PyYAML keeps the last, and keys that are no text."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise _fault(key, "a field's name must be text")
        if key.value in seen:
            raise _fault(key, f"{key.value!r} is given twice")
        seen.add(key.value)


def _lines(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """(path, line) of every member: a field lies where its name is, an item of a list where it begins."""
    members: list[tuple[str | int, Node, Node]] = []
    if isinstance(node, MappingNode):
        members = [(key.value, key, value) for key, value in node.value]
    elif isinstance(node, SequenceNode):
        members = [(n, item, item) for n, item in enumerate(node.value)]
    for step, place, value in members:
        yield (*path, step), place.start_mark.line + 1
        yield from _lines(value, (*path, step))


def _fault(at: Any, wrong: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=wrong, problem_mark=at.start_mark)


def _mistake(source: str, line: int, wrong: str, fix: str = "Correct that line.") -> PolicyFileError:
    return PolicyFileError([Mistake(source, line, "", wrong, fix)])
