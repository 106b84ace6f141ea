"""Format tools at ingest (`examine: full`): about what was stored, before it is decided what becomes of the delivery.

They read the blobs, as a later job would (repository/characterize.py), and not the delivery: its bytes are read once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
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


def ask_tools(said: Characterization, worklist: Worklist, setting: Setting, scratch: Path) -> None:
    """Ask the tools about every blob of the delivery, once, and put what there is to tell on the worklist."""
    bench = Bench(setting.committer.vault.copies, toolbox(setting.policies.tools), scratch)
    query = f"select count(*), coalesce(sum(size), 0) from (select distinct digest, size {_STORED})"
    [totals] = worklist.select(query)
    said.ask(bench, _subjects(worklist), totals, setting.executor, setting.progress)
    worklist.tell(said.count((file.original_name, subject_of(file)) for file in worklist.files()))


def _subjects(worklist: Worklist) -> Iterator[Subject]:
    query = f"select distinct digest, size, formats, mime, basis {_STORED} order by digest"
    for digest, size, formats, mime, basis in worklist.select(query):
        puids = tuple(puid for _, _, puid in json.loads(formats) if puid)
        yield Subject(Digest.parse(digest), size, puids, mime, basis == "extension")
