"""The readers of hostile formats, each as one function of bytes: it may refuse them by an error of ours, or by the one
that its contract names, and nothing else may come out of it."""

from __future__ import annotations

import csv
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from ingest import archive, bag_profile, describe, droid, fetch_plan, metadata_rows, scan_clamd
from ingest.engine import fido_identifier
from ingest.fetch_http import Fetcher
from ingest.fetch_rules import NotFetched
from ingest.finding import Finding
from ingest.identify import HEAD, Sample
from ingest.item import Item
from ingest.scan_line import Broken, Line
from ingest.sip import open_sip
from ingest.unpack import Unpacking
from ingest.validation import validate
from ingest.worklist import Worklist
from policies.document import defaults, load
from policies.document import parse as parse_policy
from policies.ingest import ContainerLimits, IngestPolicy
from storage import bundle, event, intent, manifest, namemap, premis_read, tombstone
from storage.aip import parse_record
from storage.errors import TianyiError
from storage.parallel import Inline
from tests.fuzz import seeds
from tests.fuzz.changes import Change, changed
from tests.fuzz.guard import Escape, guarded
from tests.fuzz.mended import mended_7z, mended_json, mended_tar

NOW = datetime(2026, 11, 1, tzinfo=UTC)
Read = Callable[[bytes, Path], None]
Mend = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Target:
    """A reader, the good files that hostile ones are made from, and what makes checksums right again after a change, so
    that the reader looks further."""

    name: str
    read: Read
    seeds: Sequence[bytes]
    mend: Mend = bytes
    slow: bool = False  # it starts processes

    def hostile(self, number: int, changes: Iterable[Change]) -> bytes:
        return self.mend(changed(self.seeds[number % len(self.seeds)], changes))


def attempt(target: Target, data: bytes) -> None:
    """Let the reader have the bytes; whatever it does that it must not is raised here."""
    _warm(target.name)
    with TemporaryDirectory(prefix="fuzz-") as folder, guarded(Path(folder)), suppress(TianyiError):
        target.read(data, Path(folder))


@cache
def _warm(name: str) -> None:
    """What is read once a process is not what is asked about."""
    policy()
    if name == "identify":
        fido_identifier()


@cache
def policy() -> IngestPolicy:
    """The default policy, with limits that an input of some kilobytes can reach."""
    found = load(None).ingest
    container = ContainerLimits(files=50, bytes=64 << 20, ratio=1_000)
    return found.model_copy(update={"limits": found.limits.model_copy(update={"container": container})})


def _archive(kind: str) -> Read:
    def read(data: bytes, folder: Path) -> None:
        path, scratch = folder / "archive", folder / "unpacked"
        path.write_bytes(data)
        with suppress(TianyiError):
            archive.kind_of(path)
        items: dict[bytes, Item] = {}
        unpacking = Unpacking(scratch, len(data), policy().limits.container, items.get)
        for found in archive.members(path, kind, unpacking):
            if isinstance(found, Item):
                items[found.name] = _checked(found, scratch)

    return read


def _checked(item: Item, scratch: Path) -> Item:
    """A member that was taken is called by a name that stays inside, and its bytes lie in scratch."""
    parts = item.name.split(b"/")
    if b".." in parts or b"" in parts or b"\0" in item.name:
        raise Escape(item.name)
    if item.source and Path(item.source.decode()).parent != scratch:
        raise Escape(item.source)
    return item


def _package(kind: str, hostile: str, around: Callable[[], dict[str, bytes]]) -> Read:
    """A delivery in which one file is hostile: listed, examined and checked as `tianyi validate` does it; then what it
    says of itself is taken out as `tianyi ingest` does it."""

    def read(data: bytes, folder: Path) -> None:
        package = folder / "package"
        for path, content in {**around(), hostile: data}.items():
            (package / path).parent.mkdir(parents=True, exist_ok=True)
            (package / path).write_bytes(content)
        with _tempdir(folder):
            found = validate(package, policy(), lambda files, size: _inline(), kind, now=NOW)
            assert all(isinstance(one, Finding) for one in found.findings)
            _described(package, kind)

    return read


