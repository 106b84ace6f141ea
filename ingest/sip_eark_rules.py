"""What E-ARK's METS profiles (CSIP and SIP 2.2.0) require of single elements: a table of code, place and assertion.

Of which severity a rule is follows from what breaks it: a MUST is an error, a SHOULD a warning, a MAY that is not
there worth an information. What needs more than one element is in sip_eark_judge.py and sip_eark_agents.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest import sip_eark_terms as terms
from ingest.finding import Severity
from ingest.mets import Node

MUST, SHOULD, MAY = Severity.ERROR, Severity.WARNING, Severity.INFO
LONGEST_MIME = 256  # characters


@dataclass(frozen=True, slots=True)
class Test:
    """An assertion about one element, and what to say where it does not hold."""

    holds: Callable[[Node], bool]
    told: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`at` is an element's path below mets; `only` names the METS documents that it is for ("" is all)."""

    code: str
    severity: Severity
    at: str
    test: Test
    only: str = ""


def has(name: str) -> Test:
    return Test(lambda node: bool(node.get(name)), f"@{name} is missing or empty")


def equals(name: str, value: str) -> Test:
    return Test(lambda node: node.get(name) == value, f'@{name} is not "{value}"')


def among(name: str, values: Collection[str], key: Callable[[str], str] = str) -> Test:
    return Test(lambda node: key(node.get(name)) in values, f"@{name} is missing, or not in its vocabulary")


def shaped(name: str, right: Callable[[str], bool], what: str) -> Test:
    return Test(lambda node: right(node.get(name)), f"@{name} is not {what}")


def if_there(name: str, test: Test) -> Test:
    return Test(lambda node: name not in node.attributes or test.holds(node), test.told)


def where(name: str, value: str, test: Test) -> Test:
    """The test, for elements whose attribute has that value."""
    told = f'{test.told}, while @{name} is "{value}"'
    return Test(lambda node: node.get(name).upper() != value or test.holds(node), told)


def _of_representation(test: Test) -> Test:
    """The test, for file groups of representations."""
    return Test(lambda node: not node.get("USE").startswith("Representations") or test.holds(node), test.told)


def one(child: str) -> Test:
    return Test(lambda node: node.children.get(child, 0) == 1, f"it has not exactly one {child}")


def some(*children: str) -> Test:
    told = f"it has no {' or '.join(children)}"
    return Test(lambda node: any(child in node.children for child in children), told)


def is_time(text: str) -> bool:
    """Whether it is an xs:dateTime (or a date alone) that a calendar knows."""
    try:
        return len(text) >= 10 and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def is_mime(text: str) -> bool:
    """Whether it has the form of a media type (RFC 6838 §4.2) below a top-level type that is registered."""
    known = _MIME.fullmatch(text)
    return len(text) <= LONGEST_MIME and known is not None and known[1].lower() in terms.MEDIA


_MIME = re.compile(r"([A-Za-z0-9-]+)/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(\s*;.*)?")
_NUMBER = re.compile(r"[0-9]{1,18}")
_URL = re.compile(r"https?://\S+|urn:\S+")
_SIP_PROFILE = re.compile(r"https?://earksip\.dilcis\.eu/profile/E-ARK-SIP(-v\d+-\d+-\d+)?\.xml")
TIME, MIME = "a date and time", "a media type of IANA's list"


def is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


def is_sip_profile(text: str) -> bool:
    return _SIP_PROFILE.fullmatch(text) is not None


def _located(at: str, first: int) -> Iterator[Rule]:
    """A locator: LOCTYPE, xlink:type and xlink:href have codes that follow one another."""
    tests = (equals("LOCTYPE", "URL"), equals("xlink:type", "simple"), has("xlink:href"))
    yield from (Rule(f"CSIP{number}", MUST, at, test) for number, test in enumerate(tests, first))


def _described(at: str, first: int) -> Iterator[Rule]:
    """A file as its reference tells it: MIMETYPE, SIZE, CREATED, CHECKSUM, CHECKSUMTYPE."""
    tests = (
        shaped("MIMETYPE", is_mime, MIME),
        shaped("SIZE", lambda text: _NUMBER.fullmatch(text) is not None, "a number of bytes"),
        shaped("CREATED", is_time, TIME),
        has("CHECKSUM"),
        among("CHECKSUMTYPE", terms.CHECKSUM_TYPES),
    )
    yield from (Rule(f"CSIP{number}", MUST, at, test) for number, test in enumerate(tests, first))


def _section(at: str, first: int) -> Iterator[Rule]:
    """A metadata section with its reference: STATUS, mdRef, then what the reference has to say."""
    yield Rule(f"CSIP{first}", SHOULD, at, among("STATUS", terms.STATUS, str.upper))
    yield Rule(f"CSIP{first + 1}", SHOULD, at, some("mdRef", "mdWrap"))
    yield from _located(f"{at}/mdRef", first + 2)
    yield Rule(f"CSIP{first + 5}", MUST, f"{at}/mdRef", among("MDTYPE", terms.MDTYPES))
    yield from _described(f"{at}/mdRef", first + 6)


def _may(name: str) -> Iterator[tuple[Severity, Test]]:
    """An attribute that may be there, and says something where it is."""
    yield MAY, Test(lambda node: name in node.attributes, f"@{name} is not there")
    yield SHOULD, if_there(name, Test(lambda node: bool(node.get(name)), f"@{name} is empty"))


HEADER, GROUP, FILE, MAP, DIV = "metsHdr", "fileSec/fileGrp", "fileSec/fileGrp/file", "structMap", "structMap/div"
_CONTENT_TYPE = among("csip:CONTENTINFORMATIONTYPE", terms.CONTENT_TYPES)
_OTHER_TYPE = "csip:OTHERCONTENTINFORMATIONTYPE"

