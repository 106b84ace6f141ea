"""seccomp (seccomp(2)): a process gives up system calls for good, with all that it starts.

What Landlock does not know: modes, owners, times, attributes, flags and locks of files, sockets, memory, queues and
keys that processes share, other processes' limits, memory and turns at the processor, and leaving the process group by
which a tool is stopped. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Mapping

_SET_SECCOMP, _FILTER = 22, 2  # prctl(2)
_EVERYWHERE = {  # newer ones have the same number on all
    "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440, "fchmodat2": 452,
    "setxattrat": 463, "removexattrat": 466, "file_setattr": 469,
}  # fmt: skip

#: How a kind of processor names itself (linux/audit.h) and numbers its system calls (asm/unistd.h).
_MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, {
        "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "socket": 41, "connect": 42, "bind": 49, "listen": 50,
        "socketpair": 53, "clone": 56, "kill": 62, "semget": 64, "semop": 65, "semctl": 66, "msgget": 68, "msgsnd": 69,
        "msgrcv": 70, "msgctl": 71, "fcntl": 72, "flock": 73, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93,
        "lchown": 94, "ptrace": 101, "setpgid": 109, "setsid": 112, "utime": 132, "setpriority": 141,
        "sched_setparam": 142, "sched_setscheduler": 144, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
        "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "sched_setaffinity": 203, "semtimedop": 220,
        "utimes": 235, "mq_open": 240, "mq_unlink": 241, "add_key": 248, "request_key": 249, "keyctl": 250,
        "ioprio_set": 251, "fchownat": 260, "futimesat": 261, "fchmodat": 268, "unshare": 272, "utimensat": 280,
        "prlimit64": 302, "process_vm_readv": 310, "process_vm_writev": 311, "sched_setattr": 314, **_EVERYWHERE,
    }),
    "aarch64": (0xC00000B7, {
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
        "fcntl": 25, "ioctl": 29, "ioprio_set": 30, "flock": 32, "fchmod": 52, "fchmodat": 53, "fchownat": 54,
        "fchown": 55, "utimensat": 88, "unshare": 97, "ptrace": 117, "sched_setparam": 118, "sched_setscheduler": 119,
        "sched_setaffinity": 122, "kill": 129, "setpriority": 140, "setpgid": 154, "setsid": 157, "mq_open": 180,
        "mq_unlink": 181, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191,
        "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196, "socket": 198, "socketpair": 199,
        "bind": 200, "listen": 201, "connect": 203, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220,
        "prlimit64": 261, "process_vm_readv": 270, "process_vm_writev": 271, "sched_setattr": 274, **_EVERYWHERE,
    }),
}  # fmt: skip

#: What a tool may think that it did: it is none the worse for it, and neither is anybody else. (LibreOffice has to
#: listen on a socket in /tmp before it converts anything.)
_PRETENDED = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat", "setsid", "setpgid", "setpriority", "ioprio_set", "sched_setparam", "sched_setscheduler",
    "sched_setaffinity", "sched_setattr", "bind", "listen", "flock",
)  # fmt: skip
_REFUSED = {
    **dict.fromkeys(("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd"), errno.EPERM),
    **dict.fromkeys(("setxattr", "lsetxattr", "fsetxattr", "setxattrat"), errno.ENOTSUP),
    **dict.fromkeys(("removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr"), errno.ENOTSUP),
    **dict.fromkeys(("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl"), errno.ENOSYS),
    **dict.fromkeys(("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"), errno.ENOSYS),
    **dict.fromkeys(("add_key", "request_key", "keyctl"), errno.ENOSYS),
    "clone3": errno.ENOSYS,  # what it is asked for is seen by no filter; who calls it takes clone then
    "connect": errno.ECONNREFUSED,  # nobody listens
    "io_uring_setup": errno.ENOSYS,  # what it does is seen by no filter
}

# linux/bpf_common.h, linux/seccomp.h
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in seccomp_data; of arguments the low half

_X32 = 0x40000000  # the numbers of x86-64's other interface begin here
_TYPE, _UNIX, _STREAM, _SEQPACKET = 0xF, 1, 1, 5  # socket(2): datagrams could be sent to any daemon's
_KIND, _TERMINALS = 0xFF00, 0x5400  # ioctl(2): others change flags of files that are open for reading alone
_LOCKS = (6, 7, 37, 38, 1024)  # fcntl(2): F_SETLK, F_SETLKW, those of open files, F_SETLEASE
_NEGATIVE = 0x80000000  # kill(2): a group, in which the tool itself is, or all
_SIBLING_OR_USER = 0x8000 | 0x10000000  # clone(2): CLONE_PARENT, CLONE_NEWUSER


def is_there() -> bool:
    """Whether this kernel filters calls, and we know how this processor numbers them."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_SECCOMP, _FILTER, None, 0, 0)  # nothing to take: EFAULT where it would be taken
    ours = struct.calcsize("P") == 8 and os.uname().machine in _MACHINES  # 32-bit programs number otherwise
    return ours and ctypes.get_errno() == errno.EFAULT


