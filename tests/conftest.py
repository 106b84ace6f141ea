"""What the tests share: the command line called in this process, repositories, corpora, and a tree as a value."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from repository.cli.running import run
from tests.servers.clamd import Running, is_installed, running
from tests.servers.ports import free_ports

settings.register_profile("tianyi", deadline=None)  # a machine may be busy; speed is a benchmark, never a test
settings.load_profile("tianyi")
ROOT = Path(__file__).parents[1]
Tianyi = Callable[..., "Answer"]
Tally = Callable[[str, int], None]
Corpus = Callable[[str], Path]


@dataclass(frozen=True)
class Answer:
    """What a command with --json came to: its exit code, and each line of standard output as a value."""

    code: int
    rows: list[dict[str, Any]]
    errors: str = ""  # what stood on standard error

    @property
    def said(self) -> dict[str, Any]:
        """The one object of a command that answers with one."""
        [row] = self.rows
        return row


class Entry(NamedTuple):
    """One entry of a tree: kind, mode, time of modification (ns), SHA-256 of its bytes or a link's target."""

    kind: str
    mode: int
    mtime: int
    content: bytes


Tree = dict[bytes, Entry]


def tree_of(root: Path | bytes) -> Tree:
    """Everything below a folder, by the bytes of its path; times of access do not count."""
    top = os.fsencode(root)
    found: Tree = {}
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = _entry(path)
    return found


def _entry(path: bytes) -> Entry:
    facts = os.lstat(path)
    kind, mode, mtime = stat.S_IFMT(facts.st_mode), stat.S_IMODE(facts.st_mode), facts.st_mtime_ns
    if kind == stat.S_IFLNK:
        return Entry("link", 0, mtime, os.readlink(path))
    if kind != stat.S_IFREG:
        return Entry("folder" if kind == stat.S_IFDIR else "special", mode, mtime, b"")
    with open(path, "rb") as file:
        return Entry("file", mode, mtime, sha256(file.read()).digest())


@pytest.fixture(scope="session")
def tree() -> Callable[[Path | bytes], Tree]:
    return tree_of


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands without a repository keep signatures ready in a folder of the session, not in the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def tianyi(capsys: pytest.CaptureFixture[str]) -> Tianyi:
    """`tianyi("list", at=folder)` runs a command with --json and reads its answer."""

    def call(*arguments: object, at: Path | None = None) -> Answer:
        capsys.readouterr()
        before = ["-C", str(at)] if at else []
        code = run([*before, *map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return Answer(code, [json.loads(line) for line in out.splitlines()], err)

    return call


@pytest.fixture
def repository(tmp_path: Path, tianyi: Tianyi) -> Path:
    """A repository with two copies; the second lies in the folder `second` beside it."""
    folder = tmp_path / "archive"
    assert tianyi("init", folder, "--copy", tmp_path / "second").code == 0
    return folder


@pytest.fixture
def copies(repository: Path) -> tuple[Path, Path]:
    """Where the two copies of `repository` lie."""
    return repository / "vault", repository.parent / "second"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of a size that can be changed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user cannot mount a disk")

    def resize(size: str) -> Path:
        subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
        return disk

    yield resize
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """`corpus("bagit")` is the folder with cases.tsv and cases/, unpacked once a session."""
    unpacked: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if name not in unpacked:
            target = tmp_path_factory.mktemp(name)
            with tarfile.open(_corpora() / f"{name}.tar.xz") as archive:
                archive.extractall(target, filter="fully_trusted")
            unpacked[name] = target / name
        return unpacked[name]

    return unpack


def _corpora() -> Path:
    named = os.environ.get("TIANYI_CORPORA")
    folder = Path(named) if named else ROOT.parent / "shared" / "corpora"
    if not folder.is_dir():
        if named and os.environ.get("CI") == "true":
            pytest.fail(f"TIANYI_CORPORA names {folder}, which is not there")
        pytest.skip("no corpora")
    return folder


@pytest.fixture(scope="session")
def standards() -> Path:
    """The folder beside the corpora that has schemas and JSON-LD contexts."""
    folder = _corpora().parent
    if not (folder / "schemas").is_dir():
        pytest.skip("no schemas")
    return folder


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("processes killed", 3)`: faults that a test made, for the table of docs/durability.md."""
    return lambda what, number: record_property(f"tally: {what}", number)


@pytest.fixture
def clamd() -> Iterator[Running]:
    """A clamd of this test's own, which tells of what its limits kept it from reading."""
    yield from _clamd(tells=True)


@pytest.fixture
def mute() -> Iterator[Running]:
    """A clamd as it is set up by default: it calls clean what its limits kept it from reading."""
    yield from _clamd(tells=False)


def _clamd(*, tells: bool) -> Iterator[Running]:
    if not is_installed():
        if os.environ.get("CI") == "true":
            pytest.fail("there is no clamd: see tests/servers/clamd.py")
        pytest.skip("there is no clamd")
    [port] = free_ports(1)
    with TemporaryDirectory(prefix="clamd-") as folder, running(Path(folder), port, tells=tells) as one:
        yield one


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The faults of this run, by kind: all of them withstood where nothing failed."""
    made: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, number in report.user_properties:
            if name.startswith("tally: "):
                made[name.removeprefix("tally: ")] += int(str(number))
    for what, number in sorted(made.items()):
        terminalreporter.write_line(f"{what}: {number:,}")
