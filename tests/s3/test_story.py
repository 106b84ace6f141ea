"""A repository whose second copy lies in an object store: made, filled, damaged, healed, cut off; what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Answer, Tianyi
from tests.s3.conftest import BUCKET
from tests.servers import proxy
from tests.servers.endpoint import Endpoint
from tests.servers.proxy import Proxy

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[2] / "samples"
Init = Callable[..., Answer]


@pytest.fixture
def url(prefix: str, between: Proxy) -> str:
    return address(between.endpoint, f"{BUCKET}/{prefix}")


def address(endpoint: Endpoint, place: str) -> str:
    return f"s3://{place}?endpoint={quote(endpoint.url)}&patience=2"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, server: Endpoint) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)


@pytest.fixture
def archive(tmp_path: Path, tianyi: Tianyi, url: str, key: None) -> Path:
    folder = tmp_path / "archive"
    answer = tianyi("init", folder, "--copy", url)
    assert (answer.code, [copy["name"] for copy in answer.said["copies"]]) == (0, ["first", "copy-2"])
    return folder


def everything(answer: Answer) -> str:
    """All that a command said, to people and machines."""
    return json.dumps(answer.rows) + answer.errors


def test_a_life_in_two_places(tianyi: Tianyi, archive: Path, server: Endpoint, prefix: str, between: Proxy) -> None:
    taken = tianyi("ingest", SAMPLES / "accession", at=archive)
    assert (taken.code, taken.said["copies"]) == (0, "complete")
    far = server.client(BUCKET, prefix)
    keys = {entry["path"]: entry["size"] for page in far.list() for entry in page}
    vault = archive / "vault"
    assert keys == {str(p.relative_to(vault)): p.stat().st_size for p in vault.rglob("*") if p.is_file()}

    victim = max((key for key in keys if key.startswith("blobs/")), key=keys.__getitem__)
    whole = bytes(far.get(victim).bytes())
    far.put(victim, whole[:-1] + bytes([whole[-1] ^ 1]))
    lost = next(key for key in keys if key.startswith("aips/"))
    far.delete(lost)
    found = tianyi("audit", at=archive)
    assert found.code == 3
    assert {(one["outcome"], one["key"]) for one in found.said["findings"]} == {("altered", victim), ("missing", lost)}
    assert tianyi("repair", at=archive).code == 0
    assert bytes(far.get(victim).bytes()) == whole
    assert tianyi("audit", at=archive).code == 0

    aip = taken.said["aip"]
    (vault / victim).unlink()
    assert tianyi("export", aip, archive.parent / "dip", "--as", "bag", at=archive).code == 0


def test_a_store_that_stops_is_behind(tianyi: Tianyi, tmp_path: Path, server: Endpoint, prefix: str, key: None) -> None:
    archive = tmp_path / "archive"
    with proxy.before(server) as between:
        assert tianyi("init", archive, "--copy", address(between.endpoint, f"{BUCKET}/{prefix}")).code == 0
    taken = tianyi("ingest", SAMPLES / "accession", at=archive)
    assert (taken.code, taken.said["outcome"], taken.said["copies"]) == (6, "accepted", "behind")
    assert tianyi("list", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 6


def test_a_store_that_fails_midway_is_behind(tianyi: Tianyi, archive: Path, between: Proxy, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "text.txt").write_text("One text, and the seven files that its bag needs beside.\n")
    between.on("PUT", "/blobs/", proxy.answers(500, "InternalError"), call=3, times=float("inf"))
    taken = tianyi("ingest", tmp_path / "one", at=archive)
    assert (taken.code, taken.said["outcome"], taken.said["copies"]) == (6, "accepted", "behind")
    between.calm()
    assert tianyi("audit", at=archive).code == 3
    assert tianyi("repair", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 0


def test_a_store_is_added_and_caught_up_with_however_it_fails(
    tianyi: Tianyi, tmp_path: Path, between: Proxy, prefix: str, key: None
) -> None:
    archive = tmp_path / "archive"
    assert tianyi("init", archive).code == 0
    assert tianyi("ingest", SAMPLES / "accession", at=archive).code == 0
    added = tianyi(
        "copies", "add", "far", f"s3://{BUCKET}/{prefix}", "--option", f"endpoint={between.endpoint.url}",
        "--option", "patience=2", at=archive,
    )  # fmt: skip
    assert added.code == 0
    between.on("PUT", "/blobs/", proxy.answers(503, "SlowDown"), call=5, times=float("inf"))
    assert tianyi("replicate", at=archive).code == 6
    between.calm()
    between.on("PUT", "/blobs/", proxy.flips_the_upload, call=2).on("GET", "list-type", proxy.cuts_the_answer, call=6)
    assert tianyi("replicate", at=archive).code == 0
    between.calm()
    assert {one["state"] for one in tianyi("copies", at=archive).rows} == {"complete"}
    assert tianyi("audit", at=archive).code == 0


def test_the_store_alone_gives_everything_back(tianyi: Tianyi, archive: Path, tmp_path: Path) -> None:
    taken = tianyi("ingest", SAMPLES / "accession", at=archive)
    shutil.rmtree(archive / "vault")
    (archive / "catalogue.db").unlink()
    assert tianyi("list", at=archive).code == 6
    assert tianyi("copies", "promote", "copy-2", at=archive).code == 0
    assert [row["aip"] for row in tianyi("list", at=archive).rows] == [taken.said["aip"]]
    assert tianyi("copies", "retire", "first", at=archive).code == 0
    assert tianyi("copies", "add", "new", tmp_path / "new", at=archive).code == 0
    assert tianyi("replicate", at=archive).code == 0
    assert tianyi("copies", "promote", "new", at=archive).code == 0
    assert tianyi("audit", at=archive).code == 0


def test_a_key_in_a_file_goes_before_the_environment(
    tianyi: Tianyi, archive: Path, server: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of somebody else")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of somebody else")
    answer = tianyi("audit", "--copy", "copy-2", at=archive)
    assert answer.code == 6
    assert "refuses the key" in everything(answer)
    server.keys(archive / "keys" / "copy-2.toml")
    assert tianyi("audit", "--copy", "copy-2", at=archive).code == 3  # it lacks the report of the audit that failed
    assert tianyi("repair", at=archive).code == 0
    (archive / "keys" / "copy-2.toml").chmod(0o644)
    answer = tianyi("audit", "--copy", "copy-2", at=archive)
    assert answer.code == 6
    assert "can be read by others" in everything(answer)


def test_the_doctor_tries_it_out(
    tianyi: Tianyi, archive: Path, server: Endpoint, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked() -> dict[str, Any]:
        checks = {check["name"]: check for check in tianyi("doctor", at=archive).said["checks"]}
        return {name.removeprefix("copy-2: "): check for name, check in checks.items() if "copy-2: " in name}

    before = sorted(entry["path"] for page in server.client(BUCKET, prefix).list() for entry in page)
    checks = looked()
    assert {name: check["ok"] for name, check in checks.items()} == dict.fromkeys(
        ("reachable", "writable", "clock", "deletes", "versions"), True
    )
    assert sorted(entry["path"] for page in server.client(BUCKET, prefix).list() for entry in page) == before
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    [reached] = looked().values()
    assert (reached["ok"], reached["severity"]) == (False, "error")
    assert "refuses the key in AWS_ACCESS_KEY_ID" in reached["found"]
    assert "Correct the key" in reached["next"]


def test_a_bucket_that_keeps_versions_is_known(tianyi: Tianyi, tmp_path: Path, server: Endpoint, key: None) -> None:
    server.make_bucket("versioned")
    server.keep_versions("versioned")
    assert tianyi("init", tmp_path / "archive", "--copy", address(server, "versioned/vault")).code == 0
    checks = {check["name"]: check for check in tianyi("doctor", at=tmp_path / "archive").said["checks"]}
    assert (checks["copy-2: versions"]["ok"], checks["copy-2: versions"]["severity"]) == (False, "info")


class TestRefusals:
    """Nothing is made where a copy cannot be; each says why and what to do."""

    def refused(self, tianyi: Tianyi, folder: Path, url: str) -> tuple[int, str]:
        answer = tianyi("init", folder, "--copy", url)
        assert not folder.exists()
        return answer.code, everything(answer)

    def test_what_is_there_already(self, tianyi: Tianyi, archive: Path, url: str, server: Endpoint, key: None) -> None:
        code, told = self.refused(tianyi, archive.parent / "other", url)
        assert (code, "something in it already" in told) == (5, True)
        server.client(BUCKET, "photos").put("holiday.jpg", b"")
        code, told = self.refused(tianyi, archive.parent / "other", address(server, f"{BUCKET}/photos"))
        assert (code, "something in it already" in told) == (5, True)

    def test_another_vaults_copy(self, tianyi: Tianyi, archive: Path, tmp_path: Path, server: Endpoint) -> None:
        assert tianyi("init", tmp_path / "other", "--copy", address(server, f"{BUCKET}/others")).code == 0
        text = (archive / "tianyi.toml").read_text()
        mine = next(line for line in text.splitlines() if "s3:" in line)
        (archive / "tianyi.toml").write_text(text.replace(mine, f'url = "{address(server, BUCKET + "/others")}"'))
        assert tianyi("list", at=archive).code == 0, "it stops nothing but itself"
        answer = tianyi("copies", at=archive)
        assert (answer.code, "another vault" in everything(answer)) == (6, True)

    @pytest.mark.parametrize(
        ("place", "told"),
        [
            ("s3://nosuchbucket/x?endpoint={url}", "no such bucket"),
            ("s3://vaults/x?endpoint=http://127.0.0.1:1&patience=1", "nobody answers"),
            ("s3://vaults/x?endpoint=http://no.such.host.invalid&patience=1", "nobody answers"),
        ],
    )
    def test_what_cannot_be_reached(
        self, place: str, told: str, tianyi: Tianyi, tmp_path: Path, server: Endpoint, key: None
    ) -> None:
        code, errors = self.refused(tianyi, tmp_path / "archive", place.format(url=server.url))
        assert (code, told in errors) == (6, True), errors

    @pytest.mark.parametrize("url", ["s3:///x", "s3://vaults/x?endpiont=y", "s3://vaults/x?patience=soon"])
    def test_what_cannot_be_meant(self, url: str, tianyi: Tianyi, tmp_path: Path) -> None:
        code, _ = self.refused(tianyi, tmp_path / "archive", url)
        assert code == 5

    def test_two_copies_in_one_place(self, tianyi: Tianyi, tmp_path: Path, url: str) -> None:
        answer = tianyi("init", tmp_path / "archive", "--copy", url, "--copy", url.replace("?", "/inside?"))
        assert (answer.code, answer.said["message"].startswith(url)) == (5, True)
