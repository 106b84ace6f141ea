"""Which disk and which mount a folder is on (Linux: proc and sysfs)."""

from __future__ import annotations

import os
from pathlib import Path


def device_of(folder: Path) -> str:
    """`major:minor` of its file system."""
    device = os.stat(folder).st_dev
    return f"{os.major(device)}:{os.minor(device)}"


def mount_of(folder: Path) -> str:
    """Its device and mount: what differs here cannot be linked or renamed across (EXDEV, also between bind mounts)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
    finally:
        os.close(descriptor)
    mount = next((line.split()[1] for line in lines if line.startswith("mnt_id:")), "")
    return f"{device_of(folder)} {mount}"


def disk_of(folder: Path) -> str:
    """The disk under a file system by its name, like sda for what is on sda1; its device where it has no disk."""
    device = device_of(folder)
    block = Path(os.path.realpath(f"/sys/dev/block/{device}"))
    if not block.is_dir():
        return device
    return block.parent.name if (block / "partition").exists() else block.name
