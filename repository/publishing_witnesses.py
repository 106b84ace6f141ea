"""Checkpoints given to witnesses: to whom one is due by policy, and what each of them is remembered to have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from fixity.time_stamps import Wrong
from fixity.witness import Contradicted, NotGiven, Parcel, Witness, contradiction, parcel
from fixity.witness_file import FileWitness
from fixity.witness_git import GitWitness
from fixity.witness_mail import MailWitness
from fixity.witness_web import WebWitness
from policies import evidence as policy
from repository import copies
from repository.config import Config
from repository.errors import BadRequest
from repository.publishing_newest import CONTRADICTED, FAILED, GIVEN, Handed, Newest
from storage import durable
from storage.canonical import Json
from storage.checkpoint import parse_checkpoint
from storage.durable import Disk


class Witnesses:
    """Those of one repository's policy."""

    def __init__(self, settings: Config, disk: Disk, newest: Newest, asked: policy.EvidencePolicy) -> None:
        self._settings, self._disk, self._newest, self._policy = settings, disk, newest, asked
        self._kept = settings.keys / "witnessed"

    def plan(self) -> list[Handed]:
        """Who has not what the log has come to since, and why that is so; raise NothingSigned."""
        return [Handed(one.name, one.kind, self._newest.size, "", why) for one, why in self._due()]

    def give(self) -> Iterator[Handed]:
        """Give the checkpoint to each witness for whom it is due, yielding what became of it."""
        size = self._newest.size
        for one, _ in self._due():
            detail: dict[str, Json] = {"witness": one.name, "kind": one.kind, **self._newest.told()}
            try:
                if signed := self._give(one):
                    detail["cosignature"] = signed
                yield Handed(one.name, one.kind, size, GIVEN, "", detail)
            except NotGiven as failure:
                outcome = CONTRADICTED if isinstance(failure, Contradicted) else FAILED
                yield Handed(one.name, one.kind, size, outcome, str(failure), {**detail, "why": str(failure)})

    def remember(self, names: Iterable[str]) -> None:
        """Who has it is not given it again. Only when entries tell of that: a kill before has it given, and told, once
        more, and each witness takes what it has already."""
        for name in names:
            self._remember(name)

    def check(self) -> Iterator[Wrong]:
        """Yield which of the checkpoints that witnesses got the log does not go on from."""
        now, _ = parse_checkpoint(self._newest.text.encode())
        for name in sorted(path.stem for path in self._kept.glob("*.txt")):
            with suppress(NotGiven):
                if (text := self._last(name)) and (why := contradiction(text, now, self._newest.nodes)):
                    yield Wrong("witness-contradicts", f"The log does not go on from what {name} got: {why}.")

    def _due(self) -> list[tuple[policy.Witness, str]]:
        found = []
        for one in self._policy.witnesses:
            last = self._last(one.name)
            size = parse_checkpoint(last.encode())[0].size if last else 0
            if last is None or self._newest.has_grown(size):
                found.append((one, f"it has the checkpoint over {size} entries" if last else "it has none yet"))
        return found

    def _give(self, asked: policy.Witness) -> str:
        """Hand it over; raise NotGiven, or Contradicted where the log does not go on from what the witness has."""
        witness = self._witness(asked)
        now, _ = parse_checkpoint(self._newest.text.encode())
        known = [text for text in (self._last(asked.name), witness.newest()) if text]
        for text in known:
            if why := contradiction(text, now, self._newest.nodes):
                raise Contradicted(why)
        old = max((parse_checkpoint(text.encode())[0].size for text in known), default=0)
        return witness.give(self._parcel(old))

    def _parcel(self, old: int) -> Parcel:
        return parcel(self._newest.text, old, self._newest.nodes)

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
        return FileWitness(folder, self._disk)

    def _last(self, name: str) -> str | None:
        """The checkpoint that a witness got last, as we remember it: outside the ledger, which could be changed."""
        with suppress(FileNotFoundError, ValueError):
            text = (self._kept / f"{name}.txt").read_text("utf-8")
            parse_checkpoint(text.encode())
            return text
        return None

    def _remember(self, name: str) -> None:
        target, data = self._kept / f"{name}.txt", self._newest.text.encode()
        with durable.told(str(self._kept)):
            for folder in durable.make_folders(self._disk, self._kept):
                durable.sync_made(self._disk, folder)
            durable.publish(self._disk, target, data, self._kept / ".new", exclusive=False, mode=0o644)
