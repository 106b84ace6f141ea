"""Which BagIt Profiles a bag is held against: the one that is given, else those that it names, from the folder of
standards; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest import bag_profile, bagit_tags
from ingest.bag_profile import IDENTIFIER, LARGEST, NotProfile, Profile, Shape
from ingest.errors import BadProfile
from ingest.finding import Finding, info
from ingest.sip_bag import Bag
from ingest.standards import Standards
from ingest.worklist import Worklist
from storage.names import escape_path

_MIME = {
    ".zip": {"application/zip", "application/x-zip-compressed"},
    ".7z": {"application/x-7z-compressed"},
    ".tar": {"application/tar", "application/x-tar", "application/x-gtar"},
    ".gz": {"application/gzip", "application/x-gzip", "application/x-compressed-tar", "application/tar+gzip"},
    ".bz2": {"application/x-bzip2", "application/bzip2", "application/x-bzip-compressed-tar"},
    ".xz": {"application/x-xz", "application/xz"},
    ".zst": {"application/zstd"},
}
_SHORT = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}


def load(path: Path) -> Profile:
    """The profile in a file; raise BadProfile."""
    try:
        return bag_profile.parse(_bytes(path))
    except (OSError, NotProfile) as failure:
        raise BadProfile(str(path), getattr(failure, "strerror", None) or str(failure)) from failure


def check(
    worklist: Worklist, bag: Bag, container: str, standards: Standards, given: Profile | None
) -> Iterator[Finding]:  # fmt: skip
    """Yield what the bag breaks of its profiles; `container` names the archive that it came in, "" for none."""
    profiles = [given] if given else []
    for name in () if given else _named(bag):
        found = _found(name, standards)
        if isinstance(found, Profile):
            profiles.append(found)
        else:
            told = f"The bag was not held against {name[:500]}: {found}."
            yield info("profile-unchecked", told, "bag-info.txt")
    for profile in profiles:
        yield from bag_profile.check(profile, _shape(worklist, bag, container))


def _named(bag: Bag) -> list[str]:
    """The profiles that the bag names, each once."""
    return list(dict.fromkeys(value for label, value in bag.tags if label.lower() == IDENTIFIER))


def _found(name: str, standards: Standards) -> Profile | str:
    """The profile of that identifier, or why there is none."""
    at = standards.addresses.get(name.partition("://")[2])
    others = (path for known, path in sorted(standards.files.items()) if known.endswith(".json"))
    for path in (at, *others) if at else others:
        try:
            data = _bytes(path)
            if bag_profile.identifier(data) == name:
                return bag_profile.parse(data)
        except NotProfile as failure:
            return f"{path.name} is no profile ({failure})"
        except OSError:
            continue
    return "it is not in the folder of standards"


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NotProfile(f"it has more than {LARGEST} bytes")
    return data


def _shape(worklist: Worklist, bag: Bag, container: str) -> Shape:
    tops = [known for name in worklist.names(bag.base) if (known := bagit_tags.manifest_algorithm(_inner(name, bag)))]
    ending = Path(container.lower()).suffix
    rows = worklist.select("select name, size from items where kind = 'file' order by name")
    return Shape(
        version="{}.{}".format(*bag.declared.version),
        tags=bag.tags,
        manifests=frozenset(algorithm for is_tag, algorithm in tops if not is_tag),
        tag_manifests=frozenset(algorithm for is_tag, algorithm in tops if is_tag),
        mime=frozenset(_MIME.get(_SHORT.get(ending, ending), {"application/octet-stream"}))
        if container
        else frozenset(),
        files=((escape_path(_inner(name, bag)), size) for name, size in rows),
    )


def _inner(name: bytes, bag: Bag) -> bytes:
    return name.removeprefix(bag.base)
