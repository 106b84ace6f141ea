"""Flat OpenDocument: one XML text that LibreOffice turns into any office format.

OpenDocument 1.3 part 3, section 3.1.2 (`office:document`). Stdlib only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from words import HEADINGS, SHIPS, Ship, Text

MIME = "application/vnd.oasis.opendocument."
SPACES = " ".join(
    f'xmlns:{name}="{space}"'
    for name, space in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
        "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
        "of": "urn:oasis:names:tc:opendocument:xmlns:of:1.2",
        "dc": "http://purl.org/dc/elements/1.1/",
    }.items()
)
LANGUAGE = {
    "en": 'fo:language="en" fo:country="GB"',
    "zh": 'style:language-asian="zh" style:country-asian="CN"',
}
STYLES = """
<office:font-face-decls>
 <style:font-face style:name="Latin" style:font-family="Liberation Serif"/>
 <style:font-face style:name="Han" style:font-family="WenQuanYi Micro Hei"/>
</office:font-face-decls>
<office:styles>
 <style:default-style style:family="paragraph">
  <style:text-properties style:font-name="Latin" style:font-name-asian="Han" fo:font-size="11pt"
   style:font-size-asian="11pt" {language}/>
 </style:default-style>
 <style:style style:name="Body" style:family="paragraph">
  <style:paragraph-properties fo:margin-bottom="0.3cm" fo:line-height="135%"/>
 </style:style>
 <style:style style:name="Title" style:family="paragraph">
  <style:paragraph-properties fo:margin-bottom="0.2cm"/>
  <style:text-properties fo:font-size="16pt" style:font-size-asian="16pt"/>
 </style:style>
</office:styles>
<office:automatic-styles>
 <style:page-layout style:name="A5">
  <style:page-layout-properties fo:page-width="14.8cm" fo:page-height="21cm" fo:margin="1.8cm"/>
 </style:page-layout>
</office:automatic-styles>
<office:master-styles>
 <style:master-page style:name="Standard" style:page-layout-name="A5"/>
</office:master-styles>
"""


def document(text: Text) -> str:
    """Return a text document: its title, who and when, and its paragraphs."""
    lines = [("Title", text.title), ("Body", f"{text.creator}, {text.date}")]
    lines += [("Body", line) for line in text.paragraphs]
    paragraph = '<text:p text:style-name="{}">{}</text:p>'
    body = "".join(paragraph.format(name, escape(line)) for name, line in lines)
    return flat("text", text, f"<office:text>{body}</office:text>")


def workbook(about: Text) -> str:
    """Return a spreadsheet of the ships, with their dues added up by a formula."""
    last = len(SHIPS) + 1
    total = f'table:formula="of:=SUM([.G2:.G{last}])" office:value-type="float"'
    rows = [row(map(label, HEADINGS)), *(row(cells(ship)) for ship in SHIPS)]
    rows.append(row([label("Total 合计"), *[label("")] * 5, f"<table:table-cell {total}/>"]))
    table = f'<table:table table:name="1987-03">{"".join(rows)}</table:table>'
    return flat("spreadsheet", about, f"<office:spreadsheet>{table}</office:spreadsheet>")


def flat(kind: str, text: Text, body: str) -> str:
    """Return the whole flat document: `kind` is "text" or "spreadsheet"."""
    styles = STYLES.format(language=LANGUAGE[text.language])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {SPACES} office:version="1.3"'
        f' office:mimetype="{MIME}{kind}">{meta(text)}{styles}<office:body>{body}</office:body>'
        "</office:document>"
    )


def meta(text: Text) -> str:
    who, when = escape(text.creator), f"{text.date}T09:00:00"
    return (
        f"<office:meta><dc:title>{escape(text.title)}</dc:title><dc:language>{text.language}"
        f"</dc:language><meta:initial-creator>{who}</meta:initial-creator><dc:creator>{who}"
        f"</dc:creator><meta:creation-date>{when}</meta:creation-date><dc:date>{when}</dc:date>"
        "</office:meta>"
    )


def cells(ship: Ship) -> Sequence[str]:
    words = (label(ship.name), label(ship.chinese), label(ship.berth))
    return number(ship.number), *words, number(ship.tons), label(ship.arrived), number(ship.dues)


def row(cells: Iterable[str]) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def label(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'


def number(value: int) -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
