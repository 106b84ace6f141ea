"""Archives inside a delivery, unpacked beside it where the policy asks for it; they themselves stay files.

Only what is an archive by its own format counts: a word processor's file is a zip inside, and is none. An archive is
unpacked as a whole or not at all. One inside another becomes a folder of what it holds, as deep as the policy says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest import archive, member
from ingest.finding import Finding, Severity, warning
from ingest.identify import Sample
from ingest.item import Item
from ingest.sample import sample_of
from ingest.sip import listed
from ingest.unpack import Unpacking
from ingest.worklist import Worklist
from policies.ingest import ContainerLimits, IngestPolicy
from storage import bag, durable
from storage.names import escape_path

NAME = "extracted"  # of the representation
FOLDER = bag.representation(NAME)

_KINDS = {
    "x-fmt/263": "zip", "fmt/484": "7z", "x-fmt/265": "tar", "x-fmt/264": "rar", "fmt/411": "rar", "fmt/613": "rar",
    "x-fmt/266": "packed", "x-fmt/268": "packed", "fmt/1098": "packed",  # gzip, bzip2, xz
}  # fmt: skip
_ZSTANDARD = (b".tar.zst", b".tzst")  # PRONOM has no signature of it


def may_be(puids: Sequence[str], name: bytes) -> str:
    """Which kind of archive a file may be by its formats: one of archive.KINDS, "packed" for what is compressed, ""
    where it is none."""
    if not puids:
        return "packed" if name.lower().endswith(_ZSTANDARD) else ""
    kinds = {_KINDS.get(puid, "") for puid in puids}
    return kinds.pop() if len(kinds) == 1 else ""


def kind_of(puids: Sequence[str], name: bytes, path: Path) -> str:
    """Which kind of archive it is; what is compressed is one where a tar is inside."""
    kind = may_be(puids, name)
    return kind if kind != "packed" else "tar" if archive.is_tar(path) else ""


@dataclass(slots=True)
class Extraction:
    """What comes out of a delivery's archives goes on `worklist`, under the archive's name and the member's own.

    `files` and `size` are what may still come out, of all archives together; `identify` tells a sample's PUIDs.
    """

    worklist: Worklist
    scratch: Path
    policy: IngestPolicy
    files: int
    size: int
    identify: Callable[[Sample], Sequence[str]]
    tell: Callable[[Iterable[Finding]], None]
    heed: Callable[[], None]
    archives: int = 0
    _folders: int = 0

    def unpack(self, source: Path, name: bytes, puids: Sequence[str]) -> None:
        """Unpack one that lies in the delivery, and those inside it; why it could not be, is a finding."""
        if not (kind := kind_of(puids, name, source)):
            return
        if self.files <= 0 or self.size <= 0:
            self.left(name, "the limits on what is unpacked of one delivery are reached")
            return
        ratio = self.policy.limits.container.ratio
        limits = ContainerLimits(files=self.files, bytes=self.size, ratio=ratio)
        counted = Unpacking(self.scratch, source.stat().st_size, limits, lambda _: None, heed=self.heed)
        try:
            self._unpack(source, name, kind, counted, self.policy.extract.depth)
        finally:  # also what came to nothing has cost its time
            self.files -= max(counted.files, counted.entries // 4)
            self.size -= counted.size

    def _unpack(self, source: Path, name: bytes, kind: str, counted: Unpacking, depth: int) -> bool:
        self._folders += 1
        counted.folder = self.scratch / f"archive-{self._folders:08d}"
        with closing(Worklist()) as found:
            counted.item = found.item
            listed(found, archive.members(source, kind, counted), self.policy, self.heed)
            if wrong := self._wrong(found, name):
                durable.remove_tree(durable.DISK, counted.folder)
                self.left(name, wrong)
                return False
            self.archives += 1
            for one in found.names():
                item = found.item(one)
                assert item is not None  # it was listed
                self._add(item._replace(name=name + b"/" + one), counted, depth - 1)
        return True

    def _add(self, item: Item, counted: Unpacking, depth: int) -> None:
        """Take in what came out of an archive: an archive as what it holds, where that is wanted and possible."""
        source = Path(os.fsdecode(item.source))
        if depth and (kind := self._kind_of(item, source)) and self._unpack(source, item.name, kind, counted, depth):
            return
        self.worklist.add(item)

    def _kind_of(self, item: Item, source: Path) -> str:
        sample = sample_of(item.source)._replace(name=item.name.rpartition(b"/")[2])
        return kind_of(self.identify(sample), item.name, source)

    def _wrong(self, found: Worklist, name: bytes) -> str:
        """Why what an archive holds is not taken, "" where it is."""
        found.tell(member.crossings(found.everything(), found.solid))
        for finding in found.findings():
            if finding.severity is Severity.ERROR:
                return f"{finding.code}: {finding.path} {finding.message}".replace(":  ", ": ")
        for one in found.names():
            path = name + b"/" + one
            if path.count(b"/") > self.policy.limits.depth or len(path) > member.LONGEST_PATH:
                return f"too-deep: {escape_path(one)} would lie too deep."
        return ""

    def left(self, name: bytes, why: str) -> None:
        """Tell that an archive was not unpacked, and why."""
        told = f"It stays a file, and was not unpacked: {why.rstrip('.')}."
        self.tell([warning("archive-not-extracted", told, escape_path(name))])