def _described(package: Path, kind: str) -> None:
    worklist = Worklist()
    try:
        sip = open_sip(package, worklist, package.parent / "unpacked", policy(), kind)
        describe.parse(describe.to_json(sip.core), "core.json")
        sip.submitter.encode()
        if sip.bag:
            assert all(isinstance(one, Finding) for one in fetch_plan.foretold(sip.bag, worklist, _following()))
        for line in sip.description.lines() if sip.description else ():
            assert line.endswith(b"\n")
    finally:
        worklist.close()


@contextmanager
def _inline() -> Any:
    yield Inline()


@contextmanager
def _tempdir(folder: Path) -> Any:
    """Temporary folders of the program lie in ours, so that a file elsewhere is an escape."""
    import tempfile

    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _dublin_core(ending: str) -> Read:
    def read(data: bytes, folder: Path) -> None:
        describe.to_json(describe.parse(data, f"dc.{ending}"))

    return read


def _value(parse: Callable[[bytes], object], *errors: type[Exception]) -> Read:
    """A pure reader; `errors` are those that its docstring names."""

    def read(data: bytes, folder: Path) -> None:
        with suppress(*errors):
            parse(data)

    return read


def _premis(data: bytes, folder: Path) -> None:
    (folder / "premis.xml").write_bytes(data)
    with suppress(ValueError), (folder / "premis.xml").open("rb") as stream:
        list(premis_read.read(stream))


@cache
def _following() -> IngestPolicy:
    """A policy that fetches, and lists whom the seeds name."""
    told = "fetch: follow\nfetching: {hosts: [example.org], schemes: [http, https]}\n"
    return parse_policy(told, "ingest.yaml", IngestPolicy, defaults("ingest"))


