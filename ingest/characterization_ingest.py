"""Format tools at ingest (`examine: full`): about what was stored, before it is decided what becomes of the delivery.

They read the blobs, as a later job would (repository/characterize.py), and not the delivery: its bytes are read once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.characterization import Characterization, subject_of
from ingest.characterize import Bench, toolbox
from ingest.judgement import Subject
from ingest.worklist import Worklist
from policies.ingest import IngestPolicy
from storage.digest import Digest

if TYPE_CHECKING:
    from ingest.delivery import Setting

# What the virus scanner found something in is not stored yet, and nobody opens it.
_STORED = "from items where kind = 'file' and digest is not null and scan is not 'infected'"


@contextmanager
def characterization(policy: IngestPolicy, scratch: Path) -> Iterator[Characterization | None]:
    """Where what the tools say is kept while an ingest lasts; None where the policy asks for none."""
    if policy.examine == "quick":
        yield None
        return
    with closing(Characterization(scratch / "tools.db")) as said:
        yield said


def ask_tools(said: Characterization, worklists: Sequence[Worklist], setting: Setting, scratch: Path) -> None:
    """Ask the tools about every blob of the delivery, and of what came out of it; what there is to tell goes on the
    first of the worklists."""
    bench = Bench(setting.committer.vault.copies, toolbox(setting.policies.tools), scratch)
    subjects = chain.from_iterable(map(_subjects, worklists))
    said.ask(bench, subjects, _totals(worklists), setting.executor, setting.progress)
    files = chain.from_iterable(worklist.files() for worklist in worklists)
    worklists[0].tell(said.count((file.original_name, subject_of(file)) for file in files))


def _totals(worklists: Iterable[Worklist]) -> tuple[int, int]:
    """How many blobs there are, and their bytes."""
    query = f"select count(*), coalesce(sum(size), 0) from (select distinct digest, size {_STORED})"
    found = [next(one.select(query)) for one in worklists]
    return sum(blobs for blobs, _ in found), sum(size for _, size in found)


def _subjects(worklist: Worklist) -> Iterator[Subject]:
    query = f"select distinct digest, size, formats, mime, basis {_STORED} order by digest"
    for digest, size, formats, mime, basis in worklist.select(query):
        puids = tuple(puid for _, _, puid in json.loads(formats) if puid)
        yield Subject(Digest.parse(digest), size, puids, mime, basis == "extension")
