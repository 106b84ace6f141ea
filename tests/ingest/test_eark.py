"""E-ARK packages as they come in: by requirement, in every packing, and those that want to do harm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.mets import NotMets, nodes
from tests.ingest.eark_package import REP, ROOT, made
from tests.ingest.test_corpora import cases

Tianyi = Callable[..., Any]

# Cases that we judge otherwise than their folder says, and why.
OTHERWISE = {
    "CSIP60/invalid/multi_doc_file_grp": "CSIP60 allows several (1..n), and so says its testCase.xml",
    "CSIP114/invalid/multi_rep_file_grp": "CSIP114 allows several (1..n), and so says its testCase.xml",
    "CSIP8/invalid/mets-xml_metsHdr_LASTMODDATE_in_future": "the package has no LASTMODDATE at all",
}
UNSEEN = "CSIPSTR11/valid/CSIPSTR11_8"  # an empty METS.xml beside one folder: nothing says that it is E-ARK


def codes(answer: Any, *severities: str) -> set[str]:
    return {f["code"] for f in answer.said["findings"] if not severities or f["severity"] in severities}


def test_packages_are_judged_by_requirement(tianyi: Tianyi, corpus: Any) -> None:
    """An invalid case has its code; a valid one has no error of it, but a warning where it leaves a SHOULD undone."""
    wrong = []
    for package, expected in cases(corpus("eark")):
        key, name = package.parts[-3], "/".join(package.parts[-3:])
        answer = tianyi("validate", package, *(("--as", "eark") if name == UNSEEN else ()))
        assert (name, answer.said["kind"]) == (name, "eark")
        found = codes(answer) if expected == "invalid" else codes(answer, "error")
        if (key in found) != (expected == "invalid"):
            wrong.append(name)
    assert set(wrong) == set(OTHERWISE)


def test_a_right_package_has_nothing_to_be_told(tianyi: Tianyi, tmp_path: Path) -> None:
    package = made(tmp_path)
    answer = tianyi("validate", package)
    assert (answer.said["kind"], answer.said["valid"], answer.code) == ("eark", True, 0)
    assert codes(answer, "error", "warning") == set()


ATTRIBUTES = {
    "mets": {"OBJID": "CSIP1", "TYPE": "CSIP2", "csip:CONTENTINFORMATIONTYPE": "CSIP4", "PROFILE": "SIP2"},
    "metsHdr": {"CREATEDATE": "CSIP7", "csip:OAISPACKAGETYPE": "SIP4"},
    "dmdSec": {"ID": "CSIP18", "CREATED": "CSIP19", "STATUS": "CSIP20"},
    "dmdSec>mdRef": {"LOCTYPE": "CSIP22", "xlink:type": "CSIP23", "xlink:href": "CSIP24", "MDTYPE": "CSIP25",
                     "MIMETYPE": "CSIP26", "SIZE": "CSIP27", "CREATED": "CSIP28", "CHECKSUM": "CSIP29",
                     "CHECKSUMTYPE": "CSIP30"},
    "digiprovMD": {"ID": "CSIP33", "STATUS": "CSIP34"},
    "digiprovMD>mdRef": {"LOCTYPE": "CSIP36", "xlink:href": "CSIP38", "MDTYPE": "CSIP39", "CHECKSUMTYPE": "CSIP44"},
    "rightsMD": {"ID": "CSIP46", "STATUS": "CSIP47"},
    "rightsMD>mdRef": {"LOCTYPE": "CSIP49", "xlink:href": "CSIP51", "MDTYPE": "CSIP52", "CHECKSUMTYPE": "CSIP57"},
    "fileSec": {"ID": "CSIP59"},
    "fileGrp": {"USE": "CSIP64", "ID": "CSIP65"},
    "file": {"ID": "CSIP67", "MIMETYPE": "CSIP68", "SIZE": "CSIP69", "CREATED": "CSIP70", "CHECKSUM": "CSIP71",
             "CHECKSUMTYPE": "CSIP72"},
    "FLocat": {"LOCTYPE": "CSIP77", "xlink:type": "CSIP78", "xlink:href": "CSIP79"},
    "structMap": {"TYPE": "CSIP81", "LABEL": "CSIP82", "ID": "CSIP83"},
    "div": {"ID": "CSIP85"},
    "mptr": {"xlink:href": "CSIP110", "xlink:type": "CSIP111", "LOCTYPE": "CSIP112", "xlink:title": "CSIP108"},
    'div ID="dmeta"': {"LABEL": "CSIP88"}, 'div ID="ddoc"': {"LABEL": "CSIP93"}, 'div ID="drep"': {"LABEL": "CSIP107"},
    "agent": {"ROLE": "CSIP11", "TYPE": "CSIP12", "OTHERTYPE": "CSIP13"},
    "note": {"csip:NOTETYPE": "CSIP16"},
    'agent ROLE="PRESERVATION"': {"TYPE": "SIP28"}, 'agent ROLE="ARCHIVIST"': {"TYPE": "SIP11"},
}  # fmt: skip


@pytest.mark.parametrize("element", ATTRIBUTES)
def test_each_attribute_that_is_missing_is_told(tianyi: Tianyi, tmp_path: Path, element: str) -> None:
    package = made(tmp_path)
    text = (package / ROOT).read_text("utf-8")
    for attribute, code in ATTRIBUTES[element].items():
        steps = r"[^>]*>\s*<".join(re.escape(step) for step in element.split(">"))
        changed, count = re.subn(rf'(<{steps}(?=[\s>])[^>]*?)\s{attribute}="[^"]*"', r"\1", text, count=1)
        assert (count, changed != text) == (1, True)
        (package / ROOT).write_text(changed, "utf-8")
        assert (attribute, code in codes(tianyi("validate", package))) == (attribute, True)


@pytest.mark.parametrize(("old", "new", "code"), [
    ('TYPE="Mixed"', 'TYPE="OTHER"', "CSIP3"),
    ('csip:CONTENTINFORMATIONTYPE="MIXED"\n', 'csip:CONTENTINFORMATIONTYPE="OTHER"\n', "CSIP5"),
    ('LASTMODDATE="2026', 'LASTMODDATE="9000', "CSIP8"),
    ('LASTMODDATE="2026-02-01', 'LASTMODDATE="2026-02-30', "CSIP8"),
    ("<name>By hand</name>", "<name> </name>", "CSIP14"),
    ('VERSION">1.0<', 'VERSION"><', "CSIP15"),
    ('<dmdSec', '<dmdSec ID="x"/><dmdSec', "CSIP21"),
    ('ID="rights1"', 'ID="prov1"', "CSIP33"),
    ('<digiprovMD ID="prov1"', '<digiprovMD ID="1 prov"', "CSIP33"),
    ('USE="Documentation"', 'USE="Papers"', "CSIP60"),
    ('USE="Schemas"', 'USE="Schemas/none"', "CSIP64"),
    ('MIMETYPE="text/plain"', 'MIMETYPE="word"', "CSIP68"),
    ('<FLocat', '<FLocat/><FLocat', "CSIP76"),
    ('FILEID="gdoc"', 'FILEID="gxsd"', "CSIP116"),
    ('FILEID="gxsd"', 'FILEID="nothing"', "CSIP118"),
    (' ADMID="rights1 prov1"', "", "CSIP91"),
    ("<name>The agency</name>", "", "SIP18"),
    ('<note csip:NOTETYPE="IDENTIFICATIONCODE">A-1', "<note>A-1", "SIP20"),
    ('"SUBMISSIONAGREEMENT">agreement 1', '"SUBMISSIONAGREEMENT">', "SIP5"),
    ('RECORDSTATUS="NEW"', 'RECORDSTATUS="STALE"', "SIP3"),
    ('sip:FILEFORMATNAME="Text"', 'sip:FILEFORMATNAME=""', "SIP32"),
    ("xlink:href=\"documentation/", "xlink:href=\"../../documentation/", "CSIP79"),
    ("xlink:href=\"documentation/", "xlink:href=\"%2e%2e/%2e%2e/etc/", "CSIP79"),
    ("xlink:href=\"documentation/", "xlink:href=\"/etc/", "CSIP79"),
    ("xlink:href=\"documentation/", "xlink:href=\"https://example.org/", "CSIP79"),
])  # fmt: skip
def test_what_is_wrong_is_told_by_its_code(tianyi: Tianyi, tmp_path: Path, old: str, new: str, code: str) -> None:
    package = made(tmp_path)
    text = (package / ROOT).read_text("utf-8")
    assert old in text
    (package / ROOT).write_text(text.replace(old, new, 1), "utf-8")
    assert code in codes(tianyi("validate", package), "error", "warning")


def test_files_are_held_against_what_mets_says(tianyi: Tianyi, tmp_path: Path) -> None:
    package = made(tmp_path)
    (package / "documentation/read me+1.txt").write_text("how to READ them")
    (package / "schemas/own.xsd").write_text("longer")
    (package / "representations/rep1/data/letter 1.txt").unlink()
    (package / "representations/rep1/data/extra.txt").write_text("nobody knows it")
    (package / "metadata/descriptive/dc.xml").write_bytes(b"")
    found = {(f["code"], f["path"]) for f in tianyi("validate", package).said["findings"] if f["severity"] != "info"}
    assert found == {
        ("CSIP71", "documentation/read me+1.txt"), ("CSIP69", "schemas/own.xsd"), ("CSIP71", "schemas/own.xsd"),
        ("CSIP79", REP), ("CSIP58", "representations/rep1/data/extra.txt"),
        ("CSIP27", "metadata/descriptive/dc.xml"), ("CSIP29", "metadata/descriptive/dc.xml"),
    }  # fmt: skip


def test_a_name_of_another_case_is_the_file_where_it_has_its_size(tianyi: Tianyi, tmp_path: Path) -> None:
    package = made(tmp_path)
    (package / "schemas/own.xsd").rename(package / "schemas/OWN.xsd")
    answer = tianyi("validate", package)
    assert (answer.said["valid"], codes(answer, "warning")) == (True, {"CSIP79"})
    (package / "schemas/OWN.xsd").write_text("another one")
    assert codes(tianyi("validate", package), "error") == {"CSIP79"}


@pytest.mark.parametrize("packing", ["folder", "zip", "tar", "flat zip"])
def test_a_package_comes_in_with_its_description(
    tianyi: Tianyi, repository: Path, tmp_path: Path, tree: Any, packing: str
) -> None:
    package = source = made(tmp_path / "here")
    if packing != "folder":
        base = package.parent if packing != "flat zip" else package
        kind = packing.split()[-1]
        source = Path(shutil.make_archive(str(tmp_path / "packed"), kind, base))
    answer = tianyi("ingest", source, at=repository)
    if packing == "flat zip":
        assert (answer.said["outcome"], codes(answer, "error")) == ("rejected", {"CSIPSTR1"})
        return
    assert (answer.said["outcome"], answer.said["kind"]) == ("accepted", "eark")
    shown = tianyi("show", answer.said["aip"], at=repository).said
    assert (shown["title"], shown["producer"]) == ("Letters of Fan Qin", "The agency")
    assert [row["aip"] for row in tianyi("search", "books", at=repository).rows] == [answer.said["aip"]]
    events = tianyi("events", answer.said["aip"], at=repository).rows
    assert any("E-ARK SIP" in str(event["detail"]) for event in events if event["type"] == "validation")
    out = tmp_path / "out"
    assert tianyi("export", answer.said["aip"], out, "--as", "folder", at=repository).code == 0
    there = {name: entry.content for name, entry in tree(out if packing == "folder" else out / "package").items()}
    assert there == {name: entry.content for name, entry in tree(package).items()}


def test_the_officer_knows_better(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    answer = tianyi("ingest", made(tmp_path), "--title", "Mine", "--producer", "Us", at=repository).said
    shown = tianyi("show", answer["aip"], at=repository).said
    assert (shown["title"], shown["producer"]) == ("Mine", "Us")
    other = tianyi("ingest", made(tmp_path, "again"), "--as", "folder", at=repository).said
    assert (other["kind"], other["findings_total"] > 0) == ("folder", True)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.txt").write_text("a")
    assert codes(tianyi("validate", plain, "--as", "eark"), "error") == {"CSIPSTR4"}


def test_a_title_is_no_longer_than_a_title(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    package = made(tmp_path)
    mets = (package / ROOT).read_text("utf-8").replace('LABEL="A label"', f'LABEL="{"A label " * 100_000}"')
    (package / ROOT).write_text(mets.replace('MDTYPE="DC"', 'MDTYPE="OTHER"'), "utf-8")
    answer = tianyi("ingest", package, at=repository).said
    title = tianyi("show", answer["aip"], at=repository).said["title"]
    assert (title.startswith("A label"), len(title) <= 1_000) == (True, True)


def test_a_description_in_ead(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    package = made(tmp_path)
    ead = '<!DOCTYPE ead [<!ENTITY a "x">]><ead xmlns="urn:isbn:1-931666-22-9"><archdesc><did><unittitle>Old &amp; new'
    (package / "metadata/descriptive/dc.xml").write_text(f"{ead} books</unittitle></did></archdesc></ead>")
    mets = re.sub(r'MDTYPE="DC".*?/>', 'MDTYPE="EAD"/>', (package / ROOT).read_text("utf-8"))
    (package / ROOT).write_text(mets, "utf-8")
    (repository / "policies" / "ingest.yaml").write_text("findings: {error: accept}\n")
    answer = tianyi("ingest", package, at=repository).said
    assert tianyi("show", answer["aip"], at=repository).said["title"] == "Old & new books"


BOMB = b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>'
METS = b'<mets xmlns="http://www.loc.gov/METS/" xmlns:x="http://www.w3.org/1999/xlink" PROFILE="https://earksip.dilcis.eu/">'
HOSTILE = {
    "entities": BOMB + METS + b"&b;</mets>",
    "an outside entity": b'<!DOCTYPE m SYSTEM "file:///etc/passwd">' + METS + b"</mets>",
    "deep": METS + b"<div>" * 100_000,
    "another root": b'<?xml version="1.0"?><root xmlns="http://www.loc.gov/METS/" a="dilcis"/>',
    "cut off": METS + b"<metsHdr><agent><name>dilcis",
    "many agents": METS + b"<metsHdr>" + b"<agent/>" * 2_000 + b"</metsHdr></mets>",
    "many groups": METS + b"<fileSec>" + b"".join(b'<fileGrp ID="g%d"/>' % n for n in range(100_001)),
    "many kinds of elements": METS + b"".join(b"<a%d/>" % n for n in range(2_000)) + b"</mets>",
    "a long value": METS + b'<metsHdr a="' + b"x" * 11_000_000 + b'"/></mets>',
    "no bytes": b"",
    "not text": METS + b"\xff\xfe\x00",
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_mets_that_wants_to_do_harm_is_refused(tianyi: Tianyi, repository: Path, tmp_path: Path, what: str) -> None:
    package = made(tmp_path)
    (package / ROOT).write_bytes(HOSTILE[what])
    answer = tianyi("ingest", package, at=repository)
    assert (answer.said["kind"], answer.said["outcome"], answer.code) == ("eark", "rejected", 5)
    assert "mets-invalid" in codes(answer, "error")


def test_names_of_elements_and_text_of_others_are_let_alone() -> None:
    wrapped = b'<dmdSec><mdWrap><xmlData><agent xmlns="urn:x"><name>n</name></agent></xmlData></mdWrap></dmdSec>'
    found = {node.path for node in nodes([METS, wrapped[:30], wrapped[30:], b"</mets>"])}
    assert "dmdSec/mdWrap/xmlData/?agent/?name" in found
    with pytest.raises(NotMets, match="document type"):
        list(nodes([HOSTILE["entities"]]))


def test_a_bag_around_a_package_stays_a_bag(tianyi: Tianyi, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    made(bag, "data")
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    (bag / "manifest-sha256.txt").write_text("")
    assert tianyi("validate", bag).said["kind"] == "bag"
