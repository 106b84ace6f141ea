"""Facts → a version's bag: names, PREMIS, manifests and tag files, each streamed into the vault as a blob."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from ingest.unchanged import Container
from ingest.worklist import Placed, Worklist
from storage import bag, manifest, namemap, premis
from storage.aip import Record
from storage.canonical import Json
from storage.digest import Digest
from storage.event import Event
from storage.manifest import Line
from storage.premis import Agent, File, Happening, Rights
from storage.receive import Received, joined

NAMES = 50_000  # entries of one segment of the map of names

Keep = Callable[[Iterable[bytes]], Received]
"""Takes a blob's bytes in; they are durable once the staging is settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of a version before its bag is made; `previous` is the record before it."""

    aip: str
    version: int
    accession: str
    created: str
    agent: str
    reason: str
    title: str
    producer: str
    software: str
    previous: Record | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """A version's record and its tag files; the payload is on the worklist."""

    record: Record
    tag_files: Sequence[Placed]

    def blobs(self, worklist: Worklist) -> Iterator[tuple[Digest, int]]:
        """SHA-256 and bytes of every blob of the version."""
        yield from ((placed.digest, placed.size) for placed in self.tag_files)
        yield from worklist.blobs()


def put_names(worklist: Worklist, keep: Keep, version: int) -> None:
    """Write the map of names in segments."""
    for number, some in enumerate(_cut(worklist.named(), NAMES), start=1):
        place = f"{bag.PRESERVATION}names-v{version}-{number:04d}.jsonl"
        put(worklist, keep, place, joined(map(namemap.format_line, some)))


def put_premis(
    worklist: Worklist, keep: Keep, draft: Draft, files: Iterable[File], events: Sequence[Happening],
    agents: Sequence[Agent], rights: Sequence[Rights] = (),
) -> None:  # fmt: skip
    """Write what this version adds to the AIP's PREMIS, in segments."""
    for number, parts in enumerate(premis.segments(draft.aip, files, events, agents, rights), start=1):
        put(worklist, keep, f"{bag.PRESERVATION}premis-v{draft.version}-{number:04d}.xml", joined(parts))


def put_policy(worklist: Worklist, keep: Keep, version: int, policy: bytes) -> None:
    """Keep the policy that decided: the entry of the commit names it by its digest."""
    put(worklist, keep, f"{bag.PRESERVATION}policy-v{version}.json", [policy])


def put_terms(worklist: Worklist, keep: Keep, version: int, accession: str, told: Mapping[str, str]) -> None:
    """Keep the terms on which it came."""
    data = json.dumps({"accession": accession, **told}, ensure_ascii=False, indent=1).encode()
    put(worklist, keep, f"{bag.PRESERVATION}accession-v{version}.json", [data + b"\n"])


def put_container(worklist: Worklist, keep: Keep, version: int, container: Container) -> None:
    """Write down which archive the files came in."""
    told = {"name": container.name, "digest": str(container.digest), "size": container.size}
    put(worklist, keep, f"{bag.PRESERVATION}container-v{version}.json", [json.dumps(told, indent=1).encode() + b"\n"])


def put(worklist: Worklist, keep: Keep, place: str, parts: Iterable[bytes]) -> None:
    """Keep a file that Tianyi makes for the bag."""
    received = keep(parts)
    worklist.made(Placed(place, received.digest, received.size))


def close(worklist: Worklist, keep: Keep, draft: Draft) -> Assembled:
    """Write manifest and tag files over all that is on the worklist, and the record that names them."""
    count = size = 0

    def lines() -> Iterator[bytes]:
        nonlocal count, size
        for placed in worklist.bag():
            count, size = count + 1, size + placed.size
            yield manifest.format_line(Line(placed.place, placed.digest))

    def tag(name: str, parts: Iterable[bytes]) -> Placed:
        received = keep(parts)
        return Placed(name, received.digest, received.size)

    listed = [tag(bag.MANIFEST, joined(lines())), tag(bag.BAGIT, [bag.DECLARATION])]
    listed.append(tag(bag.INFO, [bag.format_info(_info(draft, count, size))]))
    closing = tag(bag.TAGMANIFEST, [bag.tag_manifest((file.place, file.digest) for file in listed)])
    record = Record(
        aip=draft.aip, version=draft.version, accession=draft.accession, created=draft.created, agent=draft.agent,
        reason=draft.reason, files=count, size=size, tagmanifest=closing.digest,
        previous=draft.previous.digest if draft.previous else None,
    )  # fmt: skip
    return Assembled(record, [*listed, closing])


def _info(draft: Draft, count: int, size: int) -> Iterator[tuple[str, str]]:
    """bag-info.txt, in the reserved elements of RFC 8493 §2.2.2."""
    if draft.producer:
        yield "Source-Organization", draft.producer
    yield "External-Description", draft.title
    yield "External-Identifier", draft.accession
    yield "Internal-Sender-Identifier", draft.aip
    yield "Internal-Sender-Description", f"version {draft.version}: {draft.reason}"
    yield "Bagging-Date", draft.created[:10]
    yield "Payload-Oxum", f"{size}.{count}"
    yield "Bag-Software-Agent", draft.software


def commit_event(
    record: Record, accession: str, policy: str, because: Iterable[str], more: Mapping[str, Json]
) -> Event:  # fmt: skip
    """The ledger's entry of a version; `policy` is the digest of the policies that decided, `accession` the one that it
    came with."""
    detail: dict[str, Json] = {
        "version": record.version, "record": str(record.digest), "accession": accession, "reason": record.reason,
        "policy": policy, "because": list(because), **more,
    }  # fmt: skip
    return Event(
        time=record.created, type="commit", agent=record.agent, object=record.aip, outcome="success", detail=detail
    )


def _cut(entries: Iterable[namemap.Named], size: int) -> Iterator[Iterator[namemap.Named]]:
    """Segments of at most so many entries, each to be exhausted before the next."""
    remaining = iter(entries)
    for first in remaining:
        yield chain([first], islice(remaining, size - 1))
