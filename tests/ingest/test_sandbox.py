"""The sandbox: what a command may use, how it ends, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import sandbox
from ingest.sandbox import HEARD, Limits, Ran, ending, run
from ingest.sandbox_child import CANNOT_RUN, UNCONFINED

SHORT = Limits(seconds=2)  # until a shell has started, however busy the machine is
PATIENT = Limits(seconds=60)


def python(code: str, scratch: Path, limits: Limits = PATIENT) -> Ran:
    return run([sys.executable, "-I", "-S", "-c", code], scratch, limits)


def is_gone(process: int) -> bool:
    """Whether it ends within ten seconds; a zombie that waits for its parent counts as ended."""
    for _ in range(500):
        try:
            if ") Z " in Path(f"/proc/{process}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_it_tells_exit_output_and_errors(tmp_path: Path) -> None:
    assert run(["sh", "-c", "echo out; echo err >&2; exit 3"], tmp_path) == Ran(3, "", b"out\n", b"err\n")


def test_it_runs_and_is_at_home_in_scratch_with_no_other_environment_and_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    ran = python("import os, sys; print(os.getcwd(), dict(os.environ), repr(sys.stdin.read()))", tmp_path)
    room = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    assert ran.output.decode() == f"{tmp_path} {room} ''\n"


def test_a_command_that_is_not_there_is_a_value(tmp_path: Path) -> None:
    assert run(["no-such-tool"], tmp_path) == Ran(CANNOT_RUN, "", b"", b"no-such-tool: No such file or directory\n")


def test_what_cannot_be_confined_is_not_run(tmp_path: Path) -> None:
    ran = run(["touch", "ran"], tmp_path, writes=[tmp_path / "not there"])
    said = "touch is not run, as it cannot be confined: No such file or directory"
    assert (ran.exit, ending(ran, PATIENT)) == (UNCONFINED, f"it ended with 126: {said}")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_is_a_value(tmp_path: Path) -> None:
    ran = python("import os; os.abort()", tmp_path)
    assert (ran.exit, ran.killed_by) == (None, f"signal {signal.SIGABRT.value}")
    assert ending(ran, PATIENT) == "it crashed (signal 6)"
    assert list(tmp_path.iterdir()) == []  # no core


def test_a_hang_is_stopped_with_all_its_children(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "sleep 600 & echo $!; sleep 600"], tmp_path, SHORT)
    assert (ran.exit, ran.killed_by) == (None, "time")
    assert is_gone(int(ran.output))
    assert ending(ran, SHORT) == "it was stopped after 2 seconds"


def test_what_it_leaves_running_in_its_group_ends_with_it(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "sleep 60 & echo $!"], tmp_path, PATIENT)
    assert ran.exit == 0
    assert is_gone(int(ran.output))


def test_a_process_that_flees_the_group_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it can where there is no seccomp."""
    without = "from ingest import seccomp; seccomp.confine = lambda: None; from ingest.sandbox_child"
    monkeypatch.setattr(sandbox, "_START", sandbox._START.replace("from ingest.sandbox_child", without))
    ran = run(["sh", "-c", "setsid sh -c 'echo $$ > fled; exec sleep 60' & until test -s fled; do :; done"], tmp_path)
    fled = int((tmp_path / "fled").read_text())
    os.kill(fled, signal.SIGKILL)  # it is there
    assert ran == Ran(0, "", b"", b"")


def test_a_flood_is_cut_and_does_not_block(tmp_path: Path) -> None:
    code = "import sys\nfor file in (sys.stdout, sys.stderr): file.write('x' * 5_000_000)"
    ran = python(code, tmp_path)
    assert (ran.exit, len(ran.output), len(ran.errors)) == (0, HEARD, HEARD)


def test_processor_time_is_bounded(tmp_path: Path) -> None:
    limits = Limits(seconds=60, cpu=1)
    ran = python("while True: pass", tmp_path, limits)
    assert ran.killed_by == f"signal {signal.SIGXCPU.value}"
    assert ending(ran, limits) == "it was stopped after 1 seconds of processor time"


def test_memory_is_bounded(tmp_path: Path) -> None:
    ran = python("bytearray(1 << 30)", tmp_path, Limits(seconds=60, memory=1 << 28))
    assert ran.exit == 1
    assert ran.errors.endswith(b"MemoryError\n")


def test_files_are_bounded(tmp_path: Path) -> None:
    large = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open('f', 'wb').write(bytes(1 << 20))"
    assert b"File too large" in python(large, tmp_path, Limits(file=1 << 10)).errors
    assert b"Too many open files" in python("[open('/dev/null') for _ in range(99)]", tmp_path, Limits(files=20)).errors


def test_no_privilege_is_gained_and_no_network_is_near(tmp_path: Path) -> None:
    ran = run(["cat", "/proc/self/status", "/proc/self/net/dev"], tmp_path)
    assert b"NoNewPrivs:\t1" in ran.output
    interfaces = [line.split(b":")[0].strip() for line in ran.output.partition(b"Inter-|")[2].splitlines()[2:]]
    if interfaces != [b"lo"]:  # and that one is down; a socket that could reach it is had nowhere (test_seccomp.py)
        pytest.skip(f"this system lets nobody leave its network: {interfaces}")


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {os.getcwd()!r})\n"
        "from pathlib import Path\nfrom ingest.sandbox import run\n"
        f"run(['sh', '-c', 'echo $$ > child; exec sleep 60'], Path({str(tmp_path)!r}))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = tmp_path / "child"
    for _ in range(200):
        if child.exists() and child.read_text().endswith("\n"):
            break
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    assert is_gone(int(child.read_text()))
