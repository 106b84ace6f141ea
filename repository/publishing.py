"""Checkpoints given to witnesses, and time stamps of them: what is due by policy, and doing it.

Both write entries, and with them the ledger grows: so only what others have written since makes one due.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from fixity import time_stamps
from fixity.proof import Stamped
from fixity.time_stamps import Token, Wrong
from fixity.witness import Contradicted, NotGiven, Parcel, Witness, contradiction, parcel
from fixity.witness_file import FileWitness
from fixity.witness_git import GitWitness
from fixity.witness_mail import MailWitness
from fixity.witness_web import WebWitness
from policies import evidence as policy
from policies.evidence import EvidencePolicy
from repository import copies, evidence, proving
from repository.catalogue import Catalogue
from repository.config import Config
from repository.errors import BadRequest
from storage import durable
from storage.canonical import Json
from storage.checkpoint import parse_checkpoint
from storage.commit import Committer
from storage.errors import StorageError
from storage.merkle import Nodes

QUIET = ("job", "time-stamp", "witness")  # entries that make nothing due
GIVEN, FAILED, CONTRADICTED = "success", "fail", "contradicted"


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a checkpoint over `size` entries: to whom it went, or who stamped it; `outcome` is "" where it was
    only planned, `why` tells what is due, or what went wrong."""

    to: str
    kind: str
    size: int
    outcome: str
    why: str
    detail: dict[str, Json] | None = None


