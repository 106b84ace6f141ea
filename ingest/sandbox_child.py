"""The sandbox's child at its own start: it binds itself, then becomes the command.

So the parent needs no `preexec_fn`, which is unsafe beside threads. Standard library, `ingest.landlock` and
`ingest.seccomp` alone: it runs with `-I -S`, and each module that it imports is paid for with every command.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys

from ingest import landlock, seccomp

UNCONFINED, CANNOT_RUN = 126, 127  # exits of a command that is not run, and of one that is not there

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # unshare(2)
_DIE_WITH_PARENT, _IS_LEFT, _DROP_FOR_GOOD, _NO_NEW_PRIVILEGES = 1, 23, 24, 38  # prctl(2)
_OVERRIDE, _READ_ALL, _CAPABILITIES = 1, 2, 64  # CAP_DAC_…; no kernel has more of them
_VERSION_3 = 0x20080522  # of capset(2)
_SINKS = ("/dev/null", "/dev/zero", "/dev/full")  # writing to them changes nothing


def main(arguments: list[str]) -> int:
    """Start the child: parent, cpu, memory, file, files, what it may write besides its folder, "--", the command.

    Returns only when it cannot be run, or not be confined.
    """
    end = arguments.index("--")
    parent, cpu, memory, file, files = map(int, arguments[:5])
    writes, command = arguments[5:end], arguments[end + 1 :]
    try:
        _alone(parent)
        _limit(cpu, memory, file, files)
        landlock.confine([".", *writes, *filter(os.path.exists, _SINKS)])
        seccomp.confine()
    except OSError as error:
        sys.stderr.write(f"{command[0]} is not run, as it cannot be confined: {error.strerror}\n")
        return UNCONFINED
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return CANNOT_RUN


def _alone(parent: int) -> None:
    """Without network and without privileges to come; gone when the parent is."""
    libc = ctypes.CDLL(None)
    _leave_network(libc)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL.value, 0, 0, 0)  # after unshare, which would clear it
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if os.geteuid() == 0:
        _give_up_power(libc)
    if os.getppid() != parent:  # it died before we asked to be told
        os.kill(os.getpid(), signal.SIGKILL)


def _leave_network(libc: ctypes.CDLL) -> None:
    """Go where there is no network, if the system lets us; root keeps its user, for its right to read files."""
    if libc.unshare(_NEW_NETWORK) == 0 or os.geteuid() == 0:
        return
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_USER | _NEW_NETWORK) == 0:
        try:
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{user} {user} 1")
            _write("/proc/self/gid_map", f"{group} {group} 1")
        except OSError:
            pass  # then this user is called nobody, which hinders little


def _give_up_power(libc: ctypes.CDLL) -> None:
    """Of what root may, keep reading what is not its own; what the system does not let us give up stays. A container's
    root may have no right to read alone: then it keeps the one to write too, which Landlock takes from it."""
    reads = _READ_ALL
    if libc.prctl(_IS_LEFT, _READ_ALL, 0, 0, 0) != 1 and landlock.abi() >= landlock.WHOLE:
        reads = _OVERRIDE
    for capability in set(range(_CAPABILITIES)) - {reads}:
        libc.prctl(_DROP_FOR_GOOD, capability, 0, 0, 0)
    for kept in (1 << reads, 0):  # 0 where it has not even that one
        if libc.capset(struct.pack("=Ii", _VERSION_3, 0), struct.pack("=6I", kept, kept, 0, 0, 0, 0)) == 0:
            return


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _limit(cpu: int, memory: int, file: int, files: int) -> None:
    bounds = (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, file, file),
        (resource.RLIMIT_NOFILE, files, files),
        (resource.RLIMIT_CPU, cpu, cpu + 1),  # SIGXCPU says why; SIGKILL follows and cannot be caught
        (resource.RLIMIT_AS, memory, memory),
    )
    for what, soft, hard in bounds:
        _, most = resource.getrlimit(what)
        if most != resource.RLIM_INFINITY:  # a stricter one, that this process was born with, stays
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(what, (soft, hard))
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
