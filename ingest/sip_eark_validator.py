"""eark-validator's word on an E-ARK package, beside our own rules: in the bounded child, and offline. What it would
download is the user's. It has the root METS document, and of all else an empty skeleton."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ingest.eark_child import METS, NOT_THERE, PACKAGE, PARTS, REFUSED
from ingest.eark_skeleton import MOST, lay_out
from ingest.finding import Finding, Severity, few, info
from ingest.heard import CODE, heard
from ingest.sandbox import Limits, Ran, ending, run
from ingest.sandbox_child import CANNOT_RUN
from ingest.sip_eark import Eark
from ingest.standards import Standards
from ingest.worklist import Worklist
from storage.names import escape_path

TOOL: Final = Path(__file__).with_name("eark_child.py")
_LARGEST = 64 << 20  # bytes of METS: it holds all of a document at once, at twenty times its size
_LIMITS = Limits(seconds=120, cpu=120, file=256 << 20)  # of each part
_PROFILE = re.compile(r".*-v(\d{1,4})-(\d{1,4})-(\d{1,4})\.xml")
_REPRESENTATION = re.compile(r"(\d+) representation")


def check(worklist: Worklist, eark: Eark, standards: Standards, scratch: Path) -> Iterator[Finding]:
    """Yield what it finds, by its own codes after `eark-validator-`, or why it was not asked.

    `scratch` is an empty folder. It is never an error: it takes many valid packages for invalid.
    """
    names = lay_out(worklist, eark.base, scratch / PACKAGE)
    if len(names) > MOST:
        yield _unchecked("structure", f"it was shown {MOST:,} of {len(names):,} representations")
    if (data := worklist.read(eark.base + METS.name.encode(), _LARGEST)) is not None:
        (scratch / METS).write_bytes(data)
    elif (scratch / METS).exists():
        yield _unchecked("schema, rules", "METS.xml has more than 64 MiB, or cannot be read")
    vocabularies = {name: str(path) for name, path in standards.files.items() if name.endswith(".xml")}
    (scratch / "vocabularies.json").write_text(json.dumps(vocabularies), "utf-8")
    for part in PARTS if data is not None else ("structure",):
        ran = run([standards.eark_validator, "-I", "-B", str(TOOL), "vocabularies.json", part], scratch, _LIMITS)
        yield from few(_heard(scratch / f"{part}.jsonl", eark, names))
        if ran.exit in (NOT_THERE, CANNOT_RUN):
            yield _unchecked("", f"it is not installed for {standards.eark_validator}")
            return
        if ran.exit != 0:
            yield _unchecked(part, _why(ran))


def _heard(found: Path, eark: Eark, names: Sequence[bytes]) -> Iterator[Finding]:
    for said in heard(found, dict.fromkeys(("rule", "severity", "told", "where", "by", "version"), str)):
        path, at = _place(said["where"], names)
        level = "an error" if said["severity"] == "Error" else "a warning"
        told = f"eark-validator {said['by']}, by E-ARK {said['version']}, has {level}{at}: {said['told']}"
        rule = said["rule"] if CODE.fullmatch(said["rule"]) else "unknown"
        yield Finding(f"eark-validator-{rule}", _severity(said, eark.document.profile), path, told)


def _place(where: str, names: Sequence[bytes]) -> tuple[str, str]:
    """The path, and the element of METS as a part of the sentence."""
    if (known := _REPRESENTATION.fullmatch(where)) and int(known[1]) < len(names):
        return escape_path(b"representations/" + names[int(known[1])]), ""
    if where.startswith("root "):
        return "", ""
    return METS.name, f" at {where}" if where.startswith("mets") else ""


def _severity(said: Mapping[str, str], profile: str) -> Severity:
    """Less than it says, and least where the package keeps to a version that it does not know."""
    named = _PROFILE.fullmatch(profile)
    newest = tuple(map(int, re.findall(r"\d+", said["version"])))
    if said["severity"] != "Error" or (named and tuple(map(int, named.groups())) > newest):
        return Severity.INFO
    return Severity.WARNING


def _why(ran: Ran) -> str:
    if ran.exit == REFUSED:
        return ran.errors.decode("utf-8", "replace").splitlines()[-1][:500]
    return ending(ran, _LIMITS)[:500]


def _unchecked(part: str, why: str) -> Finding:
    return info("eark-unchecked", f"Not checked by eark-validator{f' ({part})' if part else ''}: {why}.")
