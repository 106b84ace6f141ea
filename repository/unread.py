"""Versions of which nobody knows what is in them: their record or a manifest was whole in no copy when the catalogue
took them in. What it says of their files is nothing, and not that there are none."""

from __future__ import annotations

from typing import NamedTuple

from repository.catalogue import Catalogue
from repository.words import counted
from storage import bag, layout
from storage.aip import parse_aip
from storage.digest import Digest

_UNREAD = """
select v.aip, v.version, iif(v.file_size = 0, '', coalesce({manifest}, {tags})) as digest from versions v
where (?1 = '' or v.aip = ?1) and (v.file_size = 0 or not exists (select 1 from files f where f.aip = v.aip
  and v.version between f.since and coalesce(f.until, v.version) and f.path >= 'data/' and f.path < 'data0'))
order by v.aip, v.version
"""  # every version has a payload, at least its PREMIS; a record that is lost has no size
_TAG_FILE = """(select digest from files f where f.aip = v.aip and f.path = '{path}'
  and v.version between f.since and coalesce(f.until, v.version))"""


class Unread(NamedTuple):
    """A version, and the key of what would have to be whole to know what is in it."""

    aip: str
    version: int
    key: str


def unread(catalogue: Catalogue, urn: str = "") -> list[Unread]:
    """Those of the repository, or of one AIP, by AIP and version."""
    manifest, tags = (_TAG_FILE.format(path=path) for path in (bag.MANIFEST, bag.TAGMANIFEST))
    rows = catalogue.rows(_UNREAD.format(manifest=manifest, tags=tags), urn)
    return [Unread(row["aip"], row["version"], _key(row["aip"], row["version"], row["digest"])) for row in rows]


def remark(catalogue: Catalogue) -> str:
    """What is to be said of a blob that nobody expects: that it may be in such a version; "" where there is none."""
    found = unread(catalogue)
    if not found:
        return ""
    first, others = found[0], f" or {counted(len(found) - 1, 'other')}" * (len(found) > 1)
    told = f"It may be in version {first.version} of {first.aip}{others}"
    return f"{told}: what is in it is not known, since no copy has {first.key} whole."


def _key(urn: str, version: int, digest: str) -> str:
    return layout.blob_key(Digest.parse(digest)) if digest else layout.record_key(parse_aip(urn), version)
