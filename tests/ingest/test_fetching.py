"""Bags whose fetch.txt is followed, to a server on loopback: what goes right, and all that can go wrong."""

from __future__ import annotations

import itertools
import shutil
import ssl
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from socket import socket
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from ingest import fetching, intake
from ingest.errors import Cancelled
from ingest.fetch_http import Fetcher
from ingest.fetch_rules import NotFetched
from policies.document import defaults
from policies.fetching import Fetching
from repository import Repository
from storage import layout
from storage.aip import parse_aip
from storage.progress import Progress
from tests.conftest import Answer, Tianyi, tree_of
from tests.servers.http import Server, answer, good, moved, serving

HERE, THERE = b"came along\n", b"to be fetched\n"
FETCH, FETCHED = "rfc8493-2.2.3-fetch", "rfc8493-2.2.3-fetched"
Ingest = Callable[..., Answer]
P = "{http://www.loc.gov/premis/v3}"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another try does not wait."""
    monkeypatch.setattr(fetching, "PAUSES", (0.0, 0.0))


def bag(folder: Path, lines: list[str], files: dict[str, bytes]) -> Path:
    """A bag with one file, and a manifest that lists others too."""
    listed = {"data/here.txt": HERE, **files}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "here.txt").write_bytes(HERE)
    (folder / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    (folder / "fetch.txt").write_text("".join(f"{line}\n" for line in lines))
    manifest = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in listed.items())
    (folder / "manifest-sha256.txt").write_text(manifest)
    return folder


@pytest.fixture
def ingest(tianyi: Tianyi, repository: Path, server: Server, tmp_path: Path) -> Ingest:
    """`ingest([line of fetch.txt])` takes in a bag of which data/a.txt did not come along."""

    def call(
        lines: list[str], *options: str, files: dict[str, bytes] | None = None, more: str = "", policy: str = ""
    ) -> Answer:
        told = policy or f'hosts: ["127.0.0.1:{server.port}"], schemes: [http, https], private: true{more}'
        (repository / "policies" / "ingest.yaml").write_text(f"fetch: follow\nfetching: {{{told}}}\n")
        folder = bag(tmp_path / "bag", lines, {"data/a.txt": THERE} if files is None else files)
        before = tree_of(folder)
        done = tianyi("ingest", folder, *options, at=repository)
        assert tree_of(folder) == before
        assert not list((repository / "work" / "staging").iterdir())
        return done

    return call


def findings(done: Answer, code: str) -> dict[str, str]:
    return {found["path"]: found["message"] for found in done.said["findings"] if found["code"] == code}


def events(repository: Path, aip: str) -> list[tuple[str, str, list[str]]]:
    """Time, detail and objects of each event `capture` in an AIP's first segment of PREMIS."""
    with Repository.open(repository) as one:
        [record] = one.vault.records(parse_aip(aip))
        [line] = [line for line in one.vault.payload(record) if line.path.endswith("premis-v1-0001.xml")]
        with one.vault.first.open(layout.blob_key(line.digest)) as stream:
            told = ElementTree.parse(stream)
    return [
        (event.findtext(f"{P}eventDateTime") or "", event.findtext(f".//{P}eventDetail") or "",
         [one.text or "" for one in event.iter(f"{P}linkingObjectIdentifierValue")])
        for event in told.iter(f"{P}event") if event.findtext(f"{P}eventType") == "capture"
    ]  # fmt: skip


