"""A real S3 server for each worker of the tests, and a prefix of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from storage.s3 import S3
from tests.servers import ceph, proxy, swift
from tests.servers.endpoint import Endpoint
from tests.servers.proxy import Proxy

ROOT = Path(__file__).parents[2]
BUCKET = "vaults"
_serial = count()
Reach = Callable[..., S3]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """OpenStack Swift; Ceph where TIANYI_CEPH=1 asks for it, since it has to be installed by root."""
    folder = tmp_path_factory.mktemp("server")
    with ceph.running(folder) if _is_ceph_wanted() else swift.running(folder, _swift_programs()) as running:
        running.make_bucket(BUCKET)
        yield running


def _is_ceph_wanted() -> bool:
    wanted = os.environ.get("TIANYI_CEPH") == "1"
    if wanted and not ceph.is_installed():
        pytest.fail("TIANYI_CEPH=1, but Ceph is not installed: see tests/servers/ceph.py")
    return wanted


def _swift_programs() -> Path:
    programs = ROOT / ".venv-swift" / "bin"
    if not (programs / "swift-proxy-server").exists():
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Swift: `make servers`")
        pytest.skip("there is no Swift: `make servers`")
    return programs


@pytest.fixture(autouse=True)
def nobody_elses_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def prefix() -> str:
    return f"test-{next(_serial)}"


@pytest.fixture
def reach(server: Endpoint, prefix: str, tmp_path: Path) -> Reach:
    """`reach(at, …)` is the copy under this test's prefix, asked for at another endpoint where one is named."""

    def at(endpoint: Endpoint = server, bucket: str = BUCKET, secret: str = "", **said: object) -> S3:
        place = endpoint.place(bucket, prefix, endpoint.keys(tmp_path / "key.toml", secret), **said)
        return S3("far", place, tmp_path / "spool")

    return at


@pytest.fixture
def store(reach: Reach) -> S3:
    return reach()


@pytest.fixture
def between(server: Endpoint) -> Iterator[Proxy]:
    """A proxy before the server, that spoils what a test orders."""
    with proxy.before(server) as running:
        yield running