RULES: tuple[Rule, ...] = (
    Rule("CSIP1", MUST, "", has("OBJID")),
    Rule("CSIP2", MUST, "", among("TYPE", terms.CATEGORIES, terms.category)),
    Rule("CSIP3", MUST, "", where("TYPE", "OTHER", has("csip:OTHERTYPE"))),
    Rule("CSIP4", SHOULD, "", _CONTENT_TYPE, "root"),
    Rule("CSIP4", MUST, "", has("csip:CONTENTINFORMATIONTYPE"), "representation"),
    Rule("CSIP5", MUST, "", where("csip:CONTENTINFORMATIONTYPE", "OTHER", has(_OTHER_TYPE))),
    Rule("CSIP6", MUST, "", shaped("PROFILE", is_url, "a URL")),
    Rule("CSIP117", MUST, "", one("metsHdr")),
    Rule("CSIP58", SHOULD, "", one("fileSec")),
    Rule("CSIP80", MUST, "", some("structMap")),
    Rule("CSIP7", MUST, HEADER, shaped("CREATEDATE", is_time, TIME)),
    Rule("CSIP8", MUST, HEADER, if_there("LASTMODDATE", shaped("LASTMODDATE", is_time, TIME))),
    Rule("CSIP9", MUST, HEADER, among("csip:OAISPACKAGETYPE", terms.PACKAGE_TYPES)),
    Rule("CSIP19", MUST, "dmdSec", shaped("CREATED", is_time, TIME)),
    *_section("dmdSec", 20),
    Rule("CSIP32", SHOULD, "amdSec", some("digiprovMD")),
    *_section("amdSec/digiprovMD", 34),
    Rule("CSIP45", MAY, "amdSec", some("rightsMD")),
    *_section("amdSec/rightsMD", 47),
    Rule("CSIP61", MAY, GROUP, has("ADMID")),
    Rule("CSIP62", SHOULD, GROUP, _of_representation(_CONTENT_TYPE), "root"),
    Rule("CSIP63", MUST, GROUP, where("csip:CONTENTINFORMATIONTYPE", "OTHER", has(_OTHER_TYPE))),
    Rule("CSIP64", MUST, GROUP, has("USE")),
    Rule("CSIP66", MUST, GROUP, some("file", "fileGrp")),
    *_described(FILE, 68),
    *(Rule("CSIP73", severity, FILE, test) for severity, test in _may("OWNERID")),
    Rule("CSIP74", MAY, FILE, has("ADMID")),
    Rule("CSIP75", MAY, FILE, has("DMDID")),
    Rule("CSIP76", MUST, FILE, one("FLocat")),
    *_located(f"{FILE}/FLocat", 77),
    Rule("CSIP81", MUST, MAP, equals("TYPE", "PHYSICAL")),
    Rule("CSIP82", MUST, MAP, equals("LABEL", "CSIP")),
    Rule("CSIP84", MUST, MAP, one("div")),
    Rule("CSIP110", MUST, f"{DIV}/div/mptr", has("xlink:href")),
    Rule("CSIP111", MUST, f"{DIV}/div/mptr", equals("xlink:type", "simple")),
    Rule("CSIP112", MUST, f"{DIV}/div/mptr", equals("LOCTYPE", "URL")),
    *(Rule("SIP1", severity, "", test, "root") for severity, test in _may("LABEL")),
    Rule("SIP2", MUST, "", shaped("PROFILE", is_sip_profile, "that of an E-ARK SIP"), "root"),
    Rule("SIP3", MAY, HEADER, has("RECORDSTATUS"), "root"),
    Rule("SIP3", SHOULD, HEADER, if_there("RECORDSTATUS", among("RECORDSTATUS", terms.RECORD_STATUS)), "root"),
    Rule("SIP4", MUST, HEADER, equals("csip:OAISPACKAGETYPE", "SIP"), "root"),
    *(Rule(f"SIP{number}", severity, FILE, test, "root")
      for number, what in enumerate(("NAME", "VERSION", "REGISTRY", "KEY"), 32)
      for severity, test in _may(f"sip:FILEFORMAT{what}")),
)  # fmt: skip

IDENTIFIED = {
    "dmdSec": "CSIP18", "amdSec/digiprovMD": "CSIP33", "amdSec/rightsMD": "CSIP46", "fileSec": "CSIP59",
    GROUP: "CSIP65", FILE: "CSIP67", MAP: "CSIP83", DIV: "CSIP85",
}  # fmt: skip
"""The code of the rule that an element has an identifier of its own, by path."""

DIVISION_IDS = {
    "Metadata": "CSIP89", "Documentation": "CSIP94", "Schemas": "CSIP98", "Representations": "CSIP102",
}  # fmt: skip
"""The same for the divisions of the structural map, by label; those of single representations have CSIP106."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The rules about a file that is referred to: that it is there, its bytes, its digest, the digest's algorithm."""

    href: str
    size: str
    digest: str
    algorithm: str


REFERENCES = {
    "dmdSec/mdRef": Codes("CSIP24", "CSIP27", "CSIP29", "CSIP30"),
    "amdSec/digiprovMD/mdRef": Codes("CSIP38", "CSIP41", "CSIP43", "CSIP44"),
    "amdSec/rightsMD/mdRef": Codes("CSIP51", "CSIP54", "CSIP56", "CSIP57"),
    f"{FILE}/FLocat": Codes("CSIP79", "CSIP69", "CSIP71", "CSIP72"),
    f"{DIV}/div/mptr": Codes("CSIP110", "CSIP110", "CSIP110", "CSIP110"),
}