def test_what_is_listed_is_fetched_and_kept_with_where_it_came_from(
    tianyi: Tianyi, repository: Path, server: Server, ingest: Ingest, tmp_path: Path
) -> None:
    server.answers = {"/a?key=1": moved("/b?secret=2"), "/b?secret=2": good(THERE), "/c": good(b"")}
    files = {"data/sub/a%0Ab.txt": THERE, "data/c.txt": b"", "data/here.txt": HERE}
    lines = [f"{server.url('/a?key=1')} {len(THERE)} data/sub/a%0Ab.txt", f"{server.url('/c')} - ./data/c.txt",
             f"{server.url('/never')} 1 data/here.txt"]  # fmt: skip
    done = ingest(lines, files=files)
    assert (done.code, done.said["outcome"], done.said["files"]) == (0, "accepted", 6)
    told = findings(done, FETCHED)
    assert told["data/here.txt"] == "It is in fetch.txt and is there."
    assert told["data/sub/a\nb.txt"] == f"It was fetched from {server.url('/a?key=1')}: {len(THERE)} bytes."
    assert [head.split(" ")[1] for head in server.asked] == ["/a?key=1", "/b?secret=2", "/c"]
    assert all("Accept-Encoding: identity" in head and "Cookie" not in head for head in server.asked)
    captured = events(repository, done.said["aip"])
    urls = [f"{server.url('/a?key=1')}, {len(THERE)}", f"{server.url('/c')}, 0"]
    assert [detail for _, detail, _ in captured] == [f"{url} bytes (RFC 8493 §2.2.3)" for url in urls]
    assert captured[0][2] == [f"{done.said['aip']}/data/representations/original/data/sub/a\nb.txt"]
    assert captured[0][0].endswith("Z")
    assert tianyi("export", done.said["aip"], tmp_path / "out", "--as", "folder", at=repository).code == 0
    assert (tmp_path / "out" / "data" / "sub" / "a\nb.txt").read_bytes() == THERE
    assert (tmp_path / "out" / "fetch.txt").read_text() == (tmp_path / "bag" / "fetch.txt").read_text()


