"""YAML ↔ policy: an officer's files over the defaults that ship, checked; what is wrong names file, line and field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from policies.alerts import AlertsPolicy
from policies.audit import AuditPolicy
from policies.copies import CopiesPolicy
from policies.effective import Policies
from policies.errors import Mistake, PolicyFileError
from policies.evidence import EvidencePolicy
from policies.explain import explain, unknown_code
from policies.formats import FormatsPolicy
from policies.ingest import IngestPolicy
from policies.migration import MigrationPolicy
from policies.model import Model
from policies.repair import RepairPolicy
from policies.retention import RetentionPolicy
from policies.text import LARGEST, Document, read, shipped
from policies.tools import ToolsPolicy

KINDS: Mapping[str, type[Model]] = {
    "ingest": IngestPolicy, "formats": FormatsPolicy, "migration": MigrationPolicy, "audit": AuditPolicy,
    "copies": CopiesPolicy, "repair": RepairPolicy, "retention": RetentionPolicy, "tools": ToolsPolicy,
    "alerts": AlertsPolicy, "evidence": EvidencePolicy,
}  # fmt: skip
"""The policies by name: `ingest` lies in ingest.yaml."""

_NAMES = ", ".join(f"{name}.yaml" for name in KINDS)

P = TypeVar("P", bound=Model)


def parse(text: str, source: str, kind: type[P], over: Mapping[str, Any] | None = None) -> P:
    """The policy that `text` gives over the values `over`; raise PolicyFileError, which calls the text `source`."""
    return _check(read(text, source), kind, over or {})


def overlay(base: Mapping[str, Any], over: Mapping[str, Any], whole: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`over` upon `base`: mappings merge, lists and single values replace; members of those in `whole` replace."""
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = {**old, **value} if name in whole else overlay(old, value, whole)
        else:
            merged[name] = value
    return merged


@cache
def defaults(name: str) -> Mapping[str, Any]:
    """The values that ship for one of KINDS."""
    file = resources.files("policies") / "defaults" / f"{name}.yaml"
    return shipped(file.read_text("utf-8"))


def load(folder: Path | None, codes: Collection[str] = ()) -> Policies:
    """The effective policies: what ships, overlaid by `folder`/*.yaml; None and a missing file mean what ships.

    `codes` are those that findings can have, where that is known: one that no finding has would decide nothing.
    Raises PolicyFileError with the mistakes of all files, for a folder that is not there too: an institution's rules
    never vanish silently.
    """
    parts: dict[str, Model] = {}
    written, wrong = _files(folder) if folder else ({}, [])
    for name, kind in KINDS.items():
        try:
            parts[name] = _part(name, kind, written.get(name), codes)
        except PolicyFileError as error:
            wrong += error.mistakes
    if wrong:
        raise PolicyFileError(wrong)
    return Policies.model_validate(parts)


def _part(name: str, kind: type[P], path: Path | None, codes: Collection[str]) -> P:
    document = Document(f"policies/defaults/{name}.yaml", {}, {}) if path is None else read(_text(path), str(path))
    return _check(document, kind, defaults(name), codes if name == "ingest" else ())


def _check(document: Document, kind: type[P], over: Mapping[str, Any], codes: Collection[str] = ()) -> P:
    strange = _strange(document, codes) if codes else []
    try:
        found = kind.model_validate(overlay(over, document.values, kind.whole))
    except ValidationError as error:
        wrong = explain(error, document, kind)
        told = {mistake.line for mistake in wrong.mistakes}
        raise PolicyFileError([*wrong.mistakes, *(one for one in strange if one.line not in told)]) from error
    if strange:
        raise PolicyFileError(strange)
    return found


def _strange(document: Document, codes: Collection[str]) -> list[Mistake]:
    """The codes that the file names and no finding has."""
    found = document.values.get("findings")
    named = found.get("codes") if isinstance(found, Mapping) else None
    return [
        unknown_code(document, code, codes)
        for code in (named if isinstance(named, Mapping) else ()) if code not in codes
    ]  # fmt: skip


def _files(folder: Path) -> tuple[dict[str, Path], list[Mistake]]:
    """The policy files there by name, and those that are none. Hidden files and other kinds (a README, an editor's
    copy) are not ours to judge."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".yaml", ".yml"})
    except OSError as error:
        raise _unreadable(folder, error) from error
    found = [path for path in found if not path.name.startswith(".")]
    known = {path.stem: path for path in found if path.stem in KINDS and path.suffix == ".yaml"}
    fix = f"Rename or remove it; the known files are {_NAMES}."
    unknown = [path for path in found if path not in known.values()]
    return known, [Mistake(str(path), 0, "", "no policy has this file name", fix) for path in unknown]


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise OSError("not a file")
        with path.open("rb") as file:
            return file.read(4 * LARGEST + 1).decode("utf-8-sig")  # at most 4 bytes a character (RFC 3629 §3)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyFileError([Mistake(str(path), line, "", "not UTF-8", "Save the file as UTF-8.")]) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> PolicyFileError:
    fix = "See that it is there and readable; an empty policies folder means the defaults that ship."
    return PolicyFileError([Mistake(str(path), 0, "", f"cannot be read: {error.strerror or error}", fix)])
