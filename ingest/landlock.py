"""Landlock (Linux 5.13, landlock(7)): a process gives up writing, but for the paths that it names; it reads as before.

Standard library only. What Landlock does not know stays as it was: modes, owners and times, sockets that have a path.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Sequence

WHOLE = 3  # the ABI (Linux 6.2) from which no byte outside can be changed: before, truncating was free

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH

# linux/landlock.h, LANDLOCK_ACCESS_FS_…
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_TO_FILES = _WRITE_FILE | _TRUNCATE
_IN_FOLDERS = (
    _TO_FILES | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM | _REFER
)
_NOWHERE = _MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV  # root could make itself a device, which is a disk
_SINCE = {_REFER: 2, _TRUNCATE: 3, _IOCTL_DEV: 5}  # the ABI that brought a right; the others are of the first
_SCOPES, _SCOPES_SINCE = 0b11, 6  # no signals to, and no abstract sockets of, processes outside


def abi() -> int:
    """The version of Landlock's interface that this kernel offers us; 0 where it has none, or keeps it from us."""
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION)))


def confine(paths: Sequence[str]) -> None:
    """From now on this process, and all that it starts, writes beneath these folders and to these files only.

    It must have given up new privileges (prctl(2)). Without Landlock nothing happens; with an old one, what it knows.
    Raise OSError for a path that is not there, and where the kernel refuses.
    """
    if not (known := abi()):
        return
    rights = (_IN_FOLDERS | _NOWHERE) & ~sum(right for right, since in _SINCE.items() if since > known)
    scopes = _SCOPES if known >= _SCOPES_SINCE else 0
    attributes = struct.pack("=3Q", rights, 0, scopes)  # an older kernel takes zeros behind those that it knows
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in paths:
            _allow(ruleset, path, rights)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights & (_IN_FOLDERS if stat.S_ISDIR(os.fstat(opened).st_mode) else _TO_FILES)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, opened), 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: int | bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if (answer := int(libc.syscall(number, *arguments))) < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return answer
