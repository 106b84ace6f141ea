"""An E-ARK SIP that keeps every MUST and SHOULD, made for tests: one representation with METS of its own."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

NAMESPACES = (
    'xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"'
    ' xmlns:sip="https://DILCIS.eu/XML/METS/SIPExtensionMETS"'
)
OTHER = "data/\u5929\u4e00.txt"
FILES = {
    "metadata/descriptive/dc.xml": '<dc xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>Letters of Fan Qin</dc:title><dc:creator>Fan Qin</dc:creator><dc:subject>books</dc:subject></dc>",
    "metadata/preservation/premis.xml": '<premis xmlns="http://www.loc.gov/premis/v3" version="3.0"/>',
    "documentation/read me+1.txt": "how to read them",
    "schemas/own.xsd": '<schema xmlns="http://www.w3.org/2001/XMLSchema"/>',
    "representations/rep1/data/letter 1.txt": "a letter",
    f"representations/rep1/{OTHER}": "another letter",
    "representations/rep1/metadata/preservation/premis.xml": '<premis xmlns="http://www.loc.gov/premis/v3"/>',
}
ROOT, REP = "METS.xml", "representations/rep1/METS.xml"


def made(folder: Path, name: str = "package") -> Path:
    """The package as a folder of that name in `folder`."""
    package = folder / name
    for path, text in FILES.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text, "utf-8")
    (package / REP).write_text(_representation(), "utf-8")
    (package / ROOT).write_text(_root(name, {**FILES, REP: _representation()}), "utf-8")
    return package


def _root(name: str, files: Mapping[str, str]) -> str:
    """Root METS; the file of each group is told with its digest."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mets {NAMESPACES} OBJID="{name}" LABEL="A label" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED"
 PROFILE="https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml">
{_header('RECORDSTATUS="NEW"')}
<dmdSec ID="dmd1" CREATED="2026-01-01T00:00:00Z" STATUS="CURRENT">
 {_md(files, "metadata/descriptive/dc.xml", "DC")}</dmdSec>
<amdSec ID="amd">
 <rightsMD ID="rights1" STATUS="CURRENT">{_md(files, "metadata/preservation/premis.xml", "OTHER")}</rightsMD>
 <digiprovMD ID="prov1" STATUS="CURRENT">{_md(files, "metadata/preservation/premis.xml", "PREMIS")}</digiprovMD>
</amdSec>
<fileSec ID="files">
{_group(files, "gdoc", "Documentation", "documentation/read me+1.txt")}
{_group(files, "gxsd", "Schemas", "schemas/own.xsd")}
{_group(files, "grep", "Representations/rep1", REP)}
</fileSec>
<structMap ID="map" TYPE="PHYSICAL" LABEL="CSIP"><div ID="main" LABEL="{name}">
 <div ID="dmeta" LABEL="Metadata" DMDID="dmd1" ADMID="rights1 prov1"/>
 <div ID="ddoc" LABEL="Documentation"><fptr FILEID="gdoc"/></div>
 <div ID="dxsd" LABEL="Schemas"><fptr FILEID="gxsd"/></div>
 <div ID="drep" LABEL="Representations/rep1">
  <mptr LOCTYPE="URL" xlink:type="simple" xlink:href="{REP}" xlink:title="grep"/></div>
</div></structMap>
</mets>
"""


def _representation() -> str:
    """METS of the representation, whose paths begin at its own folder."""
    base = "representations/rep1/"
    files = {path.removeprefix(base): text for path, text in FILES.items() if path.startswith(base)}
    premis = "metadata/preservation/premis.xml"
    return f"""<mets {NAMESPACES} OBJID="rep1" TYPE="Mixed" csip:CONTENTINFORMATIONTYPE="MIXED"
 PROFILE="https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-2-0.xml">
{_header("")}
<amdSec><digiprovMD ID="prov1" STATUS="CURRENT">{_md(files, premis, "PREMIS")}</digiprovMD></amdSec>
<fileSec ID="files">{_group(files, "gdata", "Data", "data/letter 1.txt", OTHER)}</fileSec>
<structMap ID="map" TYPE="PHYSICAL" LABEL="CSIP"><div ID="main" LABEL="rep1">
 <div ID="dmeta" LABEL="Metadata" ADMID="prov1"/><div ID="ddata" LABEL="Data"><fptr FILEID="gdata"/></div>
</div></structMap></mets>
"""


def _header(more: str) -> str:
    return f"""<metsHdr CREATEDATE="2026-01-01T00:00:00Z" LASTMODDATE="2026-02-01T00:00:00Z" {more}
 csip:OAISPACKAGETYPE="SIP">
 <agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE"><name>By hand</name>
  <note csip:NOTETYPE="SOFTWARE VERSION">1.0</note></agent>
 <agent ROLE="ARCHIVIST" TYPE="ORGANIZATION"><name>The library</name>
  <note csip:NOTETYPE="IDENTIFICATIONCODE">L-1</note></agent>
 <agent ROLE="CREATOR" TYPE="ORGANIZATION"><name>The agency</name>
  <note csip:NOTETYPE="IDENTIFICATIONCODE">A-1</note></agent>
 <agent ROLE="PRESERVATION" TYPE="ORGANIZATION"><name>The archive</name>
  <note csip:NOTETYPE="IDENTIFICATIONCODE">P-1</note></agent>
 <altRecordID TYPE="SUBMISSIONAGREEMENT">agreement 1</altRecordID>
</metsHdr>"""


def _md(files: Mapping[str, str], path: str, kind: str) -> str:
    said = _said(files[path], "text/xml")
    return f'<mdRef LOCTYPE="URL" xlink:type="simple" xlink:href="{path}" MDTYPE="{kind}" {said}/>'


def _group(files: Mapping[str, str], identifier: str, use: str, *paths: str) -> str:
    found = "".join(
        f'<file ID="{identifier}{number}" {_said(files[path], "text/plain")} sip:FILEFORMATNAME="Text">'
        f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{path.replace(" ", "%20")}"/></file>'
        for number, path in enumerate(paths)
    )
    return f'<fileGrp ID="{identifier}" USE="{use}" csip:CONTENTINFORMATIONTYPE="MIXED">{found}</fileGrp>'


def _said(text: str, mime: str) -> str:
    data = text.encode()
    return (
        f'MIMETYPE="{mime}" SIZE="{len(data)}" CREATED="2026-01-01T00:00:00Z"'
        f' CHECKSUM="{sha256(data).hexdigest().upper()}" CHECKSUMTYPE="SHA-256"'
    )
