"""The rules of the standard that a package keeps to, or of the list of digests that came with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest import sip_bag, sip_digests, sip_eark, sip_ocfl, sip_rocrate
from ingest.finding import Finding
from ingest.sip import Sip
from ingest.worklist import Worklist


def rules(worklist: Worklist, sip: Sip, now: datetime | None) -> Iterator[Finding]:
    """Yield what a package that was examined does not keep to. Without `now`, no date in it is of the future."""
    if sip.bag:
        yield from sip_bag.check(worklist, sip.bag)
    elif sip.ocfl:
        yield from sip_ocfl.check(worklist)
    elif sip.eark:
        yield from sip_eark.check(worklist, sip.eark, now)
    elif sip.crate:
        yield from sip_rocrate.check(worklist, sip.crate)
    elif sip.lists:
        yield from sip_digests.check(worklist, sip.lists)
