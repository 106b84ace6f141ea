"""tianyi.toml: which vault a repository folder has, and where its copies are."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

from ingest.standards import NO_STANDARDS, Standards
from repository.errors import BadConfig, NoRepository, UnsupportedCopy
from storage.durable import DISK, Disk
from storage.local import Local
from storage.signed_note import check_name
from storage.store import Store

FILE = "tianyi.toml"
FORMS = ("blobs", "ocfl")  # of a copy: the vault's own layout, or packages; the first is always of the former
SCANNING = 180  # seconds for one file: clamd itself gives up after 120 (MaxScanTime)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # it becomes the name of folders for scratch and quarantine

_DESTINATION = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|[a-z][a-z0-9+.-]*://\S+")


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of the vault: its name and its URL; a path stands for `file:` and may be relative to the repository.

    `medium` and `place` are words for people; `form` is how it keeps AIPs; `options` is what else its table says, for
    the kind of store that its URL names.
    """

    name: str
    url: str
    medium: str = ""
    place: str = ""
    form: str = "blobs"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who may act, by the name that goes on record; `user` is the only user of the system ("uid-1000") who may
    act so, "" where any may."""

    name: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """The virus scanner: where clamd listens, `unix:/PATH` or `tcp:HOST:PORT`, and how long one file may take it."""

    clamd: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Config:
    """What tianyi.toml says; `folder` is where it lies. `scan` is None where no virus scanner is configured;
    `standards` says where schemas and the like are; `alerts` go to these (apprise URLs, or env:NAME); `origin` names
    the ledger in its checkpoints, "" for the name by the vault's id."""

    folder: Path
    vault_id: str
    copies: Sequence[Copy]
    agents: Sequence[Agent] = ()
    scan: Scan | None = None
    standards: Standards = NO_STANDARDS
    alerts: Sequence[str] = ()
    origin: str = ""

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def catalogue(self) -> Path:
        return self.folder / "catalogue.db"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def policies(self) -> Path:
        return self.folder / "policies"


