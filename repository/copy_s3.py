"""From what tianyi.toml says of a copy at an s3: URL to the store: `s3://bucket/prefix`, and its options.

Options stand in the copy's table, or behind the URL's `?` where there is no table yet (`tianyi init --copy`). The key
never stands in either: it is in keys/<name>.toml, or in AWS_* variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from repository.errors import BadConfig
from storage.durable import Disk
from storage.s3 import S3
from storage.s3_line import Place

OPTIONS = ("endpoint", "region", "verify", "deletes", "concurrency", "patience")
_READS_BACK = {"store": False, "read": True}
_KEEPS_ALL = {"yes": "", "no": "tianyi.toml says that nothing can be deleted there"}


def root(url: str, options: Mapping[str, str]) -> PurePath:
    """Where the copy is, as a path that tells whether another is inside it."""
    parts = urlsplit(url)
    return PurePath("s3:", quote(_said(url, options).get("endpoint", ""), safe=""), parts.netloc + parts.path)


def opened(name: str, url: str, options: Mapping[str, str], folder: Path, disk: Disk) -> S3:
    """The copy of that name of the repository in `folder`, not asked for anything yet; raise BadConfig."""
    parts = urlsplit(url)
    said = _said(url, options)
    file = str(folder / "tianyi.toml")
    if unknown := sorted(said.keys() - set(OPTIONS)):
        raise BadConfig(file, f"{name} has {unknown[0]!r}; copies in S3 take: {', '.join(OPTIONS)}")
    if not parts.netloc:
        raise BadConfig(file, f"{name} has the url {url!r}, which names no bucket: s3://bucket/prefix")
    try:
        place = Place(
            bucket=parts.netloc, prefix=unquote(parts.path).strip("/"), endpoint=said.get("endpoint", ""),
            region=said.get("region", ""), keys=folder / "keys" / f"{name}.toml",
            patience=float(said.get("patience", 120)), at_once=int(said.get("concurrency", 16)),
            reads_back=_READS_BACK[said.get("verify", "store")],
            keeps_all=_KEEPS_ALL[said.get("deletes", "yes")],
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise BadConfig(file, f"an option of {name} has a value that it cannot have: {error}") from error
    return S3(name, place, folder / "work" / "copies" / name, disk)


def _said(url: str, options: Mapping[str, str]) -> dict[str, str]:
    return {**dict(parse_qsl(urlsplit(url).query)), **options}
