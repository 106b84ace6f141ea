"""What stands beside our own rules for a package: schemas, profiles and other validators, as the user has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest import sip_bag_profile, sip_eark_schema, sip_eark_validator, sip_rocrate_validator
from ingest.bag_profile import Profile
from ingest.finding import Finding
from ingest.sip import Sip
from ingest.standards import Standards
from ingest.worklist import Worklist


def rules(
    worklist: Worklist, sip: Sip, standards: Standards, scratch: Path, profile: Profile | None = None
) -> list[Finding]:  # fmt: skip
    """What XML schemas and BagIt Profiles say of the package, once every file was listed; what they could not be
    asked is information. `profile` goes before those that a bag names. A folder below `scratch` is made."""
    return [*_rules(worklist, sip, standards, scratch, profile)]


def _rules(
    worklist: Worklist, sip: Sip, standards: Standards, scratch: Path, profile: Profile | None
) -> Iterator[Finding]:  # fmt: skip
    if sip.bag:
        container = sip.container.name if sip.container else ""
        yield from sip_bag_profile.check(worklist, sip.bag, container, standards, profile)
    if sip.eark:
        (folder := scratch / "schemas").mkdir()
        yield from sip_eark_schema.check(worklist, sip.eark, standards, folder)


def validators(worklist: Worklist, sip: Sip, standards: Standards, scratch: Path) -> list[Finding]:
    """What other validators say of the package: they take seconds."""
    (folder := scratch / "validators").mkdir()
    if sip.crate:
        return [*sip_rocrate_validator.check(worklist, sip.crate, standards, folder)]
    if sip.eark and standards.eark_validator:
        return [*sip_eark_validator.check(worklist, sip.eark, standards, folder)]
    return []
