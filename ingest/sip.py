"""What the producer delivered: the package's kind is detected, its items and claims go on the worklist.

One reader a package kind lies beside this module; archives are unpacked safely and then read like folders.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest import archive, folder, member, sip_bag, sip_digests, sip_eark, sip_metadata, sip_ocfl, sip_rocrate
from ingest.cancelling import unheeded
from ingest.describe import DublinCore
from ingest.errors import NoSuchPackage, UnknownPackage
from ingest.finding import Finding, error
from ingest.item import Item
from ingest.sip_bag import Bag
from ingest.sip_digests import Given, Lists
from ingest.sip_eark import Eark
from ingest.sip_metadata import Description
from ingest.sip_ocfl import Ocfl
from ingest.sip_rocrate import RoCrate
from ingest.top_folder import top_folder
from ingest.unchanged import HEED, Container, hashed, own_name
from ingest.unchanged import container as read_container
from ingest.unpack import Unpacking
from ingest.worklist import Worklist
from policies.ingest import IngestPolicy
from storage.bag import ORIGINAL
from storage.digest import Digest, Hashing
from storage.namemap import Kind
from storage.names import bag_path, escape, escape_path

KINDS = ("folder", "bag", "ocfl", "eark", "rocrate", *archive.KINDS)


@dataclass(frozen=True, slots=True)
class Sip:
    """A delivery, its items on the worklist. `kind` is one of KINDS; `name` its own name, escaped; `whole` tells
    whether all items are listed: beyond the policy's limits they are not."""

    kind: str
    name: str
    path: bytes
    container: Container | None
    bag: Bag | None
    whole: bool
    ocfl: Ocfl | None = None
    lists: Lists | None = None
    description: Description | None = None
    eark: Eark | None = None
    crate: RoCrate | None = None
    listing: Digest | None = None
    """Of a folder: over all that was listed, in its order."""

    @property
    def core(self) -> DublinCore:
        """What the package's own metadata says of it."""
        described = self.description or self.eark or self.crate
        return described.core if described else {}

    @property
    def submitter(self) -> str:
        """Who submits it, as the package itself tells; "" where it does not."""
        return self.eark.document.submitter if self.eark else ""


def open_sip(
    path: Path, worklist: Worklist, scratch: Path, policy: IngestPolicy, kind: str = "", given: Given | None = None,
    peek: Callable[..., Unpacking] | None = None, heed: Callable[[], None] = unheeded, follow: bool = True,
) -> Sip:  # fmt: skip
    """List a package on the worklist, unpacked below `scratch` where it is an archive; nothing of it is changed.

    `given` is a list of digests that came beside it. `kind` overrides what is detected. With `peek`,
    which makes the `Unpacking`, an archive is only looked into, and not hashed. `heed` is called now and then, and
    raises where that has to stop. Raises as `check_package`; what is wrong inside is findings.
    """
    raw = os.fsencode(path)
    check_package(path, kind, follow=follow)
    facts = _looked_at(raw, follow)
    container, packed, listing = None, "folder", None
    if stat.S_ISDIR(facts.st_mode):
        hashing = Hashing()
        whole = listed(worklist, hashed(folder.walk(raw), hashing), policy, heed)
        listing = hashing.digest()
    else:
        container = None if peek else read_container(raw, heed)
        packed = archive.kind_of(path.resolve(), kind)
        limits = policy.limits.container
        unpacking = (peek or Unpacking)(scratch, facts.st_size, limits, worklist.item, in_place=True, heed=heed)
        whole = listed(worklist, archive.members(path.resolve(), packed, unpacking), policy, heed)
        worklist.tell(member.crossings(worklist.everything(), worklist.solid))
    own = own_name(raw)
    opened = partial(Sip, name=escape(own), path=raw, container=container, whole=whole, listing=listing)
    if (base := _base(sip_bag.find_base, worklist, "bag", kind)) is not None:
        place = partial(sip_bag.place, base=base)
        worklist.place(place)
        description = sip_metadata.read(worklist, base + b"data/", own, place)
        kind = _of_its_own("bag", worklist, given)
        return opened(kind, bag=sip_bag.read(worklist, base), description=description)
    if (base := _base(sip_ocfl.find_base, worklist, "ocfl", kind)) is not None:
        worklist.place(_place)
        return opened(_of_its_own("ocfl", worklist, given), bag=None, ocfl=sip_ocfl.read(worklist, base))
    worklist.place(_place)
    if (base := _base(sip_eark.find_base, worklist, "eark", kind)) is not None:
        eark = sip_eark.read(worklist, base, escape(own), packed=container is not None)
        return opened(_of_its_own("eark", worklist, given), bag=None, eark=eark)
    if (base := _base(sip_rocrate.find_base, worklist, "rocrate", kind)) is not None:
        crate = sip_rocrate.read(worklist, base)
        return opened(_of_its_own("rocrate", worklist, given), bag=None, crate=crate)
    description = sip_metadata.read(worklist, top_folder(worklist), own, _place)
    return opened(packed, bag=None, lists=sip_digests.read(worklist, own, given), description=description)


