"""What a tool may ask of the kernel: to read and to write its own files, and nothing that touches anybody else."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ingest import seccomp
from ingest.sandbox import Ran, run
from tests.ingest.test_sandbox import is_gone

pytestmark = pytest.mark.skipif(not seccomp.is_there(), reason="this kernel filters no calls, or not on this processor")

ROOT = str(Path(seccomp.__file__).parents[1])

#: Python that runs in a room beside which `blob` lies; and how each ends: pretended is told as done.
TRIES = {
    "os.chmod(blob, 0o777)": "pretended",
    "os.chmod(blob, 0o777, follow_symlinks=False)": "pretended",
    "os.fchmod(os.open(blob, os.O_RDONLY), 0o777)": "pretended",
    "os.chown(blob, 12345, 12345)": "pretended",
    "os.lchown(blob, 12345, 12345)": "pretended",
    "os.utime(blob, (1, 1))": "pretended",
    "os.setsid()": "pretended",
    "os.setpgid(0, 0)": "pretended",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)": "pretended",
    'os.setxattr(blob, "user.x", b"x")': "ENOTSUP",
    'os.removexattr(blob, "user.x")': "ENOTSUP",
    "socket.socket(socket.AF_INET)": "EAFNOSUPPORT",
    "socket.socket(socket.AF_INET6)": "EAFNOSUPPORT",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": "EAFNOSUPPORT",
    "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)": "EPROTONOSUPPORT",
    "socket.socket(socket.AF_UNIX).connect(daemon)": "ECONNREFUSED",
    "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))": "EPERM",
    "call(438, os.pidfd_open(os.getppid()), 0, 0)": "EPERM",  # pidfd_getfd(2): the parent's descriptors
    "call(425, 1, ctypes.create_string_buffer(120))": "ENOSYS",  # io_uring_setup(2)
    "call(1 << 30, 0)": "ENOSYS",  # read(2), by x86-64's other numbers
    'pair = socket.socketpair(); pair[0].send(b"x")': "done",
    "socket.socketpair(type=socket.SOCK_SEQPACKET)": "done",
    "socket.socketpair(type=socket.SOCK_DGRAM)": "EPROTONOSUPPORT",  # it could send to any daemon's
    "socket.socketpair(type=socket.SOCK_RAW)": "EPROTONOSUPPORT",  # which is a datagram's too
    "os.sched_setaffinity(os.getppid(), {0})": "pretended",
    "os.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))": "pretended",
    "fcntl.ioctl(os.open(blob, os.O_RDONLY), 0x40086602, array.array('l', [0x80]))": "ENOTTY",  # FS_IOC_SETFLAGS
    'here = socket.socket(socket.AF_UNIX); here.bind("/tmp/tianyi-test"); here.listen()': "pretended",
    "fcntl.flock(os.open(blob, os.O_RDONLY), fcntl.LOCK_EX)": "pretended",
    "fcntl.lockf(os.open(blob, os.O_RDONLY), fcntl.LOCK_SH)": "pretended",
    "os.kill(0, 9)": "ESRCH",  # as `timeout` ends what it has begun, and would end the tool
    "os.killpg(os.getpgid(0), 9)": "ESRCH",
    "call(CLONE, 0x8011, 0, 0, 0, 0)": "EPERM",  # CLONE_PARENT: a child of ours
    "call(UNSHARE, 0x10000000)": "EPERM",  # CLONE_NEWUSER
    "call(435, ctypes.create_string_buffer(88), 88)": "ENOSYS",  # clone3(2)
    "call(SHMGET, 0, 4096, 0o1600)": "ENOSYS",
    "call(MQ_UNLINK, b'queue')": "ENOSYS",
    "call(KEYCTL, 0, -4, 0)": "ENOSYS",
    "os.set_inheritable(os.open(blob, os.O_RDONLY), True)": "done",
    "fcntl.fcntl(0, fcntl.F_GETFL)": "done",
    "os.kill(subprocess.Popen(['sleep', '60']).pid, 9)": "done",
    "threading.Thread(target=os.getpid).start()": "done",
    "resource.prlimit(os.getpid(), resource.RLIMIT_CORE)": "done",
    "resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))": "done",
    'subprocess.run(["sh", "-c", "touch new; chmod +x new; kill -0 $$"], check=True)': "done",
}  # fmt: skip
PROGRAM = """
import array, ctypes, errno, fcntl, json, os, platform, resource, socket, subprocess, sys, threading
CLONE, UNSHARE, SHMGET, MQ_UNLINK, KEYCTL = {
    "x86_64": (56, 272, 29, 241, 250), "aarch64": (220, 97, 194, 181, 219),
}[platform.machine()]
def call(*arguments):
    if ctypes.CDLL(None, use_errno=True).syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
