"""The drawing of the house cannot go stale: who imports whom, and which modules know no disk, clock or network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "storage": set(),
    "policies": set(),
    "ingest": {"storage", "policies"},
    "fixity": {"storage", "policies"},
    "repository": {"storage", "policies", "ingest", "fixity"},
}
PURE = [
    *(f"storage/{name}.py" for name in (
        "aip", "bag", "bundle", "canonical", "checkpoint", "digest", "errors", "event", "key_entries", "layout",
        "manifest", "merkle", "namemap", "names", "ocfl", "ocfl_layout", "parallel", "premis", "progress", "s3_answers",
        "s3_parts", "signed_note", "store", "tiles")),
    *(f"policies/{name}.py" for name in (
        "alerts", "audit", "cadence", "decide", "effective", "fetching", "formats", "ingest", "jobs", "migration",
        "model", "text", "timetable", "tools", "window")),
    *(f"ingest/{name}.py" for name in (
        "assemble", "bag_profile", "bagit_tags", "checks", "digest_lines", "errors", "fetch_rules", "finding",
        "happenings", "item", "meanings", "judgement", "member", "metadata_rows", "ocfl_inventory", "rocrate_metadata",
        "scan", "sip_eark_agents", "sip_eark_failures", "sip_eark_map", "sip_eark_rules", "sip_eark_terms")),
    *(f"fixity/{name}.py" for name in ("outcome", "proof", "reading", "schedule")),
    *(f"repository/{name}.py" for name in (
        "alerts", "digest_text", "errors", "faults", "holdings", "metrics", "migration", "status", "status_chart",
        "status_page", "words")),
]  # fmt: skip
IMPURE = {
    "asyncio", "fcntl", "glob", "http", "multiprocessing", "os", "pathlib.Path", "random", "requests", "secrets",
    "shutil", "signal", "socket", "sqlite3", "sqlite_utils", "subprocess", "tempfile", "threading", "time",
    "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"open", "io.open", "datetime.now", "datetime.utcnow", "print", "input"}


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "in_vault" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """Every module and every name in one that a file imports: `a.b`, and `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(path: Path) -> Iterator[str]:
    """Every name and attribute that a file uses: `open`, `datetime.now`."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_every_package_is_in_the_drawing() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert packages == set(MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_point_down(package: str) -> None:
    above = set(MAY_IMPORT) - MAY_IMPORT[package] - {package}
    wrong = {(str(path.relative_to(ROOT)), name) for path in modules(package) for name in imported(path)
             if name.split(".")[0] in {*above, "tests", "benchmarks", "samples"}}  # fmt: skip
    assert wrong == set()


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_know_no_disk(name: str) -> None:
    path = ROOT / name
    assert IMPURE.isdisjoint({*imported(path), *(one.split(".")[0] for one in imported(path))})
    assert IMPURE_CALLS.isdisjoint(called(path))


def test_only_one_module_makes_things_durable() -> None:
    """Renaming, linking and syncing in the vault's packages go through storage/durable.py; DIPs lie outside it."""
    verbs = {"os.fsync", "os.rename", "os.replace", "os.link", "os.unlink", "os.rmdir", "shutil.move"}
    found = {str(path.relative_to(ROOT)) for package in ("storage", "ingest", "fixity") for path in modules(package)
             if verbs.intersection(called(path))}  # fmt: skip
    assert found - {"ingest/pictures_child.py", "ingest/sandbox.py"} == {"storage/durable.py"}
