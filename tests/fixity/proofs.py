"""A small log made for tests: entries of two versions of an AIP, signed by a key of its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fixity.proof import Claim, Logged, Stamped, bundle
from storage import merkle
from storage.aip import Record
from storage.digest import Digest
from storage.event import Event
from storage.key_entries import ROTATED, key_event
from storage.signed_note import SigningKey

AIP = "urn:uuid:0191f0c2-5b7e-7cc3-98a4-3d1f2a9c0b6e"
NAME = "archive.example/log"
WHEN = "2026-05-01T08:00:00Z"
TAG_MANIFEST = Digest("sha256", "4f" * 32)


@dataclass
class Log:
    """Entries by number, and a key; `commits` are those of the AIP."""

    seed: bytes = b"\x07" * 32
    entries: list[bytes] = field(default_factory=list)
    commits: list[Logged] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    keys: list[Logged] = field(default_factory=list)

    def add(self, kind: str, about: str, **detail: str | int) -> Logged:
        event = Event(time=WHEN, type=kind, agent="uid-1000", object=about, outcome="success", detail=detail)
        self.entries.append(event.to_bytes())
        return Logged(len(self.entries) - 1, self.entries[-1])

    def commit(self, tag_manifest: Digest = TAG_MANIFEST) -> None:
        last = self.records[-1].digest if self.records else None
        record = Record(
            aip=AIP, version=len(self.records) + 1, accession="2026-0001", created=WHEN, agent="uid-1000",
            reason="ingestion", files=3, size=12, tagmanifest=tag_manifest, previous=last,
        )  # fmt: skip
        self.records.append(record)
        self.commits.append(self.add("commit", AIP, version=record.version, record=str(record.digest)))

    def change_key(self, seed: bytes, how: str) -> None:
        """From now on another key signs: by an entry that both have signed, or the new one alone."""
        old, new = (SigningKey(NAME, Ed25519PrivateKey.from_private_bytes(one)) for one in (self.seed, seed))
        signing = [old, new] if how == ROTATED else [new]
        event = key_event("vault", WHEN, "uid-1000", how, signing, old.verifier)
        self.entries.append(event.to_bytes())
        self.keys.append(Logged(len(self.entries) - 1, self.entries[-1]))
        self.seed = seed

    @property
    def nodes(self) -> merkle.Nodes:
        return merkle.over([merkle.leaf(entry) for entry in self.entries])

    @property
    def key(self) -> str:
        public = b"\x01" + Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return f"{NAME}+{self._id(public).hex()}+{base64.b64encode(public).decode()}"

    def checkpoint(self, size: int = 0) -> str:
        size = size or len(self.entries)
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        body = f"{NAME}\n{size}\n{base64.b64encode(merkle.root(size, self.nodes)).decode()}\n"
        signed = self._id(b"\x01" + private.public_key().public_bytes_raw()) + private.sign(body.encode())
        return f"{body}\n\u2014 {NAME} {base64.b64encode(signed).decode()}\n"

    def prove(self, stamps: list[Stamped] | None = None, earlier: tuple[int, ...] = ()) -> bytes:
        size = len(self.entries)
        claim = Claim(
            AIP, self.key, self.checkpoint(), size, self.commits, self.records, stamps or [], earlier, self.keys
        )  # fmt: skip
        return bundle(claim, self.nodes)

    @staticmethod
    def _id(public: bytes) -> bytes:
        return sha256(NAME.encode() + b"\n" + public).digest()[:4]


def log(entries: int = 7) -> Log:
    """One of that many entries, two of which are the AIP's."""
    made = Log()
    for number in range(entries):
        if number in (2, entries - 2):
            made.commit()
        else:
            made.add("audit", "first", checked=number)
    return made