def test_a_bag_in_a_zip_and_an_archive_that_was_fetched(
    tianyi: Tianyi, repository: Path, server: Server, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("inside.txt", "inside\n")
    data = (tmp_path / "inner.zip").read_bytes()
    server.answers = {"/a": good(data)}
    folder = bag(tmp_path / "bag", [f"{server.url('/a')} {len(data)} data/inner.zip"], {"data/inner.zip": data})
    with zipfile.ZipFile(tmp_path / "bag.zip", "w") as outer:
        for path in sorted(folder.rglob("*")):
            outer.write(path, path.relative_to(tmp_path))
    told = f'fetching: {{hosts: ["127.0.0.1:{server.port}"], schemes: [http], private: true}}'
    (repository / "policies" / "ingest.yaml").write_text(f"fetch: follow\n{told}\nextract: {{depth: 1}}\n")
    done = tianyi("ingest", tmp_path / "bag.zip", at=repository)
    assert (done.code, done.said["kind"], done.said["extracted"]) == (0, "bag", 1)


def test_what_is_fetched_can_be_added_to_what_is_held(
    tianyi: Tianyi, repository: Path, server: Server, ingest: Ingest, tmp_path: Path
) -> None:
    server.answers = {"/a": good(THERE), "/b": good(b"other")}
    first = ingest([f"{server.url('/a')} 14 data/a.txt"])
    for name, data, code in (("b.txt", b"other", 0), ("a.txt", b"other", 5)):
        more = bag(tmp_path / f"more-{name}", [f"{server.url('/b')} - data/{name}"], {f"data/{name}": data})
        done = tianyi("ingest", more, "--into", first.said["aip"], "--add", at=repository)
        assert (done.code, "data/a.txt" in findings(done, "path-held")) == (code, code == 5)
    kept = {row["path"] for row in tianyi("files", first.said["aip"], at=repository).rows}
    assert {f"data/representations/original/data/{name}.txt" for name in ("a", "b", "here")} <= kept


WRONG = [
    (good(b"something else"), "rfc8493-3-altered", "digest"),
    (good(THERE + b"!"), FETCH, "the server says that it has 15 bytes; fetch.txt says 14"),
    (answer("200 OK", THERE + b"!", {}), FETCH, "more than the 14 bytes that fetch.txt says"),
    (answer("200 OK", THERE[:-1], {}), FETCH, "it has 13 bytes; fetch.txt says 14"),
    (answer("200 OK", THERE[:-3], {"Content-Length": "14"}), FETCH, "the connection ended before its last 3 bytes"),
    (answer("200 OK", b"e\r\nto be", {"Transfer-Encoding": "chunked"}), FETCH, "127.0.0.1: IncompleteRead"),
    (answer("200 OK", b"zz\r\nto be", {"Transfer-Encoding": "chunked"}), FETCH, "127.0.0.1: "),
    (good(THERE, Content_Encoding="gzip"), FETCH, "the server encoded it (gzip)"),
    (answer("404 Not Found", b"", {}), FETCH, "the server answered 404, not 200"),
    (answer("206 Partial Content", THERE, {}), FETCH, "the server answered 206, not 200"),
    (answer("503 Not Now", b"", {}), FETCH, "the server answered 503, not 200"),
    (b"220 a mail server\r\n", FETCH, "127.0.0.1: "),
    (b"", FETCH, "127.0.0.1: Remote end closed connection without response"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, FETCH, "127.0.0.1: "),
    (moved("https://example.org/a"), FETCH, "it is redirected, and the policy does not list example.org"),
    (moved("http://127.0.0.1:1/a"), FETCH, "it is redirected, and the policy does not list 127.0.0.1:1"),
    (moved("file:///etc/passwd"), FETCH, "it is redirected, and the policy lists no file"),
    (moved("/a"), FETCH, "it is redirected more than 5 times"),
    (answer("302 Found", b"", {}), FETCH, "it is redirected to no URL"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "code", "why"), WRONG)
def test_what_the_server_gives_wrong(server: Server, ingest: Ingest, reply: bytes, code: str, why: str) -> None:
    server.answers = {"/a": reply}
    done = ingest([f"{server.url('/a')} 14 data/a.txt"])
    assert (done.code, done.said["outcome"], why in findings(done, code)["data/a.txt"]) == (5, "rejected", True)
    assert len(server.asked) <= 6


def test_what_passes_is_tried_again(server: Server, ingest: Ingest) -> None:
    replies = iter([answer("503 Not Now", b"", {}), answer("200 OK", THERE[:5], {"Content-Length": "14"}), good(THERE)])
    server.answers = {"/a": lambda line: line.sendall(next(replies))}
    assert ingest([f"{server.url('/a')} 14 data/a.txt"]).code == 0
    assert len(server.asked) == 3


REFUSED = [
    ("http://example.org/a 14 data/a.txt", "the policy does not list example.org (fetching.hosts)"),
    ("http://u:secret@127.0.0.1/a 14 data/a.txt", "its URL holds a user's name or password"),
    ("ftp://127.0.0.1/a 14 data/a.txt", "the policy lists no ftp (fetching.schemes)"),
    ("URL 14 tag.txt", "it does not lie in data/"),
    ("URL 14 data/b.txt", "no payload manifest lists it"),
    ("URL 14 data/here.txt/c", "path-through-file: its path goes through a file"),
    ("URL 14 data//c", "path-invalid"),
    ("URL 14 data/link/c", "path-through-link: its path goes through a link"),
    ("URL 14 data", "it does not lie in data/"),
    ("URL 14 data/folder", "the package has something else of that name"),
    ("URL 1001 data/a.txt", "more bytes than the policy allows"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_what_may_not_be_fetched_is_asked_of_nobody(
    server: Server, ingest: Ingest, tmp_path: Path, line: str, why: str
) -> None:
    names = ("data/a.txt", "data/here.txt/c", "data//c", "data/link/c", "data/folder", "tag.txt")
    (tmp_path / "bag" / "data" / "folder").mkdir(parents=True)
    (tmp_path / "bag" / "data" / "link").symlink_to("/tmp")
    done = ingest([line.replace("URL", server.url("/a"))], files=dict.fromkeys(names, THERE), more=", bytes: 1000")
    [told] = findings(done, FETCH).values()
    assert (done.code, why in told, "secret" in told, server.asked) == (5, True, False, [])


def test_a_path_that_leaves_the_bag_is_asked_of_nobody(server: Server, ingest: Ingest) -> None:
    done = ingest([f"{server.url('/a')} 14 data/a.txt", f"{server.url('/a')} 14 data/../../a.txt"])
    assert (done.code, list(findings(done, "rfc8493-5.2-path")), server.asked) == (5, ["fetch.txt"], [])
    assert list(findings(done, "rfc8493-2.2.3-would-fetch")) == ["data/a.txt"]


@pytest.mark.parametrize("policy", [
    "schemes: [http], private: true", 'hosts: ["127.0.0.1:PORT"], schemes: [http]',
    'hosts: ["localhost:PORT", "*.localhost:PORT"], schemes: [http]', 'hosts: ["127.0.0.1:PORT"], private: true',
])  # fmt: skip
def test_loopback_is_private_by_whatever_name(server: Server, ingest: Ingest, policy: str) -> None:
    host = "localhost" if "localhost" in policy else "127.0.0.1"
    line = f"{server.url('/a', host)} 14 data/a.txt"
    done = ingest([line], policy=policy.replace("PORT", str(server.port)))
    assert (done.code, list(findings(done, FETCH)), server.asked) == (5, ["data/a.txt"], [])


def test_once_one_has_failed_nobody_else_is_asked(server: Server, ingest: Ingest) -> None:
    server.answers = {"/b": good(THERE)}
    lines = [f"{server.url(path)} 14 data{path}" for path in ("/a", "/b")]
    done = ingest(lines, files={"data/a": THERE, "data/b": THERE})
    assert "nobody was asked" in findings(done, FETCH)["data/b"]
    assert (done.code, len(server.asked)) == (5, 1)


def test_limits_of_one_bag(server: Server, ingest: Ingest) -> None:
    server.answers = {"/a": answer("200 OK", THERE, {}), "/b": answer("200 OK", THERE, {})}
    lines = [f"{server.url(path)} - data{path}" for path in ("/a", "/b")]
    done = ingest(lines, files={"data/a": THERE, "data/b": THERE}, more=", bytes: 20")
    assert list(findings(done, FETCH)) == ["data/b"]
    assert "more bytes than the policy leaves for it: 6" in findings(done, FETCH)["data/b"]


def test_nothing_is_fetched_beforehand(
    tianyi: Tianyi, repository: Path, server: Server, ingest: Ingest, tmp_path: Path
) -> None:
    seen = ingest([f"{server.url('/a')} 14 data/a.txt"], "--dry-run")
    told = {"data/a.txt": f"It would be fetched from {server.url('/a')}: 14 bytes."}
    assert (seen.said["outcome"], findings(seen, "rfc8493-2.2.3-would-fetch")) == ("accept", told)
    assert (seen.said["fetched_bytes"], seen.said["space"][0]["needed"] >= 14) == (14, True)
    valid = tianyi("validate", tmp_path / "bag", at=repository)
    assert (valid.code, list(findings(valid, FETCH)), server.asked) == (5, ["data/a.txt"], [])
    (repository / "policies" / "ingest.yaml").unlink()
    done = tianyi("ingest", tmp_path / "bag", at=repository)
    assert (done.code, "deliver it" in findings(done, FETCH)["data/a.txt"], server.asked) == (5, True, [])


def test_a_full_disk_stops_the_ingest(
    tianyi: Tianyi, repository: Path, server: Server, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=13))
    done = ingest([f"{server.url('/a')} 14 data/a.txt"])
    assert (done.said["code"], server.asked) == ("disk-full", [])
    assert "then `tianyi ingest --resume`" in done.said["next"]  # the same command again makes a second accession
    assert [row["state"] for row in tianyi("accessions", at=repository).rows] == ["interrupted"]


def test_what_changes_meanwhile_is_told_and_nothing_else(
    tianyi: Tianyi, repository: Path, server: Server, tmp_path: Path
) -> None:
    folder = bag(tmp_path / "bag", [f"{server.url('/a')} 14 data/a.txt"], {"data/a.txt": THERE})

    def late(line: socket) -> None:
        (folder / "data" / "a.txt").write_bytes(THERE)
        line.sendall(good(THERE))

    server.answers = {"/a": late}
    told = f'fetching: {{hosts: ["127.0.0.1:{server.port}"], schemes: [http], private: true}}'
    (repository / "policies" / "ingest.yaml").write_text(f"fetch: follow\n{told}\n")
    done = tianyi("ingest", folder, at=repository)
    assert (done.code, list(findings(done, "source-changed"))) == (5, ["data/a.txt"])


class Stops(Progress):
    """As if somebody had pressed Ctrl-C when two files were examined."""

    def __init__(self) -> None:
        self.step, self.files = "", 0

    def begin(self, what: str, files: int, size: int) -> None:
        self.step = what

    def advance(self, files: int, size: int) -> None:
        self.files += files if self.step == "Reading" else 0
        if self.files > 2:
            raise KeyboardInterrupt

    def end(self) -> None: ...


def test_what_was_settled_is_not_fetched_again(
    tianyi: Tianyi, repository: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHUNK_FILES", 1)
    monkeypatch.setattr(intake, "BATCH_FILES", 1)
    names = [f"{number}.txt" for number in range(6)]
    contents = {f"data/{name}": name.encode() for name in names}
    server.answers = {f"/{name}": good(name.encode()) for name in names}
    folder = bag(tmp_path / "bag", [f"{server.url('/' + name)} 5 data/{name}" for name in names], contents)
    told = f'fetching: {{hosts: ["127.0.0.1:{server.port}"], schemes: [http], private: true}}'
    (repository / "policies" / "ingest.yaml").write_text(f"fetch: follow\n{told}\nextract: {{depth: 1}}\n")
    with Repository.open(repository, progress=Stops()) as cut, pytest.raises(KeyboardInterrupt):
        cut.ingest(folder)
    assert len(server.asked) == 6
    done = tianyi("ingest", "--resume", at=repository)
    again = {head.split(" ")[1] for head in server.asked[6:]}
    assert (done.code, done.said["files"], 0 < len(again) < 6) == (0, 10, True)
    assert len(events(repository, done.said["aip"])) == 6
    audited = tianyi("audit", at=repository).said
    assert audited["intact"] == audited["checked"]


def rules(server: Server, **more: Any) -> Fetching:
    host = f"127.0.0.1:{server.port}"
    return Fetching.model_validate(
        {**defaults("ingest")["fetching"], "hosts": [host], "schemes": ["http"], "private": "true", **more}
    )


def ticking(step: float = 0.1) -> Callable[[], float]:
    """A clock that goes on by so many seconds each time that somebody looks."""
    counted = itertools.count()
    return lambda: next(counted) * step


def endless(line: socket) -> None:
    line.sendall(answer("200 OK", b"", {}))
    while True:
        line.sendall(b"x" * 1000)


def slow_head(line: socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"X: y\r\n")


@pytest.mark.parametrize(("how", "seconds", "why"), [
    ("silent", 5.0, "time that the policy allows was up"),
    ("slow", 5.0, "time that the policy allows was up|100 headers"),
    ("endless", 1e9, "more bytes than the policy leaves for it: 100000"),
])  # fmt: skip
def test_nobody_keeps_us_waiting(server: Server, how: str, seconds: float, why: str) -> None:
    server.answers = {"/a": {"silent": server.silent, "slow": slow_head, "endless": endless}[how]}
    fetcher = Fetcher(rules(server), clock=ticking(), tick=0.01)
    with pytest.raises(NotFetched, match=why):
        fetcher.fetch(server.url("/a"), None, 100_000, seconds, lambda _: None)


def test_a_run_that_is_cancelled_stops_while_it_waits(server: Server) -> None:
    server.answers = {"/a": server.silent}

    def heed() -> None:
        if server.asked:
            raise Cancelled("2026-0001")

    with pytest.raises(Cancelled):
        Fetcher(rules(server), heed, tick=0.01).fetch(server.url("/a"), None, 9, 1e9, lambda _: None)


def test_a_name_is_resolved_once_and_its_checked_address_is_asked(server: Server) -> None:
    server.answers = {"/a": good(THERE)}
    asked: list[str] = []

    def resolve(host: str, port: int, seconds: float) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    got: list[bytes] = []
    listed = rules(server, hosts=[f"files.example.org:{server.port}"])
    url = Fetcher(listed, resolve=resolve).fetch(server.url("/a", "files.example.org"), 14, 14, 1e9, got.append)
    assert (asked, b"".join(got), url) == (["files.example.org"], THERE, server.url("/a", "files.example.org"))
    assert f"Host: files.example.org:{server.port}" in server.asked[0]
    for private, hosts in (("false", "files.example.org"), ("true", "*.example.org")):
        listed = rules(server, hosts=[f"{hosts}:{server.port}"], private=private)
        with pytest.raises(NotFetched, match="no address but of this machine"):
            Fetcher(listed, resolve=resolve).fetch(server.url("/a", "files.example.org"), 14, 14, 1e9, got.append)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl, which makes a certificate")
def test_a_server_has_to_prove_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=a", "-addext", "subjectAltName=DNS:a.example.org", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as server:
        server.answers = {"/a": good(THERE)}
        listed = rules(server, hosts=[f"{host}.example.org:{server.port}" for host in "ab"], schemes=["https"])
        fetcher, got = Fetcher(listed, resolve=lambda *_: ["127.0.0.1"]), list[bytes]()
        urls = [server.url("/a", f"{host}.example.org").replace("http:", "https:") for host in "ab"]
        with pytest.raises(NotFetched, match=r"a\.example\.org cannot prove who it is"):
            fetcher.fetch(urls[0], 14, 14, 1e9, got.append)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(NotFetched, match=r"b\.example\.org cannot prove who it is"):
            fetcher.fetch(urls[1], 14, 14, 1e9, got.append)
        assert (fetcher.fetch(urls[0], 14, 14, 1e9, got.append), got) == (urls[0], [THERE])
