"""What a tool may write: its own room, and nothing else of what this user may, whatever it tries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest import landlock
from ingest.judgement import Outcome
from ingest.sandbox import run
from ingest.tool_command import Command
from policies.tools import Tool

pytestmark = pytest.mark.skipif(
    landlock.abi() < landlock.WHOLE, reason="this kernel has no Landlock, or lets tools truncate"
)

#: A shell in the room; `$0` is the file that it is asked about.
ROOM = " && ".join([
    "echo text > own", "echo more >> own", "mv own other", "mkdir -p a b", "mv other a/", "mv a/other b/",
    "ln b/other hard", "ln -s b soft", "rm -r a b", "mkfifo pipe", 'echo text > "$(mktemp)"', 'echo text > "$HOME/.rc"',
    *(f"echo text > /dev/{sink}" for sink in ("null", "zero", "stdout", "stderr")), 'test -s "$0"',
])  # fmt: skip

#: Python that runs in the room; `blob` lies in the vault, and `file` is the tool's own.
HARM = {
    "write": 'open(blob, "r+b").write(b"x")',
    "append": 'open(blob, "ab").write(b"x")',
    "truncate": "os.truncate(blob, 0)",
    "remove": "os.unlink(blob)",
    "rename": 'os.rename(blob, blob + "-old")',
    "take away": 'os.rename(blob, "mine")',
    "replace": "os.replace(file, blob)",
    "link in": 'os.link(file, blob + "-new")',
    "link out": 'os.link(blob, "mine")',
    "write through a link": 'os.symlink(blob, "soft"); open("soft", "wb")',
    "new file": 'open(blob + "-new", "xb")',
    "new folder": 'os.mkdir(blob + "-new")',
    "new link": 'os.symlink(file, blob + "-new")',
    "remove a folder": 'os.rmdir(os.path.dirname(blob) + "/empty")',
    "temporary": "tempfile.TemporaryFile(dir=os.path.dirname(blob))",
    "disk": 'os.mknod("disk", stat.S_IFBLK | 0o600, os.stat(blob).st_dev)',
    "by a child": 'subprocess.run(["tee", blob], input=b"x", capture_output=True, check=True)',
}
TRY = """
import json, os, stat, subprocess, sys, tempfile
blob, file, harm = sys.argv[1], "file", json.loads(sys.argv[2])
print("read:", open(blob).read())
open(file, "w").close()
for name, code in harm.items():
    try:
        exec(code)
    except (OSError, subprocess.CalledProcessError):
        continue
    print("done:", name)
"""


def trying(blob: Path, harm: dict[str, str]) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", TRY, str(blob), json.dumps(harm)]


def below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    (tmp_path / "vault" / "empty").mkdir(parents=True)
    (tmp_path / "vault" / "blob").write_text("kept")
    return tmp_path / "vault"


def test_a_declared_tool_writes_in_its_room(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("x")
    tool = Tool.model_validate({"name": "t", "puids": ["fmt/1"], "command": ["sh", "-c", ROOM, "{file}"]})
    said = Command(tool).judge(tmp_path, {0: 1})[0]
    assert (said.outcome, said.messages) == (Outcome.WELL_FORMED, ())
    assert below(tmp_path) == {str(tmp_path / "0"): b"x"}


def test_it_does_no_harm_beside_it(room: Path, vault: Path) -> None:
    before = below(vault)
    ran = run(trying(vault / "blob", HARM), room)
    assert (ran.exit, ran.output.decode(), ran.errors.decode()) == (0, "read: kept\n", "")
    assert below(vault) == before


@pytest.mark.parametrize("name", sorted(HARM.keys() - {"disk"}))  # which only root can make
def test_unconfined_each_of_that_is_done(room: Path, vault: Path, name: str) -> None:
    command = trying(vault / "blob", {name: HARM[name]})
    done = subprocess.run(command, cwd=room, capture_output=True, text=True, check=True)
    assert done.stdout == f"read: kept\ndone: {name}\n"


@pytest.mark.skipif(landlock.abi() < 6, reason="signals are confined from Linux 6.12 on")
def test_it_signals_nobody_outside(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "kill -0 $$ && kill -0 $PPID"], tmp_path)
    assert ran.exit == 1
    assert b"not permitted" in ran.errors


@pytest.mark.parametrize("known", range(landlock.abi() + 1))
def test_an_older_kernel_confines_as_far_as_it_can(room: Path, vault: Path, known: int) -> None:
    code = (
        "import ctypes, sys; sys.path.append(sys.argv[1]); from ingest import landlock\n"
        f"landlock.abi = lambda: {known}\n"
        "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0); landlock.confine(['.'])\n"
        "open('own', 'w').close(); open(sys.argv[2], 'a').write('x')"
    )
    root = str(Path(landlock.__file__).parents[1])
    command = [sys.executable, "-I", "-S", "-c", code, root, str(vault / "blob")]
    done = subprocess.run(command, cwd=room, capture_output=True, text=True, check=False)
    assert (vault / "blob").read_text() == ("kept" if known else "keptx"), done.stderr
    assert (room / "own").exists()