def _http(data: bytes, folder: Path) -> None:
    """Whatever answers where a file of fetch.txt is asked for."""
    fetcher = Fetcher(_following().fetching, resolve=lambda *_: ["1.1.1.1"])
    ours, theirs = socket.socketpair()
    with ours, theirs, patch.object(socket, "create_connection", lambda *_: ours), suppress(NotFetched):
        theirs.sendall(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        fetcher.fetch("http://example.org/a", None, 1 << 20, inf, lambda part: None)


def _clamd(data: bytes, folder: Path) -> None:
    """Whatever listens where clamd should: the answers to a question and to a stream."""
    for ask in (lambda line: line.ask(b"zVERSION\0"), _stream):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(data[:60_000])
            theirs.shutdown(socket.SHUT_WR)
            with suppress(OSError, Broken):
                line = Line(ours, 5, lambda: 0.0)
                line.open()
                assert ask(line).isprintable()
    text = data.decode("ascii", "backslashreplace")
    for parse in (lambda: scan_clamd.read_answer(text, len(data)), lambda: scan_clamd.read_version(text)):
        with suppress(Broken):
            parse()


def _stream(line: Line) -> str:
    line.begin()
    line.send(b"bytes")
    line.end()
    return line.answer()


def _identify(data: bytes, folder: Path) -> None:
    (folder / "file").write_bytes(data)
    sample = Sample(b"file.bin", len(data), data[:HEAD], data[-HEAD:], lambda: (folder / "file").open("rb"))
    fido_identifier().identify(sample)


def _table(data: bytes) -> object:
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    return [*metadata_rows.rows(lines, "metadata.csv")] if metadata_rows.is_ours(lines[0] if lines else "") else None


def _profile(data: bytes) -> object:
    bag_profile.identifier(data)
    files = [("bagit.txt", 1), ("data/a.txt", 2), ("folder/caf\u00e9", 0)]
    tags = [("BagIt-Profile-Identifier", "https://example.org/p.json"), ("Source-Organization", "The library")]
    shape = bag_profile.Shape("1.0", tags, frozenset({"md5"}), frozenset(), frozenset(), files)
    return [*bag_profile.check(bag_profile.parse(data), shape)]


TARGETS = {target.name: target for target in (
    Target("zip", _archive("zip"), seeds.zips()),
    Target("tar", _archive("tar"), seeds.tars(), mended_tar),
    Target("tar-packed", _archive("tar"), seeds.packed_tars()),
    Target("7z", _archive("7z"), seeds.sevens(), mended_7z, slow=True),
    Target("bagit.txt", _package("bag", "bagit.txt", seeds.bag), [seeds.bag()["bagit.txt"]]),
    Target("manifest", _package("bag", "manifest-md5.txt", seeds.bag), seeds.manifests()),
    Target("tagmanifest", _package("bag", "tagmanifest-sha256.txt", seeds.bag), seeds.manifests()),
    Target("fetch.txt", _package("bag", "fetch.txt", seeds.bag), seeds.fetches()),
    Target("http", _http, seeds.http_answers()),
    Target("bag-info", _package("bag", "bag-info.txt", seeds.bag), seeds.infos()),
    Target("profile", _value(_profile, bag_profile.NotProfile), seeds.profiles()),
    Target("digest-list", _package("folder", "checksum.md5", seeds.folder), seeds.digest_lists()),
    Target("digest-table", _package("folder", "checksums.csv", seeds.folder), seeds.digest_tables()),
    Target("metadata.csv", _package("folder", "metadata/metadata.csv", seeds.folder), seeds.tables()),
    Target("mets", _package("eark", "METS.xml", seeds.eark), seeds.mets()),
    Target("dc.xml", _package("eark", "metadata/descriptive/dc.xml", seeds.eark), seeds.described()),
    Target("ead.xml", _package("eark", "metadata/descriptive/dc.xml", seeds.eark_with_ead), seeds.described()),
    Target("rocrate", _package("rocrate", "ro-crate-metadata.json", seeds.folder), seeds.crates()),
    Target("ocfl", _package("ocfl", "inventory.json", seeds.ocfl), seeds.inventories()),
    Target("ocfl-version", _package("ocfl", "v1/inventory.json", seeds.ocfl), seeds.inventories()),
    Target("ocfl-sidecar", _package("ocfl", "inventory.json.sha512", seeds.ocfl), seeds.sidecars()),
    Target("dc.json", _dublin_core("json"), seeds.core_json()),
    Target("dc.csv", _dublin_core("csv"), seeds.core_csv()),
    Target("droid", _value(lambda data: droid.convert(data, seeds.droid_containers())), [seeds.droid_signatures()]),
    Target("droid-containers", _value(lambda data: droid.convert(seeds.droid_signatures(), data)),
           [seeds.droid_containers()]),
    Target("identify", _identify, seeds.containers()),
    Target("clamd", _clamd, seeds.answers()),
    Target("names", _value(lambda data: [*namemap.parse_lines(data.splitlines())], ValueError), seeds.names_maps()),
    Target("entry", _value(event.parse_event, ValueError), seeds.entries(), mended_json),
    Target("entries", _value(bundle.decode, ValueError), seeds.bundles()),
    Target("record", _value(lambda data: parse_record(data, "v1.json")), seeds.records(), mended_json),
    Target("tombstone", _value(lambda data: tombstone.parse_tombstone(data, seeds.TOMBSTONE)), seeds.tombstones(),
           mended_json),
    Target("intent", _value(intent.parse_intent, ValueError), seeds.intents(), mended_json),
    Target("tagged", _value(lambda data: [*manifest.parse(data.splitlines(keepends=True))], ValueError),
           seeds.manifests()),
    Target("premis", _premis, seeds.preservation()),
    Target("table", _value(_table, csv.Error), seeds.tables()),
)}  # fmt: skip