def _place(name: bytes) -> str:
    return ORIGINAL + bag_path(name)


def _of_its_own(kind: str, worklist: Worklist, given: Given | None) -> str:
    """The kind of a package that has manifests of its own: no list beside it is looked at, which is told."""
    if given:
        told = f"The package is of the kind {kind} and has its own: take it in without the list, or with --as folder."
        worklist.tell([error("digest-list-unused", told, escape_path(given.name))])
    return kind


def _base(find: Callable[[Worklist], bytes | None], worklist: Worklist, kind: str, wanted: str) -> bytes | None:
    """The folder of a package of that kind, where one is found and no other is wanted; the package itself where this
    one is wanted."""
    if wanted not in ("", kind):
        return None
    found = find(worklist)
    return b"" if found is None and wanted else found


def check_package(path: Path, kind: str = "", *, follow: bool = True) -> None:
    """Raise NoSuchPackage or UnknownPackage for what cannot be a package, or not one of that kind; also for a symbolic
    link where these are not to be followed."""
    if not stat.S_ISDIR(_looked_at(os.fsencode(path), follow).st_mode):
        archive.kind_of(path.resolve(), kind)
    elif kind in archive.KINDS:
        raise UnknownPackage(escape_path(os.fsencode(path)), f"it is a folder, no {kind}")


def _looked_at(raw: bytes, follow: bool) -> os.stat_result:
    try:
        facts = os.stat(raw, follow_symlinks=follow)
    except OSError as failure:
        raise NoSuchPackage(escape_path(raw)) from failure
    if stat.S_ISLNK(facts.st_mode):
        raise UnknownPackage(escape_path(raw), "it is a symbolic link, which is not followed")
    if not stat.S_ISDIR(facts.st_mode) and not stat.S_ISREG(facts.st_mode):
        raise UnknownPackage(escape_path(raw), "it is neither a folder nor a file")
    return facts


def listed(
    worklist: Worklist, found: Iterable[Item | Finding], policy: IngestPolicy, heed: Callable[[], None] = unheeded
) -> bool:
    """Put items on the worklist, within the policy's limits; return whether all are there."""
    within = True

    def items() -> Iterator[Item]:
        nonlocal within
        files = size = 0
        for number, item in enumerate(found):
            if not number % HEED:
                heed()
            if isinstance(item, Finding):
                worklist.tell([item])
                continue
            yield item
            files += item.kind is Kind.FILE
            size += item.size
            if finding := _beyond(item, files, size, policy):
                worklist.tell([finding])
                within = False
                return

    for again in worklist.add_all(items()):
        if not worklist.renew(again):
            worklist.tell([error("duplicate-entry", "The package has it twice.", escape_path(again.name))])
    return within


def _beyond(item: Item, files: int, size: int, policy: IngestPolicy) -> Finding | None:
    limits = policy.limits
    if files > limits.files:
        return error("too-many-files", f"The package has more than {limits.files} files.")
    if size > limits.bytes:
        return error("too-large", f"The package has more than {limits.bytes} bytes.")
    if item.name.count(b"/") > limits.depth:
        return error("too-deep", f"Folders lie deeper than {limits.depth}.", escape_path(item.name[:4096]))
    return None
