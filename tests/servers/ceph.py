"""A second S3 server of the tests, where Debian's packages of Ceph are installed: one monitor, one OSD in memory, RGW.

`apt-get install --no-install-recommends ceph-mon ceph-osd radosgw`; it needs root, as the daemons do.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tests.servers.endpoint import Endpoint
from tests.servers.ports import free_ports

PATIENCE = 60.0  # seconds
_KEY, _SECRET = "tests", "tests-secret"
_PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph-authtool")
_POOLS = (
    ".rgw.root", "default.rgw.log", "default.rgw.control", "default.rgw.meta", "default.rgw.buckets.index",
    "default.rgw.buckets.data", "default.rgw.buckets.non-ec",
)  # fmt: skip

_CONF = """\
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{mon}
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
crash dir = {folder}
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon allow pool size one = true
mon data avail crit = 1
mon max pg per osd = 1000

[mon.a]
mon data = {folder}/mon

[osd.0]
osd data = {folder}/osd

[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw data = {folder}/rgw
"""


def is_installed() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, _PROGRAMS))


@contextmanager
def running(folder: Path) -> Iterator[Endpoint]:
    """Ceph in `folder`; on leaving, its daemons have ended."""
    mon, rgw = free_ports(2)
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    fsid = str(uuid4())
    (folder / "ceph.conf").write_text(_CONF.format(fsid=fsid, folder=folder, mon=mon, rgw=rgw))
    try:
        _start(folder, fsid, mon)
        _wait(f"http://127.0.0.1:{rgw}/")
        names = (f"--uid={_KEY}", f"--display-name={_KEY}", f"--access-key={_KEY}", f"--secret-key={_SECRET}")
        _run(folder, "radosgw-admin", "user", "create", *names)
        yield Endpoint(f"http://127.0.0.1:{rgw}", _KEY, _SECRET)
    finally:
        _stop([int(file.read_text()) for file in folder.glob("*.pid")])


def _start(folder: Path, fsid: str, mon: int) -> None:
    _keys(folder)
    _run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{mon}]", f"{folder}/monmap")
    _run(folder, "ceph-mon", "-i", "a", "--mkfs", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring")
    _run(folder, "ceph-mon", "-i", "a")
    uuid = str(uuid4())
    _run(folder, "ceph", "osd", "new", uuid, "0")
    _run(folder, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", uuid)
    _run(folder, "ceph-osd", "-i", "0")
    for pool in _POOLS:  # made beforehand: RGW makes them one by one, and waits long for each
        _run(folder, "ceph", "osd", "pool", "create", pool, "4")
        _run(folder, "ceph", "osd", "pool", "application", "enable", pool, "rgw")
    _run(folder, "radosgw", "-n", "client.rgw.a", "--no-mon-config")


def _keys(folder: Path) -> None:
    rights = {
        "mon.": ("mon", "allow *"),
        "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
        "client.rgw.a": ("mon", "allow rw", "osd", "allow rwx"),
        "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
    }
    for number, (name, caps) in enumerate(rights.items()):
        said = [word for cap, right in zip(caps[::2], caps[1::2], strict=True) for word in ("--cap", cap, right)]
        made = ("--create-keyring",) * (not number)
        _run(folder, "ceph-authtool", f"{folder}/keyring", *made, "--gen-key", "-n", name, *said)


def _run(folder: Path, *command: str) -> None:
    environment = {**os.environ, "CEPH_CONF": f"{folder}/ceph.conf"}
    with (folder / "commands.log").open("ab") as log:
        subprocess.run(command, env=environment, stdout=log, stderr=log, cwd=folder, check=True, timeout=PATIENCE)


def _wait(url: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _stop(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # what they keep is in memory, or goes with the folder
