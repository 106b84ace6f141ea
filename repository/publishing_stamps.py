"""Time stamps of checkpoints: whether one is due by policy, getting it, and what it takes to check it later."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from fixity import time_stamps
from fixity.proof import Stamped
from fixity.time_stamps import Token, Wrong
from fixity.witness import NotGiven
from policies.evidence import EvidencePolicy
from repository import evidence, proving
from repository.catalogue import Catalogue
from repository.config import Config
from repository.publishing_newest import FAILED, GIVEN, STAMP, Handed, Newest
from storage.canonical import Json
from storage.commit import Committer
from storage.errors import StorageError


class Stamps:
    """Those of one repository, at one moment."""

    def __init__(
        self, settings: Config, committer: Committer, catalogue: Catalogue, newest: Newest, asked: EvidencePolicy,
        now: datetime, new_id: Callable[[], UUID],
    ) -> None:  # fmt: skip
        self._settings, self._committer, self._catalogue = settings, committer, catalogue
        self._newest, self._asked, self._now, self._new_id = newest, asked.time_stamps, now, new_id

    def plan(self) -> list[Handed]:
        """Why a time stamp is due; nothing where it is not. Raises NothingSigned."""
        if not self._asked.tsa:
            return []
        known = self._known()
        last = known[-1] if known else None
        grown = last is None or self._newest.has_grown(last.size)
        why = time_stamps.due(last, grown, self._asked.every, self._asked.renew, self._now)
        return [self._handed("", why)] if why else []

    def obtain(self) -> Handed | None:
        """Get a time stamp where one is due; None where none is."""
        if not self.plan():
            return None
        try:
            got = time_stamps.obtain(self._asked.tsa, self._newest.text.encode(), self._roots())
        except NotGiven as failure:
            return self._handed(FAILED, str(failure))
        return self._handed(GIVEN, "", self._keep(got))

    def check(self) -> list[Wrong]:
        """What is wrong with those that are kept; raise NothingSigned, or Damaged for the ledger."""
        lost, stamps = self._kept()
        roots = b""
        with suppress(NotGiven):
            roots = self._roots()
        return [*lost, *time_stamps.check(stamps, self._newest.nodes, self._newest.size, roots, self._now)]

    def _handed(self, outcome: str, why: str, detail: dict[str, Json] | None = None) -> Handed:
        return Handed(self._asked.tsa, STAMP, self._newest.size, outcome, why, detail)

    def _keep(self, got: Token) -> dict[str, Json]:
        """The detail of the entry; what it takes to check the token later is in blobs."""
        text = self._newest.text.encode()
        blobs = {"checkpoint": text, "token": got.token, "certificates": got.certificates.encode()}
        if got.revocation:
            blobs["revocation"] = got.revocation.encode()
        digests = evidence.keep_all(self._committer, self._new_id, blobs)
        detail: dict[str, Json] = {name: str(digest) for name, digest in digests.items()}
        detail |= {**self._newest.told(), "time": got.time, "until": got.until, "authority": got.authority}
        return detail | ({"missing": list(got.missing)} if got.missing else {})

    def _roots(self) -> bytes:
        """The roots that the policy names, b"" where it names none; raise NotGiven."""
        if not (name := self._asked.ca):
            return b""
        try:
            return (self._settings.folder / name).read_bytes()
        except OSError as error:
            raise NotGiven(f"{name} cannot be read: {error.strerror}") from error

    def _kept(self) -> tuple[list[Wrong], list[Stamped]]:
        lost, stamps = [], []
        for one in self._known():
            try:
                stamps.append(proving.with_blobs(self._committer.vault, one))
            except StorageError as error:
                lost.append(Wrong("time-stamp-lost", f"The time stamp in entry {one.entry.index}: {error}"))
        return lost, stamps

    def _known(self) -> list[Stamped]:
        return list(proving.time_stamps(self._catalogue, self._settings.vault_id, self._newest.size))
