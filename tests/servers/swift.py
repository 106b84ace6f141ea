"""A real S3 server for the tests: OpenStack Swift with its S3 API, four processes on loopback, one disk, one replica.

Swift lives in a venv of its own (`make servers`), since it pins what it stands on.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

from tests.servers.endpoint import Endpoint
from tests.servers.ports import free_ports

PATIENCE = 30.0  # seconds for a server to answer
_KINDS = ("object", "container", "account")
_USER, _SECRET = "test:tester", "testing"

_SWIFT_CONF = """\
[swift-hash]
swift_hash_path_prefix = tests
swift_hash_path_suffix = tests

[storage-policy:0]
name = only
default = yes
"""

_COMMON = """\
[DEFAULT]
swift_dir = $etc
user = $user
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
log_level = WARNING
log_address = $log
recon_cache_path = $cache
"""

_STORAGE = (
    _COMMON
    + """\
devices = $devices
mount_check = false
disable_fallocate = true

[pipeline:main]
pipeline = healthcheck $kind-server

[app:$kind-server]
use = egg:swift#$kind

[filter:healthcheck]
use = egg:swift#healthcheck
"""
)

_PLAIN = ("catch_errors", "healthcheck", "s3api", "copy", "slo", "symlink")  # filters with nothing to be said of them
_PROXY = (
    _COMMON
    + """\
[pipeline:main]
pipeline = catch_errors healthcheck cache s3api tempauth copy slo versioned_writes symlink proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true

"""
    + "".join(f"[filter:{one}]\nuse = egg:swift#{one}\n\n" for one in _PLAIN)
)

_RINGS = """
import sys
from swift.common.ring import RingBuilder
etc, *places = sys.argv[1:]
for place in places:
    kind, port = place.split("=")
    ring = RingBuilder(4, 1, 0)
    ring.add_dev(dict(id=0, region=1, zone=1, ip="127.0.0.1", port=int(port), device="d0", weight=1.0, meta="",
                      replication_ip="127.0.0.1", replication_port=int(port)))
    ring.rebalance(seed=1)
    ring.get_ring().save(f"{etc}/{kind}.ring.gz")
"""


@contextmanager
def running(folder: Path, programs: Path) -> Iterator[Endpoint]:
    """Swift in `folder`, from the programs of its venv; on leaving, its processes have ended."""
    ports = dict(zip(("proxy", *_KINDS), free_ports(4), strict=True))
    _configure(folder, ports)
    places = [f"{kind}={ports[kind]}" for kind in _KINDS]
    subprocess.run([programs / "python", "-W", "ignore", "-c", _RINGS, folder / "etc", *places], check=True)
    with ExitStack() as stack:
        for kind in ports:
            stack.enter_context(_serving(folder, programs, kind))
        for port in ports.values():
            _wait(port, folder)
        yield Endpoint(f"http://127.0.0.1:{ports['proxy']}", _USER, _SECRET)


def _configure(folder: Path, ports: Mapping[str, int]) -> None:
    for name in ("etc", "log", "cache", "disks/d0"):
        (folder / name).mkdir(parents=True)
    (folder / "etc" / "swift.conf").write_text(_SWIFT_CONF)
    for kind, port in ports.items():
        text = Template(_PROXY if kind == "proxy" else _STORAGE).substitute(
            etc=folder / "etc", user=getpass.getuser(), port=port, log=folder / "no-syslog", cache=folder / "cache",
            devices=folder / "disks", kind=kind,
        )  # fmt: skip
        (folder / "etc" / f"{kind}-server.conf").write_text(text)


@contextmanager
def _serving(folder: Path, programs: Path, kind: str) -> Iterator[None]:
    with (folder / "log" / f"{kind}.log").open("wb") as log:
        command = [programs / "python", "-W", "ignore", programs / f"swift-{kind}-server"]
        process = subprocess.Popen(
            [*command, folder / "etc" / f"{kind}-server.conf", "-v"], stdout=log, stderr=log, env=_environment()
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}


def _wait(port: int, folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=1):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise RuntimeError(f"Swift did not start; see {folder}/log") from error
        time.sleep(0.05)
