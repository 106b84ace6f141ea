"""The documents cannot go stale: what they show is run, what they link to is there, what they list is what is there.

CONTRIBUTING.md, "Documents are run", tells the convention.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LONG = {
    f"docs/how-to/{page}.md"
    for page in (
        "audit-and-repair",
        "check-the-ledger",
        "delete-an-aip",
        "hold-a-drill",
        "ingest-an-accession",
        "migrate-formats",
        "newer-signatures",
        "ocfl",
        "run-the-scheduler",
    )
}
ROOMS = ("storage", "policies", "ingest", "fixity", "repository")
OWN_REPOSITORY = "tianyi init archive"  # a page that begins so makes its own; the others find one
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?:\]\(|src=\"|href=\")([^)\s\"]+)")
_EXIT_CODE = re.compile(r"# exit code (\d+)$")


@dataclass
class Shown:
    """A command of a page: its text, and the lines of output that the page shows below it."""

    command: str
    output: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        told = _EXIT_CODE.search(self.command)
        return int(told[1]) if told else 0


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of each fenced block."""
    return _FENCE.findall(page)


def commands(page: str) -> list[Shown]:
    """What a page wants run, in order: the commands of `console` blocks, and `python` blocks as programs."""
    this_year = re.sub(r"\b2026-(?=\d{4}\b)", f"{datetime.now(UTC):%Y}-", page)  # accession numbers have the year
    found: list[Shown] = []
    for language, text in blocks(this_year):
        if language == "console":
            _console(text, found)
        elif language == "python":
            found.append(Shown(f"python - <<'END-OF-BLOCK'\n{text}END-OF-BLOCK"))
    return found


def _console(text: str, found: list[Shown]) -> None:
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Shown(line[2:]))
        elif line.startswith("> "):
            found[-1].command += "\n" + line[2:]
        else:
            found[-1].output.append(line)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def marked(page: Path) -> object:
    """A page to play; the longest are for `make test-slow`."""
    long = name(page) in LONG
    return pytest.param(page, id=name(page), marks=[pytest.mark.slow] if long else [])


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A folder with the samples beside it."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return tmp_path


def run(script: str, folder: Path) -> list[str]:
    """Run a script by bash as a user would type it; return what it printed, errors among it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    known = {name: value for name, value in os.environ.items() if not name.startswith(("TIANYI_", "DEMO_"))}
    ours = {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}
    ours |= {} if OWN_REPOSITORY in script else {"TIANYI_REPOSITORY": "archive"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-s"], input=f"exec 2>&1\n{script}\n", text=True, cwd=folder, timeout=120,
        env=known | ours, capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that pages find: two copies, the sample accession in it. Each gets one like it."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "samples").symlink_to(ROOT / "samples")
    made = run("tianyi init archive --copy second-copy", folder)
    taken = run("tianyi ingest samples/accession --metadata samples/dc.json", folder)
    assert any("accepted" in line for line in taken), [*made, *taken]
    return folder


def settle(prepared: Path, folder: Path) -> None:
    for name in ("archive", "second-copy"):
        shutil.copytree(prepared / name, folder / name)
    config = folder / "archive" / "tianyi.toml"
    config.write_text(config.read_text("utf-8").replace(str(prepared), str(folder)), "utf-8")


def parts(printed: list[str], mark: str) -> Iterator[tuple[list[str], int]]:
    """What each command printed and its exit code: the script prints a mark after each."""
    lines: list[str] = []
    for line in printed:
        if mark in line:
            lines.append(line.partition(mark)[0])
            yield lines, int(line.partition(mark)[2])
            lines = []
        else:
            lines.append(line)


def is_missing(shown: str, lines: Iterator[str]) -> bool:
    """Whether no further line is the one shown; `…` stands for anything, blanks in a row for one."""
    wanted = re.compile(".*".join(re.escape(part) for part in re.split(" ?… ?", " ".join(shown.split()))))
    return not any(wanted.fullmatch(" ".join(line.split())) for line in lines)


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if commands(page.read_text("utf-8"))])
def test_what_a_page_shows_is_so(page: Path, stage: Path, request: pytest.FixtureRequest) -> None:
    wanted = commands(page.read_text("utf-8"))
    mark = "@@end-of-command "
    script = "\n".join(f"{one.command}\nprintf '{mark}%d\\n' $?" for one in wanted)
    if OWN_REPOSITORY not in script:
        settle(request.getfixturevalue("prepared"), stage)
    ran = list(parts(run(script, stage), mark))
    assert len(ran) == len(wanted)
    for shown, (lines, code) in zip(wanted, ran, strict=True):
        told = "\n".join([f"$ {shown.command}", *lines])
        assert code == shown.code, told
        rest = iter(lines)
        assert not [line for line in shown.output if is_missing(line, rest)], told


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_its_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link and not leads(page, link)]
    assert not broken


def leads(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path) if path else page
    return target.exists() and (not fragment or fragment in anchors(target.read_text("utf-8")))


def anchors(page: str) -> set[str]:
    """The headings' names, as forges make them: lower case, blanks to hyphens, other signs dropped."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_names_every_page_that_tells_how() -> None:
    how, readme = (ROOT / "docs" / "how-to", (ROOT / "README.md").read_text())
    assert [page.name for page in how.glob("*.md") if f"(docs/how-to/{page.name})" not in readme] == []


