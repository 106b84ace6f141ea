"""The next version of an AIP: everything that its last one has, and what is put beside it or in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from ingest import assemble
from ingest.assemble import Draft
from ingest.delivery import Setting
from ingest.happenings import acting, ourselves
from ingest.pipeline import scratch_folder
from ingest.worklist import Placed, Worklist
from storage.aip import Record, parse_aip, stamp
from storage.canonical import Json
from storage.commit import Committed
from storage.premis import Agent
from storage.receive import Received
from storage.staging import Staging, staging


class Successor:
    """One run's way to it. Not for several threads."""

    def __init__(self, setting: Setting, stage: Staging, scratch: Path) -> None:
        self.setting, self.stage, self.scratch = setting, stage, scratch
        self.vault = setting.committer.vault
        self.time = stamp(setting.now())
        self._waiting: list[Received] = []

    @contextmanager
    def following(self, aip: str, leaving: str = "") -> Iterator[tuple[Record, Worklist]]:
        """The AIP's last record, and a worklist with its payload, but for bag paths that begin with `leaving`: raises
        NotFound or Damaged where no copy has a piece of it whole, Deleted where it has a tombstone."""
        last = self.vault.records(parse_aip(aip))[-1]
        with closing(Worklist(str(self.scratch / "worklist.db"))) as worklist:
            for line in self.vault.payload(last):
                if not leaving or not line.path.startswith(leaving):
                    worklist.made(Placed(line.path, line.digest, self.vault.size(line.digest)))
            yield last, worklist

    def draft(self, last: Record, reason: str, title: str, producer: str) -> Draft:
        return Draft(
            aip=last.aip, version=last.version + 1, accession=last.accession, created=self.time,
            agent=self.setting.agent, reason=reason, title=title, producer=producer, software=self.setting.software,
            previous=last,
        )  # fmt: skip

    def agents(self) -> list[Agent]:
        """Tianyi, and who acts."""
        return [ourselves(self.setting.software), acting(self.setting.agent)]

    def keep(self, parts: Iterable[bytes]) -> Received:
        """Take in a blob; it is durable when the version is committed, or after `settle`."""
        received = self.stage.receive(parts, self.setting.holds)
        self._waiting.append(received)
        return received

    def settle(self) -> None:
        self.stage.settle(self._waiting)
        self._waiting.clear()

    def commit(
        self, worklist: Worklist, draft: Draft, because: Sequence[str] = (), counts: Mapping[str, Json] | None = None
    ) -> Committed:
        """Close the bag over what is on the worklist, and commit it; raises Conflict where another writer was first."""
        assemble.put_policy(worklist, self.keep, draft.version, self.setting.policies.to_bytes())
        done = assemble.close(worklist, self.keep, draft)
        self.settle()
        policy = self.setting.policies.digest
        event = assemble.commit_event(done.record, draft.accession, policy, because, counts or {})
        return self.setting.committer.commit(done.record, event, partial(done.blobs, worklist), self.stage.behind)


@contextmanager
def succeeding(setting: Setting, name: str) -> Iterator[Successor]:
    """A run of that name, with scratch space in every copy that answers."""
    run = f"{name}-{setting.new_id()}"
    folder = setting.work / "staging" / run
    with staging(run, setting.committer.vault.prompt, setting.work) as stage, scratch_folder(folder) as scratch:
        yield Successor(setting, stage, scratch)
