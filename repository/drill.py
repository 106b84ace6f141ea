"""The restore drill: some AIPs from one copy alone, written out, read back, and compared with what they have to be."""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from repository import dip_bag, dip_folder
from repository.dip import Out
from repository.tree import tree
from storage.aip import Record, parse_aip
from storage.digest import Digest, Hashing
from storage.errors import NoRoom, StorageError
from storage.namemap import Kind, Named
from storage.names import escape_path
from storage.progress import SILENT, Progress
from storage.receive import chunks
from storage.spool import Spool
from storage.store import Store
from storage.vault import Vault

_KINDS = {Kind.FILE: stat.S_IFREG, Kind.FOLDER: stat.S_IFDIR, Kind.LINK: stat.S_IFLNK}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version as the catalogue knows it: its record's digest, and the files of its bag (path, digest), once."""

    aip: str
    version: int
    record: Digest
    files: Iterable[tuple[str, Digest]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that did not come back as it has to be; `path` is escaped, "" for the AIP as a whole."""

    aip: str
    path: str
    why: str


@dataclass(slots=True)
class Drilled:
    """What a drill came to: AIPs restored, bytes written, and every difference."""

    copy: str
    aips: int = 0
    size: int = 0
    differences: Spool[Difference] = field(default_factory=Spool)

    @property
    def different(self) -> int:
        return len({one.aip for one in self.differences})


def sample(aips: Sequence[str], size: int, seed: int) -> list[str]:
    """At most so many of them, in their order: the same for the same seed."""
    chosen = random.Random(seed).sample(range(len(aips)), min(size, len(aips)))
    return [aips[n] for n in sorted(chosen)]


def restore(copy: Store, wanted: Iterable[Wanted], scratch: Path, progress: Progress = SILENT) -> Drilled:
    """Restore each as a bag and as the tree that came, from that copy alone, one after the other in `scratch`.

    Raises Unreachable where the copy does not answer, NoRoom where the scratch folder is full.
    """
    next(copy.listing(), None)
    vault, done = Vault([copy]), Drilled(copy.name)
    for one in wanted:
        done.aips += 1
        try:
            record = vault.record(parse_aip(one.aip), one.version, one.record)
            for compare in (_bag, _tree):
                with _written(vault, scratch, progress) as out:
                    done.differences.extend(Difference(one.aip, path, why) for path, why in compare(out, record, one))
                    done.size += out.size
        except NoRoom:
            raise
        except StorageError as error:
            done.differences.append(Difference(one.aip, "", str(error)))
    return done


@contextmanager
def _written(vault: Vault, scratch: Path, progress: Progress) -> Iterator[Out]:
    folder = scratch / "restored"
    folder.mkdir()
    try:
        yield Out(vault, os.fsencode(folder), progress)
    finally:
        shutil.rmtree(os.fsencode(folder))


def _bag(out: Out, record: Record, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Write the bag, and yield path and reason for each file that is not the one wanted, or that nobody wants."""
    dip_bag.write(out, record, portable=False)
    expected = 0
    for path, digest in wanted.files:
        expected += 1
        if (found := _digest(out.path(path.encode()))) != digest:
            yield path, f"expected {digest}, found {found or 'nothing'}"
    if out.files != expected:
        yield "", f"{out.files} files in the bag, {expected} expected"


def _tree(out: Out, record: Record, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Write the tree, and yield path and reason for each item that is not as it came."""
    dip_folder.write(out, record)
    with tree(out.vault, record) as items:
        for item, digest in items.entries():
            if why := _differs(out.path(item.name), item, digest):
                yield escape_path(item.name), why


def _differs(path: bytes, item: Named, digest: Digest | None) -> str:
    """In what an item on disk is not as the map of names tells of it, "" where it is."""
    facts = os.lstat(path)
    if stat.S_IFMT(facts.st_mode) != _KINDS[item.kind]:
        return f"it is not a {item.kind.value}"
    if item.kind is Kind.LINK:
        return "" if os.readlink(path) == item.target else "the link leads elsewhere"
    if digest and _digest(path) != digest:
        return "its bytes are others"
    if item.mode is not None and stat.S_IMODE(facts.st_mode) != item.mode & 0o777:
        return f"its mode is {stat.S_IMODE(facts.st_mode):04o}, not {item.mode & 0o777:04o}"
    if item.mtime is not None and facts.st_mtime_ns != _as_kept(path, item.mtime):
        return "its time of modification is another"
    return ""


def _as_kept(path: bytes, time: int) -> int:
    """What the disk makes of a time (nanoseconds since 1970): some keep no more than seconds, or not beyond 2446."""
    with suppress(OverflowError):
        os.utime(path, ns=(time, time))
    return os.stat(path).st_mtime_ns


def _digest(path: bytes) -> Digest | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return Hashing().feed_all(chunks(file)).digest()
    except FileNotFoundError:
        return None
