"""What an OCFL inventory says, held against the specification (§3.5): findings with the specification's own codes.

The rules are those of the `ocfl-py` library. It trusts that members are of the right kind, and overlooks a few things
that the specification forbids: both are looked after here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.finding import Finding, error, warning
from storage.ocfl import load

SPECS = ("1.0", "1.1")
_SAID = re.compile(r"\[([EW]\d{3})\w?\] (.*?)(?: \(see https://ocfl\.io/\S+\))?", re.DOTALL)


class Examined:
    """An inventory that was read: its JSON, and what the library made of it; `sound` where one can go by it."""

    def __init__(self, members: Mapping[str, Any], judged: Any, *, sound: bool) -> None:
        self.members, self.sound = members, sound
        self._judged = judged

    @property
    def versions(self) -> list[str]:
        """The names of the version folders, in order."""
        return list(self._judged.all_versions) if self._judged else []

    @property
    def algorithm(self) -> str:
        return str(self._judged.digest_algorithm) if self._judged else "sha512"

    @property
    def spec(self) -> str:
        return str(self._judged.spec_version) if self._judged else SPECS[0]

    @property
    def content(self) -> str:
        """The name of the content folders."""
        return str(self._judged.content_directory) if self._judged else "content"

    def before(self, prior: Examined, where: str) -> Iterator[Finding]:
        """Yield where an earlier version's inventory tells another story than this one (§3.7)."""
        if self.sound and prior.sound:
            log = self._judged.log
            del log.messages[:]
            self._judged.validate_as_prior_version(prior._judged)
            yield from _told(log.messages, where)


def examine(data: bytes, spec: str, where: str) -> tuple[Examined, list[Finding]]:
    """Read an inventory's bytes; `spec` is the version of OCFL that it has to be of, "" for the one that it says."""
    try:
        members = load(data)
    except ValueError as failure:
        told = error("E033", f"It is not the JSON of an inventory: {failure}.", where)
        return Examined({}, None, sound=False), [told]
    if found := [*_kinds(members, where)]:
        return Examined(members, None, sound=False), found
    judged, found = _judged(members, spec, where)
    found += [*_conflicts(members, where), *_algorithms(members, where)]
    return Examined(members, judged, sound=not any(f.severity == "error" for f in found)), found


def _judged(members: Mapping[str, Any], spec: str, where: str) -> tuple[Any, list[Finding]]:
    from ocfl.inventory_validator import InventoryValidator  # a quarter of a second to import
    from ocfl.validation_logger import ValidationLogger

    judged = InventoryValidator(log=ValidationLogger(log_warnings=True), where="this")
    judged.validate(_without_line_feeds(members), force_spec_version=spec or None)
    return judged, [*_told(judged.log.messages, where)]


def _without_line_feeds(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with NUL for LF in content paths, which no path has: the library takes a path with LF for wrong."""
    fixity = members.get("fixity")
    if isinstance(fixity, dict):
        members = {**members, "fixity": {algorithm: _replaced(block) for algorithm, block in fixity.items()}}
    return {**members, "manifest": _replaced(members["manifest"])} if "manifest" in members else members


def _replaced(block: Any) -> Any:
    if not isinstance(block, dict):
        return block
    return {
        digest: [path.replace("\n", "\0") for path in paths] if isinstance(paths, list) else paths
        for digest, paths in block.items()
    }


def _told(messages: Iterable[str], where: str) -> Iterator[Finding]:
    for message in messages:
        said = _SAID.fullmatch(message)
        code, text = (said[1], said[2]) if said else ("E033", message)
        text = f"{text.removeprefix('OCFL Object this ')[:2000]}."
        yield error(code[:4], text, where) if code.startswith("E") else warning(code[:4], text, where)


def _kinds(members: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Yield what is of another kind than the library trusts it to be, or is not there at all."""
    if "manifest" not in members:
        yield error("E041", "The inventory has no manifest.", where)
    if not _is_path(members.get("contentDirectory", "content")):
        yield error("E017", "contentDirectory is no name that a folder can have.", where)
    versions = members.get("versions")
    for name, block in versions.items() if isinstance(versions, dict) else ():
        if not isinstance(block, dict):
            yield error("E047", f"versions.{name} is no object.", where)
        else:
            yield from _paths("E051", block.get("state"), f"versions.{name}.state", where)
    yield from _paths("E098", members.get("manifest"), "manifest", where)
    fixity = members.get("fixity")
    for name, block in fixity.items() if isinstance(fixity, dict) else ():
        yield from _paths("E057", block, f"fixity.{name}", where)


def _paths(code: str, block: object, name: str, where: str) -> Iterator[Finding]:
    listed = block.values() if isinstance(block, dict) else ()
    if not all(_is_path(path) for paths in listed if isinstance(paths, list) for path in paths):
        yield error(code, f"{name} lists something that is no path.", where)


def _is_path(value: object) -> bool:
    """Whether it is text that a file's name can be: no half of a surrogate pair, which JSON can hold."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff\0]", value)


def _conflicts(members: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Yield paths of files that are folders of others as well (§3.5.2, §3.5.3.1), however far apart."""
    blocks = [("E101", "manifest", members.get("manifest"))]
    versions = members.get("versions")
    for name, block in versions.items() if isinstance(versions, dict) else ():
        blocks.append(("E095", f"versions.{name}.state", block.get("state")))
    for code, name, block in blocks:
        listed = block.values() if isinstance(block, dict) else ()
        paths = {path for some in listed if isinstance(some, list) for path in some}
        if wrong := next((path for path in paths if not paths.isdisjoint(_above(path))), None):
            yield error(code, f"{name} has {wrong}, and one of the folders on its way as a file.", where)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _algorithms(members: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Yield algorithms that are no one's: the library takes those of the specification's abridged examples as well."""
    fixity = members.get("fixity")
    for name in fixity if isinstance(fixity, dict) else ():
        if name.endswith("-spec-ex"):
            yield error("E056", f"fixity has an unknown algorithm, {name}.", where)
