"""A BagIt Profile (BagIt Profiles Specification 1.4.0), and what it asks of a bag that says it keeps to it; pure.

Finding codes name the field of the profile that was broken: `bagit-profile-` and the field's name in small letters.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ingest.finding import Finding, error

LARGEST = 1 << 20  # bytes; profiles have some thousand
IDENTIFIER = "bagit-profile-identifier"  # the label in bag-info.txt, in lower case
_ALWAYS = {"bagit.txt", "bag-info.txt", "fetch.txt"}  # tag files that other fields rule
Patterns = tuple[Annotated[str, StringConstraints(max_length=1_000)], ...]


class NotProfile(ValueError):
    """The bytes are no profile; the message says why, as a sentence's rest."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", populate_by_name=True)


class Info(_Model):
    """BagIt-Profile-Info: of it, what bags are held against."""

    identifier: str = Field(alias="BagIt-Profile-Identifier")


class Tag(_Model):
    """What Bag-Info asks of one label of bag-info.txt."""

    required: bool = False
    values: tuple[str, ...] = ()
    repeatable: bool = True


class Profile(_Model):
    """A profile's fields, by their names in the specification."""

    info: Info = Field(alias="BagIt-Profile-Info")
    tags: dict[str, Tag] = Field(alias="Bag-Info", default={})
    manifests: tuple[str, ...] = Field(alias="Manifests-Required", default=())
    manifests_allowed: tuple[str, ...] | None = Field(alias="Manifests-Allowed", default=None)
    fetch: bool = Field(alias="Allow-Fetch.txt", default=True)
    fetch_required: bool = Field(alias="Fetch.txt-Required", default=False)
    empty: bool = Field(alias="Data-Empty", default=False)
    serialization: Literal["forbidden", "required", "optional"] = Field(alias="Serialization", default="optional")
    serializations: tuple[str, ...] = Field(alias="Accept-Serialization", default=())
    versions: tuple[str, ...] = Field(alias="Accept-BagIt-Version", default=())
    tag_manifests: tuple[str, ...] = Field(alias="Tag-Manifests-Required", default=())
    tag_manifests_allowed: tuple[str, ...] | None = Field(alias="Tag-Manifests-Allowed", default=None)
    tag_files: tuple[str, ...] = Field(alias="Tag-Files-Required", default=())
    tag_files_allowed: Patterns = Field(alias="Tag-Files-Allowed", default=("*",))
    payload: tuple[str, ...] = Field(alias="Payload-Files-Required", default=())
    payload_allowed: Patterns = Field(alias="Payload-Files-Allowed", default=("*",))


@dataclass(frozen=True, slots=True)
class Shape:
    """A bag as profiles look at it. `tags` are bag-info's labels and values; `files` its paths from the bag's folder,
    with their bytes; `mime` what its archive may be called, none for a folder."""

    version: str
    tags: Sequence[tuple[str, str]]
    manifests: frozenset[str]
    tag_manifests: frozenset[str]
    mime: frozenset[str]
    files: Iterable[tuple[str, int]]


def parse(data: bytes) -> Profile:
    """The profile in a file's bytes; raise NotProfile. Fields that the specification does not know are let alone."""
    try:
        return Profile.model_validate_json(data)
    except ValidationError as failure:
        first = failure.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NotProfile(f"{where or 'it'}: {first['msg']}"[:500]) from failure