def confine() -> None:
    """From now on this process, and all that it starts, reaches and hears nobody by sockets, but for pairs of its own,
    and changes no file but by writing, and no other process.

    It must have given up new privileges (prctl(2)). Where it `is_there` not, nothing happens. Raise OSError where the
    kernel refuses.
    """
    if not is_there():
        return
    program = ctypes.create_string_buffer(_program(*_MACHINES[os.uname().machine], os.getpid()))
    head = struct.pack("@HP", (len(program) - 1) // 8, ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.c_char_p(head), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def _program(arch: int, calls: Mapping[str, int], process: int) -> bytes:
    """The filter, which the kernel asks before every call."""
    return b"".join([
        _line(_LOAD, _ARCH), _line(_EQUAL, arch, 1, 0), _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER), _line(_AT_LEAST, _X32, 0, 1), _answer(errno.ENOSYS),
        *(_answered(calls[name], 0) for name in _PRETENDED if name in calls),
        *(_answered(calls[name], code) for name, code in _REFUSED.items() if name in calls),
        *(_if(calls[name], _socket()) for name in ("socket", "socketpair")),
        *(_if(calls[name], [
            _line(_LOAD, _FIRST), _line(_ANY_BIT, _SIBLING_OR_USER, 0, 1), _answer(errno.EPERM),
        ]) for name in ("clone", "unshare")),
        _if(calls["ioctl"], [
            _line(_LOAD, _SECOND), _line(_AND, _KIND), _line(_EQUAL, _TERMINALS, 1, 0), _answer(errno.ENOTTY),
        ]),
        _if(calls["fcntl"], [
            _line(_LOAD, _SECOND), *(line for lock in _LOCKS for line in (_line(_EQUAL, lock, 0, 1), _answer(0))),
        ]),
        _if(calls["kill"], [
            _line(_LOAD, _FIRST), _line(_EQUAL, 0, 1, 0), _line(_AT_LEAST, _NEGATIVE, 0, 1), _answer(errno.ESRCH),
        ]),
        _if(calls["prlimit64"], [
            _line(_LOAD, _FIRST), _line(_EQUAL, 0, 2, 0), _line(_EQUAL, process, 1, 0), _answer(errno.EPERM),
        ]),
        _line(_RETURN, _ALLOW),
    ])  # fmt: skip


def _socket() -> list[bytes]:
    return [
        _line(_LOAD, _FIRST), _line(_EQUAL, _UNIX, 1, 0), _answer(errno.EAFNOSUPPORT),
        _line(_LOAD, _SECOND), _line(_AND, _TYPE), _line(_EQUAL, _STREAM, 2, 0), _line(_EQUAL, _SEQPACKET, 1, 0),
        _answer(errno.EPROTONOSUPPORT),
    ]  # fmt: skip


def _answered(call: int, code: int) -> bytes:
    return _if(call, [_answer(code)])


def _if(call: int, lines: Iterable[bytes]) -> bytes:
    """Lines for one call; where they have no answer, it is allowed."""
    body = b"".join(lines) + _line(_RETURN, _ALLOW)
    return _line(_EQUAL, call, 0, len(body) // 8) + body


def _answer(code: int) -> bytes:
    return _line(_RETURN, _ERRNO | code)


def _line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; of a comparison, how many lines to leave out if it holds, and if not."""
    return struct.pack("=HBBI", code, then, otherwise, value)
