"""What is to be told of a DIP that gives files by the names that they came by."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.finding import Finding, error, few, warning
from repository.tree import Tree
from storage.names import escape_path


def findings(found: Tree) -> list[Finding]:
    """Files that another file's name had to be changed for, and those that are not in it; the first of each."""
    return [*few(_all(found))]


def _all(found: Tree) -> Iterator[Finding]:
    for came, name in found.moved():
        told = f"An earlier delivery has a file of that name: this one is {escape_path(name)}."
        yield warning("export-moved", told, escape_path(came))
    for path in found.nameless():
        yield error("export-left-out", "No map of names tells under which name it came: it is not in it.", path)
