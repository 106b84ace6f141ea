"""Small AIPs in stores: real bags, records and tombstones, put there without the way in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storage import bag, manifest
from storage.aip import Record
from storage.digest import Digest, sha256
from storage.event import Event
from storage.layout import blob_key, record_key
from storage.manifest import Line
from storage.store import Store
from storage.tombstone import Tombstone

TIME = "2026-03-01T12:00:00Z"


def parts(files: Iterable[bytes]) -> tuple[Digest, list[bytes]]:
    """The digest of a bag's tag manifest, and everything in the bag, the tag manifest last."""
    files = list(files)
    lines = [Line(f"data/{number}", sha256(data)) for number, data in enumerate(files)]
    contents = {
        bag.MANIFEST: b"".join(map(manifest.format_line, lines)), bag.BAGIT: bag.DECLARATION, bag.INFO: b"A: b\n",
    }  # fmt: skip
    tags = bag.tag_manifest((path, sha256(data)) for path, data in contents.items())
    return sha256(tags), [*files, *contents.values(), tags]


def record_of(aip: str, files: Iterable[bytes], version: int = 1, previous: Record | None = None) -> Record:
    return Record(
        aip=aip, version=version, accession="2026-0001", created=TIME, agent="tests", reason="ingestion", files=1,
        size=1, tagmanifest=parts(files)[0], previous=previous.digest if previous else None,
    )  # fmt: skip


def put(stores: Iterable[Store], datas: Iterable[bytes]) -> list[Digest]:
    datas = list(datas)
    for store in stores:
        for data in datas:
            store.replace(blob_key(sha256(data)), data)
    return [sha256(data) for data in datas]


def put_version(stores: Sequence[Store], record: Record, files: Iterable[bytes]) -> None:
    """A version with its blobs, in every store."""
    put(stores, parts(files)[1])
    for store in stores:
        store.create(record_key(record.uuid, record.version), record.to_bytes())


def entered(record: Record) -> Event:
    """The entry of its commit."""
    detail = {"version": record.version, "record": str(record.digest)}
    return Event(time=TIME, type="commit", agent="tests", object=record.aip, outcome="success", detail=detail)


def buried(aip: str, policy: str = "") -> Tombstone:
    return Tombstone(
        aip=aip, accession="2026-0001", request="D-2026-0001", reason="a duplicate", requested=TIME,
        requested_by="ann", approved=TIME, approved_by="ben", deleted=TIME, policy=policy, versions={1: sha256(b"v1")},
    )  # fmt: skip
