"""roc-validator's word on an RO-Crate's metadata document, beside our own rules: it knows the profiles that crates
name, and what is only recommended. In the bounded child, and offline: the JSON-LD contexts are the user's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ingest.finding import Finding, Severity, few, info
from ingest.heard import CODE, heard
from ingest.rocrate_child import NO_CONTEXT, NOT_THERE
from ingest.rocrate_metadata import NAMES
from ingest.sandbox import Limits, ending, run
from ingest.sandbox_child import CANNOT_RUN
from ingest.sip_rocrate import LARGEST, RoCrate
from ingest.standards import Standards
from ingest.worklist import Worklist
from storage.names import escape_path

TOOL: Final = Path(__file__).with_name("rocrate_child.py")
_SEVERITIES = {"REQUIRED": Severity.ERROR, "RECOMMENDED": Severity.WARNING}
_CONTEXT = re.compile(r"context-([0-9]+\.[0-9]+)\.jsonld")
_LIMITS = Limits(seconds=300, cpu=300, file=256 << 20)


def check(worklist: Worklist, crate: RoCrate, standards: Standards, scratch: Path) -> Iterator[Finding]:
    """Yield what it finds, by its own codes (`ro-crate-1.1_8.1`), or why it was not asked.

    `scratch` is an empty folder. It sees the document alone: whether files are there is for our own rules, and no name
    from outside reaches a disk.
    """
    contexts = _contexts(standards)
    data = next(filter(None, (worklist.read(crate.base + name, LARGEST) for name in NAMES)), None)
    if data is None or not crate.files:
        return  # our own rules have said that there is none to be read
    if not contexts:
        yield _unchecked("there is no context-1.1.jsonld, or of another version, in the folder of standards")
        return
    (scratch / "crate").mkdir()
    (scratch / "crate" / NAMES[0].decode()).write_bytes(data)
    (scratch / "contexts.json").write_text(json.dumps(contexts), "utf-8")
    ran = run([standards.roc_validator, "-I", "-B", str(TOOL), "contexts.json", "crate"], scratch, _LIMITS)
    if ran.exit in (NOT_THERE, CANNOT_RUN):
        yield _unchecked("it is not installed; pip install 'tianyi[rocrate]'")
    elif ran.exit == NO_CONTEXT:
        missing = ran.errors.decode("utf-8", "replace").splitlines()[-1][:500]
        yield _unchecked(f"{missing}, which the crate relies on, is not in the folder of standards")
    elif ran.exit != 0:
        yield _unchecked(ending(ran, _LIMITS))
    else:
        yield from few(_heard(scratch / "found", NAMES[0].decode()))


def _contexts(standards: Standards) -> dict[str, str]:
    """JSON-LD contexts by their addresses without the scheme: RO-Crate's own by their usual names, others in folders
    that are named as their addresses."""
    found = {address: str(path) for address, path in standards.addresses.items()}
    for name, path in standards.files.items():
        if known := _CONTEXT.fullmatch(name):
            found |= {f"w3id.org/ro/crate/{known[1]}{draft}/context": str(path) for draft in ("", "-DRAFT")}
    return found


def _heard(found: Path, document: str) -> Iterator[Finding]:
    for said in heard(found, dict.fromkeys(("severity", "check", "about", "told"), str)):
        severity = _SEVERITIES.get(said["severity"], Severity.INFO)
        code = said["check"] if CODE.fullmatch(said["check"]) else "rocrate-unchecked"
        path = escape_path(said["about"].encode("utf-8", "replace")) if said["about"] else document
        yield Finding(code, severity, path, said["told"])


def _unchecked(why: str) -> Finding:
    return info("rocrate-unchecked", f"Not checked by roc-validator: {why}.")
