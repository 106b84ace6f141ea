"""What may come in: limits, extra digests, and what the findings of the checks lead to (defaults/ingest.yaml)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from policies.fetching import Fetching
from policies.model import Bytes, Code, Count, Model, repeated

Outcome = Literal["accept", "hold", "reject"]
Severity = Literal["error", "warning", "info"]
Algorithm = Literal["md5", "sha1", "sha224", "sha384", "sha512", "sm3"]
Asked = Literal["unsure", "always", "never"]


class ContainerLimits(Model):
    """How far one ZIP, TAR or the like may unfold (CWE-409: a small archive that expands without end)."""

    files: Count = Field(description="Members of one container.")
    bytes: Bytes = Field(description="Bytes of one container's members, expanded.")
    ratio: Count = Field(description="Expanded bytes for one packed byte; more is refused beyond 100 MiB expanded.")


class Limits(Model):
    """How large one SIP may be; beyond it, the SIP is refused before it fills the disk."""

    files: Count = Field(description="Files of one SIP.")
    bytes: Bytes = Field(description="Bytes of one SIP's files.")
    depth: Count = Field(description="Folders inside one another.")
    container: ContainerLimits = Field(description="Limits of each container that is unpacked.")


class Extract(Model):
    """What is unpacked besides: archives that lie in a delivery stay files, and may get a representation."""

    depth: Annotated[int, Field(strict=True, ge=0, le=10)] = Field(
        description="Archives inside one another that are unpacked into the representation `extracted`; 0: none."
    )


class Findings(Model):
    """What a finding leads to: by its code where `codes` names it, else by its severity."""

    error: Outcome = Field(description="Findings of severity error.")
    warning: Outcome = Field(description="Findings of severity warning.")
    info: Outcome = Field(description="Findings of severity info.")
    codes: Mapping[Code, Outcome] = Field(description="Finding code to outcome; goes before severity.")


class IngestPolicy(Model):
    limits: Limits = Field(description="How large a SIP and its containers may be.")
    extract: Extract = Field(description="Whether archives inside a delivery are unpacked beside it.")
    digests: tuple[Algorithm, ...] = Field(description="Algorithms to compute besides sha256, which is always.")
    fetch: Literal["refuse", "follow"] = Field(
        description="What becomes of files that a bag's fetch.txt names and that did not come along (RFC 8493 §2.2.3)."
    )
    fetching: Fetching = Field(description="With `fetch: follow`: from where, and how much.")
    second_opinion: Asked = Field(
        description="Whether libmagic is asked too: `unsure` is where PRONOM knows no signature and no MIME of a file; "
        "`always` finds contradictions, and takes a millisecond or two a file; `never`."
    )
    examine: Literal["quick", "full"] = Field(
        description="`quick`: one pass over each file; `full`: format tools check what was stored, too."
    )
    findings: Findings = Field(description="What the findings of the checks lead to.")

    @field_validator("digests")
    @classmethod
    def _each_once(cls, digests: tuple[Algorithm, ...]) -> tuple[Algorithm, ...]:
        if twice := repeated(digests):
            raise ValueError(f"{twice[0]} is named twice")
        if lacking := [algorithm for algorithm in digests if not _computable(algorithm)]:
            raise ValueError(f"the OpenSSL of this machine has no {lacking[0]}")
        return digests


def _computable(algorithm: str) -> bool:
    try:
        return bool(hashlib.new(algorithm, usedforsecurity=False))
    except ValueError:
        return False