blob, daemon = sys.argv[1:3]
for code in json.loads(sys.argv[3]):
    try:
        exec(code)
        print("done")
    except OSError as error:
        print(errno.errorcode[error.errno].replace("EOPNOTSUPP", "ENOTSUP"))
"""


def python(code: str, room: Path, *arguments: str) -> Ran:
    room.mkdir()
    return run([sys.executable, "-I", "-c", code, *arguments], room)


def test_nothing_of_anybody_else_is_touched_and_what_tools_do_is_done(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"kept")
    blob.chmod(0o444)
    before = os.stat(blob)
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "daemon"))
        daemon.listen()
        ran = python(PROGRAM, tmp_path / "room", str(blob), str(tmp_path / "daemon"), json.dumps(list(TRIES)))
    said = dict(zip(TRIES, ran.output.decode().split(), strict=True))
    assert said == {code: end.replace("pretended", "done") for code, end in TRIES.items()}, ran.errors.decode()
    assert os.stat(blob) == before


def test_a_script_may_stop_what_it_has_begun(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "timeout 1 sleep 60; echo $?"], tmp_path)
    assert ran == Ran(0, "", b"124\n", b"")


def test_a_tool_does_not_outlive_its_time_in_a_session_of_its_own(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "setsid sh -c 'echo $$ > fled; exec sleep 60' & until test -s fled; do :; done"], tmp_path)
    assert ran == Ran(0, "", b"", b"")
    assert is_gone(int((tmp_path / "fled").read_text()))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other interface is this processor's")
def test_calls_by_another_interface_end_the_tool(tmp_path: Path) -> None:
    """`int 0x80` numbers calls as 32-bit programs do: 20 is getpid there, and writev here."""
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
print("asked:", ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""
    ran = python(code, tmp_path / "room")
    assert ran.killed_by in ("signal 31", "signal 11"), ran.errors.decode()  # SIGSYS, or there is no such interface
    assert ran.output == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root has no power to give up")
def test_root_keeps_its_reading_and_no_other_power(tmp_path: Path) -> None:
    ran = run(["grep", "Cap", "/proc/self/status"], tmp_path)
    told = dict(line.split(":\t") for line in ran.output.decode().splitlines())
    [bound] = re.findall(r"CapBnd:\t(\w+)", Path("/proc/self/status").read_text())
    reads = 4 if int(bound, 16) & 4 else 2 & int(bound, 16)  # a container's root may have no right to read alone
    assert {name: int(value, 16) for name, value in told.items()} == {
        "CapInh": 0, "CapPrm": reads, "CapEff": reads, "CapBnd": reads, "CapAmb": 0,
    }  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
@pytest.mark.parametrize(("bound", "left"), [("-dac_read_search", 2), ("-dac_read_search,-dac_override", 0)])
def test_so_does_the_root_of_a_container(tmp_path: Path, bound: str, left: int) -> None:
    """One that has inherited powers, as Docker's did once."""
    code = (
        "import sys; sys.path.append(sys.argv[1]); from pathlib import Path; from ingest.sandbox import run\n"
        "print(run(['grep', 'Cap', '/proc/self/status'], Path('.')).output.decode())"
    )
    begun = ["setpriv", f"--bounding-set={bound}", "--inh-caps=+chown,+kill", sys.executable, "-I", "-c", code, ROOT]
    done = subprocess.run(begun, cwd=tmp_path, capture_output=True, text=True, check=True)
    told = dict(line.split(":\t") for line in done.stdout.split("\n") if line)
    assert {name: int(value, 16) for name, value in told.items()} == {
        "CapInh": 0, "CapPrm": left, "CapEff": left, "CapBnd": left, "CapAmb": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("machine", "header"), [
    ("x86_64", "x86_64-linux-gnu/asm/unistd_64.h"),
    ("aarch64", "asm-generic/unistd.h"),
])  # fmt: skip
def test_the_numbers_are_those_of_the_kernel(machine: str, header: str) -> None:
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip("this system has no headers of the kernel")
    listed = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", path.read_text()))
    _, calls = seccomp._MACHINES[machine]
    known = {name: number for name, number in calls.items() if name in listed}
    assert known == {name: int(listed[name]) for name in known}
    assert calls.keys() - known.keys() <= seccomp._EVERYWHERE.keys()  # which an older header lacks