class Publisher:
    """Does it for one repository, at one moment."""

    def __init__(
        self, settings: Config, committer: Committer, catalogue: Catalogue, asked: EvidencePolicy, now: datetime,
        new_id: Callable[[], UUID],
    ) -> None:  # fmt: skip
        self._settings, self._committer, self._catalogue = settings, committer, catalogue
        self._policy, self._now, self._new_id = asked, now, new_id
        self._kept = settings.keys / "witnessed"

    @cached_property
    def _text(self) -> str:
        """The newest checkpoint, its signature checked; raise NothingSigned."""
        proving.signed(self._catalogue, self._committer.vault, self._settings.vault_id)
        return (self._committer.vault.ledger.checkpoint() or b"").decode()

    @cached_property
    def _nodes(self) -> Nodes:
        return self._committer.vault.ledger.nodes()

    @property
    def _size(self) -> int:
        return parse_checkpoint(self._text.encode())[0].size

    def plan(self) -> list[Handed]:
        """What is due, and why; nobody is asked and nothing is changed. Raises NothingSigned."""
        due = [Handed(self._policy.time_stamps.tsa, "time-stamp", self._size, "", why) for why in self._stamp_due()]
        return due + [Handed(one.name, one.kind, self._size, "", why) for one, why in self._due()]

    def stamp(self) -> Handed | None:
        """Get a time stamp where one is due; None where none is."""
        for _ in self._stamp_due():
            asked = self._policy.time_stamps
            try:
                got = time_stamps.obtain(asked.tsa, self._text.encode(), self.roots())
            except NotGiven as failure:
                return Handed(asked.tsa, "time-stamp", self._size, FAILED, str(failure))
            return Handed(asked.tsa, "time-stamp", self._size, GIVEN, "", self._keep(got))
        return None

    def give(self) -> Iterator[Handed]:
        """Give the checkpoint to each witness for whom it is due, yielding what became of it."""
        for one, _ in self._due():
            detail: dict[str, Json] = {"witness": one.name, "kind": one.kind, **self._told()}
            try:
                if signed := self._give(one):
                    detail["cosignature"] = signed
                yield Handed(one.name, one.kind, self._size, GIVEN, "", detail)
            except NotGiven as failure:
                outcome = CONTRADICTED if isinstance(failure, Contradicted) else FAILED
                yield Handed(one.name, one.kind, self._size, outcome, str(failure), {**detail, "why": str(failure)})

    def _give(self, asked: policy.Witness) -> str:
        """Hand it over; raise NotGiven, or Contradicted where the log does not go on from what the witness has."""
        witness = self._witness(asked)
        now, _ = parse_checkpoint(self._text.encode())
        known = [text for text in (self._last(asked.name), witness.newest()) if text]
        for text in known:
            if why := contradiction(text, now, self._nodes):
                raise Contradicted(why)
        old = max((parse_checkpoint(text.encode())[0].size for text in known), default=0)
        signed = witness.give(self._parcel(old))
        self._remember(asked.name)
        return signed

    def _parcel(self, old: int) -> Parcel:
        return parcel(self._text, old, self._nodes)

    def _witness(self, asked: policy.Witness) -> Witness:
        if asked.kind == "webhook":
            return WebWitness(asked.target, self._parcel)
        if asked.smtp:
            return MailWitness(asked.target, asked.smtp, os.environ)
        if asked.kind == "git":
            url = asked.target if ":" in asked.target else str(self._settings.folder / asked.target)
            return GitWitness(url, asked.branch, self._settings.work / "witnesses" / asked.name)
        folder = self._settings.folder / asked.target
        try:
            copies.check_outside(folder, self._settings)
        except BadRequest as error:
            raise NotGiven(str(error)) from error
        return FileWitness(folder, self._committer.disk)

    def _due(self) -> list[tuple[policy.Witness, str]]:
        """The witnesses that have not what the log has come to since, and why that is so."""
        found = []
        for one in self._policy.witnesses:
            last = self._last(one.name)
            size = parse_checkpoint(last.encode())[0].size if last else 0
            if last is None or self._grown(size):
                found.append((one, f"it has the checkpoint over {size} entries" if last else "it has none yet"))
        return found

    def _stamp_due(self) -> list[str]:
        """Why a time stamp is due; nothing where it is not."""
        asked = self._policy.time_stamps
        if not asked.tsa:
            return []
        known = proving.time_stamps(self._catalogue, self._settings.vault_id, self._size)
        last = known[-1] if known else None
        why = time_stamps.due(last, last is None or self._grown(last.size), asked.every, asked.renew, self._now)
        return [why] if why else []

    def _grown(self, size: int) -> bool:
        """Whether the ledger has an entry after so many that is not of our own making; a shorter one has, in a way."""
        marks = ",".join("?" * len(QUIET))
        query = f"select 1 from events where entry >= ? and entry < ? and type not in ({marks}) limit 1"
        return size > self._size or self._catalogue.one(query, size, self._size, *QUIET) is not None

    def _told(self) -> dict[str, Json]:
        now, _ = parse_checkpoint(self._text.encode())
        return {"size": now.size, "root": b64encode(now.root).decode()}

    def _keep(self, got: Token) -> dict[str, Json]:
        """The detail of the entry; what it takes to check the token later is in blobs."""
        blobs = {"checkpoint": self._text.encode(), "token": got.token, "certificates": got.certificates.encode()}
        if got.revocation:
            blobs["revocation"] = got.revocation.encode()
        digests = evidence.keep_all(self._committer, self._new_id, blobs)
        detail: dict[str, Json] = {name: str(digest) for name, digest in digests.items()}
        detail |= {**self._told(), "time": got.time, "until": got.until, "authority": got.authority}
        return detail | ({"missing": list(got.missing)} if got.missing else {})

    def roots(self) -> bytes:
        """The roots that the policy names, b"" where it names none; raise NotGiven."""
        if not (name := self._policy.time_stamps.ca):
            return b""
        try:
            return (self._settings.folder / name).read_bytes()
        except OSError as error:
            raise NotGiven(f"{name} cannot be read: {error.strerror}") from error

    def check(self) -> list[Wrong]:
        """What is wrong with the time stamps that are kept, and with the checkpoints that witnesses got; raise
        NothingSigned, or Damaged for the ledger."""
        lost, stamps = self._kept_stamps()
        roots = b""
        with suppress(NotGiven):
            roots = self.roots()
        return [*lost, *time_stamps.check(stamps, self._nodes, self._size, roots, self._now), *self._check_given()]

    def _kept_stamps(self) -> tuple[list[Wrong], list[Stamped]]:
        lost, stamps = [], []
        for one in proving.time_stamps(self._catalogue, self._settings.vault_id, self._size):
            try:
                stamps.append(proving.with_blobs(self._committer.vault, one))
            except StorageError as error:
                lost.append(Wrong("time-stamp-lost", f"The time stamp in entry {one.entry.index}: {error}"))
        return lost, stamps

    def _check_given(self) -> Iterator[Wrong]:
        now, _ = parse_checkpoint(self._text.encode())
        for name in sorted(path.stem for path in self._kept.glob("*.txt")):
            with suppress(NotGiven):
                if (text := self._last(name)) and (why := contradiction(text, now, self._nodes)):
                    yield Wrong("witness-contradicts", f"The log does not go on from what {name} got: {why}.")

    def _last(self, name: str) -> str | None:
        """The checkpoint that a witness got last, as we remember it: outside the ledger, which could be changed."""
        with suppress(FileNotFoundError, ValueError):
            text = (self._kept / f"{name}.txt").read_text("utf-8")
            parse_checkpoint(text.encode())
            return text
        return None

    def _remember(self, name: str) -> None:
        target, disk = self._kept / f"{name}.txt", self._committer.disk
        with durable.told(str(self._kept)):
            for folder in durable.make_folders(disk, self._kept):
                durable.sync_made(disk, folder)
            durable.publish(disk, target, self._text.encode(), self._kept / ".new", exclusive=False, mode=0o644)
