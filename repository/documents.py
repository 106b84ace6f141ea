"""What a producer is given: a receipt for what was accepted, a report on what was not, as JSON and as a page of HTML.

They lie in work/reports beside the findings and the list of files. Pages hold no scripts, and everything from outside
is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ingest.terms import Terms

if TYPE_CHECKING:
    from ingest.delivery import Receipt

Json = dict[str, Any]

_TITLES = {"accepted": "Receipt", "held": "Held for a decision", "rejected": "Report", "returned": "Report",
           "cancelled": "Report"}  # fmt: skip
_FACTS = (
    ("accession", "Accession"), ("outcome", "Outcome"), ("decided", "Decided"), ("title", "Title"),
    ("producer", "Producer"), ("received", "Received"), ("agreement", "Agreement"), ("extent", "Extent"),
    ("rights", "Rights"), ("restrictions", "Restrictions"), ("kind", "Kind of package"), ("files", "Files"),
    ("bytes", "Bytes"), ("aip", "AIP"), ("version", "Version"), ("record", "Digest of its record"),
    ("list", "Digest of the list of files"),
)  # fmt: skip
_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title $accession</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
th { text-align: left; vertical-align: top; padding-right: 1em; white-space: nowrap }
td { overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>$title: accession $accession</h1>
<table>
$facts
</table>
<h2>Why</h2>
<ul>
$because
</ul>
<h2>Findings</h2>
$findings
<p>$files</p>
</body>
</html>
""")


def told(receipt: Receipt, terms: Terms) -> Json:
    """What a producer is told of a delivery: nothing of where it lies here."""
    findings = [
        {"code": one.code, "severity": one.severity.value, "path": one.path, "message": one.message}
        for one in receipt.findings
    ]
    return {
        "accession": receipt.accession, "outcome": receipt.outcome, "decided": receipt.decided, "title": receipt.title,
        "producer": receipt.producer, **terms.told(), "kind": receipt.kind, "files": receipt.files,
        "bytes": receipt.size, "aip": receipt.aip or None, "version": receipt.version or None,
        "record": str(receipt.record) if receipt.record else None, "list": str(receipt.content),
        "because": list(receipt.because), "findings": findings, "findings_total": receipt.findings_total,
    }  # fmt: skip


def page(told: Mapping[str, Any]) -> str:
    """The page of a document."""
    return _PAGE.substitute(
        title=escape(_TITLES.get(str(told.get("outcome")), "Report")),
        accession=escape(str(told["accession"])),
        facts="\n".join(_facts(told)),
        because="\n".join(f"<li>{escape(str(reason))}</li>" for reason in told.get("because", [])),
        findings=_findings(told.get("findings", []), told.get("findings_total", 0)),
        files=f"All files with their SHA-256: {escape(str(told['accession']))}.sha256, beside this page.",
    )


def _facts(told: Mapping[str, Any]) -> Iterator[str]:
    for name, label in _FACTS:
        if (value := told.get(name)) not in (None, ""):
            shown = f"{value:,}" if isinstance(value, int) else str(value)
            yield f"<tr><th>{label}</th><td>{escape(shown)}</td></tr>"


def _findings(found: Sequence[Mapping[str, str]], total: int) -> str:
    if not found:
        return "<p>None.</p>"
    rows = (
        "<tr>" + "".join(f"<td>{escape(one[name])}</td>" for name in ("severity", "code", "path", "message")) + "</tr>"
        for one in found
    )
    more = f"<p>The first {len(found):,} of {total:,}; all are in the file that ends in .jsonl.</p>"
    return "<table>\n" + "\n".join(rows) + "\n</table>" + more * (total > len(found))


def page_of(reports: Path, accession: str) -> Path:
    """Where the page on an accession lies."""
    return reports / f"{accession}.html"


def write(reports: Path, told: Json) -> None:
    """Write a document in both forms; an earlier one is replaced."""
    reports.mkdir(exist_ok=True)
    path = page_of(reports, told["accession"])
    path.with_suffix(".json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    path.write_text(page(told), "utf-8")


def read(reports: Path, accession: str) -> Json:
    """What was told before; nothing but its number where that is lost."""
    with suppress(OSError, ValueError):
        told = json.loads(page_of(reports, accession).with_suffix(".json").read_text("utf-8"))
        if isinstance(told, dict):
            return told
    return {"accession": accession}