def identifier(data: bytes) -> str:
    """The identifier of the profile in a file's bytes, "" where they are none."""
    try:
        return str(json.loads(data)["BagIt-Profile-Info"]["BagIt-Profile-Identifier"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def check(profile: Profile, shape: Shape) -> Iterator[Finding]:
    """Yield what the bag breaks. Where its serialization or version is not accepted, nothing else is looked at, as the
    specification says."""
    if fatal := [*_serialization(profile, shape), *_version(profile, shape)]:
        yield from fatal
        return
    yield from _tags(profile, shape)
    for kind, required, allowed, there in (
        ("manifests", profile.manifests, profile.manifests_allowed, shape.manifests),
        ("tag-manifests", profile.tag_manifests, profile.tag_manifests_allowed, shape.tag_manifests),
    ):
        yield from _manifests(kind, required, allowed, there)
    yield from _files(profile, shape)


def _broken(field: str, told: str, path: str = "") -> Finding:
    return error("bagit-profile-" + field, told, path)


def _serialization(profile: Profile, shape: Shape) -> Iterator[Finding]:
    if profile.serialization == "required" and not shape.mime:
        yield _broken("serialization", "The profile requires an archive, and this is a folder.")
    if profile.serialization == "forbidden" and shape.mime:
        yield _broken("serialization", "The profile forbids archives.")
    elif shape.mime and profile.serializations and shape.mime.isdisjoint(profile.serializations):
        accepted = ", ".join(profile.serializations)[:500]
        yield _broken("accept-serialization", f"The archive is none of those accepted ({accepted}).")


def _version(profile: Profile, shape: Shape) -> Iterator[Finding]:
    if profile.versions and shape.version not in profile.versions:
        accepted = ", ".join(profile.versions)[:500]
        yield _broken("accept-bagit-version", f"BagIt {shape.version} is none of those accepted ({accepted}).")


def _tags(profile: Profile, shape: Shape) -> Iterator[Finding]:
    said = [(label.lower(), value) for label, value in shape.tags]
    counts = Counter(label for label, _ in said)
    if (IDENTIFIER, profile.info.identifier) not in said:
        told = f"bag-info.txt does not name the profile as its {IDENTIFIER.title()}: {profile.info.identifier[:500]}."
        yield _broken("identifier", told, "bag-info.txt")
    for label, asked in profile.tags.items():
        known, name = counts[label.lower()], label[:200]
        if asked.required and not known:
            yield _broken("bag-info", f"{name} is missing.", "bag-info.txt")
        if not asked.repeatable and known > 1:
            yield _broken("bag-info", f"{name} is there {known} times, and may be there once.", "bag-info.txt")
        for value in {value for other, value in said if other == label.lower()} if asked.values else ():
            if value not in asked.values:
                yield _broken("bag-info", f"{name} is {value[:200]!r}, which is not accepted.", "bag-info.txt")


def _manifests(
    kind: str, required: Sequence[str], allowed: Sequence[str] | None, there: frozenset[str]
) -> Iterator[Finding]:
    for missing in sorted(set(map(_algorithm, required)) - there):
        yield _broken(f"{kind}-required", f"There is none by {missing}.")
    for other in sorted(there - set(map(_algorithm, allowed))) if allowed is not None else ():
        yield _broken(f"{kind}-allowed", f"There is one by {other}, which is not allowed.")


def _algorithm(name: str) -> str:
    return name.lower().replace("-", "")


def _files(profile: Profile, shape: Shape) -> Iterator[Finding]:
    """One walk over all files: what is required is crossed off, what is not allowed is told."""
    missing = {*profile.tag_files, *profile.payload, *(["fetch.txt"] if profile.fetch_required else [])}
    payload = size = 0
    for path, octets in shape.files:
        missing -= {path, *(folder for folder in missing if folder.endswith("/") and path.startswith(folder))}
        if path.startswith("data/"):
            payload, size = payload + 1, size + octets
            if not _is_allowed(path, profile.payload_allowed):
                yield _broken("payload-files-allowed", "The profile does not allow it.", path)
        elif path == "fetch.txt" and not profile.fetch:
            yield _broken("allow-fetch.txt", "The profile allows no fetch.txt.", path)
        elif not _is_ruled_elsewhere(path) and not _is_allowed(path, profile.tag_files_allowed):
            yield _broken("tag-files-allowed", "The profile does not allow it.", path)
    if profile.empty and (payload > 1 or size):
        yield _broken(
            "data-empty", f"There are {size} bytes in {payload} files, and there may be one empty file.", "data"
        )
    for path in sorted(missing):
        field = (
            "payload-files" if path in profile.payload else "tag-files" if path in profile.tag_files else "fetch.txt"
        )
        yield _broken(field + "-required", "It is not there.", path[:1_000])


def _is_ruled_elsewhere(path: str) -> bool:
    return path in _ALWAYS or ("/" not in path and path.startswith(("manifest-", "tagmanifest-")))


def _is_allowed(path: str, patterns: Sequence[str]) -> bool:
    """An asterisk stands for any characters, folders' separators among them: the default `*` is all there is."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)