def find(start: Path) -> Path:
    """The nearest folder at or above `start` that holds tianyi.toml; raise NoRepository."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise NoRepository(str(start))


def load(folder: Path) -> Config:
    """Read tianyi.toml; raise NoRepository or BadConfig."""
    try:
        if not (folder / FILE).is_file():
            raise NoRepository(str(folder))
        said = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        copies = tuple(map(_copy, said["copies"]))
        agents = tuple(Agent(str(agent["name"]), str(agent.get("user", ""))) for agent in said.get("agents", ()))
        check_copies(copies, folder / FILE)
        return Config(
            folder, str(said["vault"]["id"]), copies, agents, _scan(said, folder / FILE), _standards(said, folder),
            _alerts(said, folder / FILE), _origin(said, folder / FILE),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NoRepository(str(folder)) from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError) as error:
        raise BadConfig(str(folder / FILE), f"{type(error).__name__}: {error}") from error


def check_copies(copies: Sequence[Copy], file: Path) -> None:
    """Raise BadConfig where copies cannot stand beside each other so."""
    if not copies or len({copy.name for copy in copies}) < len(copies):
        raise BadConfig(str(file), "copies need names, each its own")
    if wrong := [copy.name for copy in copies if not _NAME.fullmatch(copy.name)]:
        raise BadConfig(str(file), f"{wrong[0]!r} is no name for a copy: small letters, digits and hyphens")
    for copy in copies:
        _check_url(copy, file)
    if odd := next((copy for copy in copies if copy.form not in FORMS), None):
        raise BadConfig(str(file), f"{odd.name} has the form {odd.form!r}; there are: {', '.join(FORMS)}")
    if copies[0].form != FORMS[0]:
        raise BadConfig(str(file), f"the first copy has to be of the form {FORMS[0]!r}")


def _check_url(copy: Copy, file: Path) -> None:
    try:
        path = unquote(urlsplit(copy.url).path, errors="strict")
        copy.url.encode()
    except ValueError as error:
        raise BadConfig(str(file), f"{copy.name} has a URL that is none: {error}") from error
    if "\0" in path or not copy.url.strip():
        raise BadConfig(str(file), f"{copy.name} has a URL that is none")


def _scan(said: Mapping[str, Any], file: Path) -> Scan | None:
    if "scan" not in said:
        return None
    from ingest.scan_line import parse_address

    seconds = said["scan"].get("seconds", SCANNING)
    if unknown := said["scan"].keys() - {"clamd", "seconds"}:
        raise BadConfig(str(file), f"[scan] has {min(unknown)!r}; it takes clamd and seconds")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= 86_400:
        raise BadConfig(str(file), "seconds in [scan] has to be a whole number from 1 to 86400")
    try:
        parse_address(str(said["scan"]["clamd"]))
    except ValueError as error:
        raise BadConfig(str(file), str(error)) from error
    return Scan(str(said["scan"]["clamd"]), seconds)


def _standards(said: Mapping[str, Any], folder: Path) -> Standards:
    table = {name: str(value) for name, value in said.get("standards", {}).items()}
    if unknown := table.keys() - {"folder", "roc_validator", "eark_validator"}:
        told = f"[standards] has {min(unknown)!r}; it takes folder, roc_validator and eark_validator"
        raise BadConfig(str(folder / FILE), told)
    where = folder / table["folder"] if "folder" in table else None
    roc_validator = table.get("roc_validator", NO_STANDARDS.roc_validator)
    return Standards(where, roc_validator, table.get("eark_validator", NO_STANDARDS.eark_validator))


def _alerts(said: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    table = said.get("alerts", {})
    if unknown := table.keys() - {"to"}:
        raise BadConfig(str(file), f"[alerts] has {min(unknown)!r}; it takes to")
    to = table.get("to", [])
    if not isinstance(to, list) or not all(isinstance(one, str) and _DESTINATION.fullmatch(one) for one in to):
        wrong = 'to in [alerts] has to be a list of URLs as apprise has them, or of "env:NAME"'
        raise BadConfig(str(file), wrong)
    return tuple(to)


def _origin(said: Mapping[str, Any], file: Path) -> str:
    table = said.get("ledger", {})
    if unknown := table.keys() - {"origin"}:
        raise BadConfig(str(file), f"[ledger] has {min(unknown)!r}; it takes origin")
    if "origin" not in table:
        return ""
    try:
        check_name(str(table["origin"]))
    except ValueError as error:
        raise BadConfig(str(file), f"origin in [ledger] is {error}") from error
    return str(table["origin"])


def _copy(table: Mapping[str, Any]) -> Copy:
    said = {name: str(value) for name, value in table.items()}
    known = {name: said.pop(name) for name in ("name", "url", "medium", "place", "form") if name in said}
    if missing := {"name", "url"} - known.keys():
        raise KeyError(min(missing))
    return Copy(**known, options=said)


def render(config: Config) -> str:
    """The text of tianyi.toml."""
    lines = ["# A Tianyi repository. The copies hold everything; see docs/vault-format.md.", "", "[vault]"]
    lines += [f"id = {_quoted(config.vault_id)}", ""]
    for copy in config.copies:
        lines += ["[[copies]]", *(f"{name} = {_quoted(value)}" for name, value in written(copy).items()), ""]
    return "\n".join(lines)


def written(copy: Copy) -> dict[str, str]:
    """A copy's table in tianyi.toml."""
    said = {"name": copy.name, "url": copy.url, "medium": copy.medium, "place": copy.place}
    said |= {"form": "" if copy.form == FORMS[0] else copy.form, **copy.options}
    return {name: value for name, value in said.items() if value}


def local_path(copy: Copy, folder: Path) -> Path:
    """The folder that a copy is in; raise UnsupportedCopy for URLs of another kind."""
    parts = urlsplit(copy.url)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise UnsupportedCopy(copy.url)
    path = unquote(parts.path) if parts.scheme == "file" else copy.url
    return (folder / path).absolute()


def local_places(config: Config) -> list[Path]:
    """The folders that a repository is made of: its own, and those of its copies."""
    return [config.folder, *(local_path(copy, config.folder) for copy in config.copies if not is_s3(copy))]


def is_s3(copy: Copy) -> bool:
    """Whether a copy is in an object store rather than in a folder."""
    return urlsplit(copy.url).scheme == "s3"


def root_of(copy: Copy, folder: Path) -> PurePath:
    """Where a copy is, so that it can be told whether another is inside it; raise UnsupportedCopy."""
    if not is_s3(copy):
        return local_path(copy, folder)
    from repository import copy_s3

    return copy_s3.root(copy.url, copy.options)


def open_copy(copy: Copy, config: Config, disk: Disk = DISK) -> Store:
    """The store that a copy's URL names, by its scheme; raise UnsupportedCopy, or BadConfig for its options."""
    if is_s3(copy):
        from repository import copy_s3

        return copy_s3.opened(copy.name, copy.url, copy.options, config.folder, disk)
    root = local_path(copy, config.folder)
    return Local(copy.name, root, scratch_for(root, config.work / "copies" / copy.name), disk)


def scratch_for(root: Path, preferred: Path) -> Path:
    """Where a copy's nameless bytes lie: outside it, on its file system; inside only where a disk is all its own."""
    device = _device(root)
    for candidate in (preferred, root.with_name(root.name + ".scratch")):
        if _device(candidate) == device:
            return candidate
    return root / ".scratch"


def _device(path: Path) -> int:
    """The device of a path, or of the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.stat(path).st_dev


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a TOML basic string has JSON's escapes