def test_the_reference_is_what_the_code_says() -> None:
    made = _make_reference().page()
    assert made == (ROOT / "docs" / "reference.md").read_text("utf-8"), "run `make reference`"


def _make_reference() -> ModuleType:
    spec = spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_finds_what_it_looks_for() -> None:
    """It reads the code's own text, and would pass over what it does not know: so look for one of each kind."""
    page = (ROOT / "docs" / "reference.md").read_text("utf-8")
    for known in ("### tianyi ingest [PATH]", "`--accept-held REASON`", "`no-such-package` | 4", "`file-empty` | info",
                  "`rfc8493-2.2.2-oxum` | error | Payload-Oxum", "`founding` | creation"):  # fmt: skip
        assert known in page


def test_every_ledger_entry_is_in_the_vault_format() -> None:
    page = (ROOT / "docs" / "vault-format.md").read_text("utf-8")
    types = [kind for kind, _ in _make_reference().entries()]
    assert types
    assert not [kind for kind in types if f"| `{kind}` |" not in page]


def test_what_the_page_on_durability_names_is_there() -> None:
    """Each test by its file and its name; a class stands for all in it."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "durability.md").read_text("utf-8"))
    assert len(named) > 20
    missing = [f"{file}::{test}" for file, test in named if not _defines(ROOT / file, test)]
    assert not missing


def _defines(file: Path, name: str) -> bool:
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name for node in tree.body)


def drawn() -> dict[str, set[str]]:
    """The modules that the drawing of the rooms in docs/architecture.md names, by room."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    text = next(text for _, text in blocks(page) if text.startswith("storage/"))
    rooms = re.findall(r"^(\w+)/ +(.*?)(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    return {room: {word.strip() for word in re.split(r"[·\n]", rest) if word.strip()} for room, rest in rooms}


@pytest.mark.parametrize("room", ROOMS)
def test_the_drawing_of_a_room_is_true(room: str) -> None:
    """Each name is a module or, with `…`, the beginning of some, or a folder; each module is named."""
    there = {file.stem for file in (ROOT / room).glob("*.py")} - {"__init__"}
    there |= {f"{folder.parent.name}/" for folder in (ROOT / room).glob("*/*") if folder.parent.name != "__pycache__"}
    named = {name: {one for one in there if matches(one, name)} for name in drawn()[room]}
    assert not [name for name, found in named.items() if not found], "drawn, and not there"
    assert there == set().union(*named.values()), "there, and not drawn"


def matches(module: str, name: str) -> bool:
    return module.startswith(name[:-1]) if name.endswith("…") else module == name


def pure_modules() -> list[str]:
    """What docs/architecture.md lists as pure."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    text = next(text for _, text in blocks(page) if text.startswith("pure:"))
    return re.findall(r"\w+/\w+", text)


@pytest.mark.parametrize("module", pure_modules())
def test_a_pure_module_imports_no_input_or_output(module: str) -> None:
    tree = ast.parse((ROOT / f"{module}.py").read_text("utf-8"))
    wanted = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    wanted |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {"os", "io", "subprocess", "socket", "sqlite3", "shutil", "tempfile", "pathlib", "random", "time"}
    assert not {name.partition(".")[0] for name in wanted} & outside
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"open", "input", "print"}
