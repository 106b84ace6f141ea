"""PREMIS that was written is read back, whatever the names, and is what the Library of Congress's schema wants."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from storage import names, premis
from storage.digest import sha256
from storage.premis import Agent, File, Happening
from storage.premis_read import read
from tests import strategies

AIP = "urn:uuid:0190a5f2-7c11-7b4e-8f1a-2b3c4d5e6f70"
ROOT = Path(__file__).parents[2]


def written(files: Sequence[File], events: Sequence[Happening], agents: Sequence[Agent]) -> list[bytes]:
    return [b"".join(parts) for parts in premis.segments(AIP, files, events, agents)]


@cache
def schema() -> etree.XMLSchema:
    path = ROOT / os.environ.get("TIANYI_SHARED", "../shared") / "schemas" / "premis-v3-0.xsd"
    if not path.is_file():
        pytest.skip("no schemas")
    xlink = (path.parent / "xlink.xsd").as_uri()
    text = path.read_text().replace("http://www.loc.gov/standards/xlink/xlink.xsd", xlink)
    return etree.XMLSchema(etree.fromstring(text.encode(), etree.XMLParser(no_network=True), base_url=path.as_uri()))


@given(st.lists(strategies.files, max_size=3), st.lists(strategies.happenings, max_size=2))
def test_what_was_written_is_read_back(files: list[File], events: list[Happening]) -> None:
    found = list(chain.from_iterable(read(io.BytesIO(data)) for data in written(files, events, [])))
    assert found == [*files, *events]


@settings(max_examples=40)
@given(st.lists(strategies.files, max_size=2), st.lists(strategies.happenings, max_size=2), strategies.agents)
def test_what_was_written_is_valid(files: list[File], events: list[Happening], agent: Agent) -> None:
    for data in written(files, events, [agent]):
        schema().assertValid(etree.fromstring(data))


@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_rights_are_valid_and_hide_no_event(agreement: str, note: str, restrictions: str) -> None:
    event = Happening(id="e", type="ingestion end", time="2026-03-01T00:00:00Z", outcome="accepted")
    rights = [premis.Rights("r", agreement, note, restrictions)]
    [parts] = premis.segments(AIP, [], [event], [], rights)
    data = b"".join(parts)
    schema().assertValid(etree.fromstring(data))
    assert list(read(io.BytesIO(data))) == [event]


def test_hostile_names_are_read_back_and_valid() -> None:
    files = [
        File(
            path=f"data/{names.bag_component(name)}", size=1, digests=(sha256(name),), formats=(), mime="", basis="",
            original_name=names.escape(name),
        )
        for name in strategies.HOSTILE
    ]  # fmt: skip
    [data] = written(files, [], [])
    assert list(read(io.BytesIO(data))) == files
    schema().assertValid(etree.fromstring(data))


def test_segments_are_bounded_and_the_first_has_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(premis, "OBJECTS", 3)
    files = [File(path=f"data/{n}", size=n, digests=(sha256(),), formats=(), mime="m", basis="b") for n in range(5)]
    event = Happening(id="1", type="validation", time="2026-03-01T12:00:00Z")
    segments = written(files, [event], [])
    assert [list(read(io.BytesIO(data))) for data in segments] == [[*files[:2], event], files[2:]]
    assert [data.count(b"<premis:object ") for data in segments] == [3, 3]  # the AIP itself is one of them
    assert [len(written(files[:n], [], [])) for n in (0, 1, 3, 4)] == [0, 1, 1, 2]


def test_what_is_not_premis_is_refused() -> None:
    for data in (b"", b"<premis", b"\0" * 40):
        with pytest.raises(ValueError, match="not well-formed"):
            list(read(io.BytesIO(data)))


def test_a_digest_by_an_unknown_algorithm_is_refused() -> None:
    file = File(path="data/a", size=1, digests=(sha256(b"a"),), formats=(), mime="", basis="")
    [data] = written([file], [], [])
    with pytest.raises(ValueError, match="SHA-000"):
        list(read(io.BytesIO(data.replace(b"SHA-256", b"SHA-000"))))


PLAIN = File(path="data/a", size=1, digests=(sha256(),), formats=(), mime="text/plain", basis="signature")
[WHOLE] = written(
    [PLAIN], [Happening(id="e", type="validation", time="2026-03-01T12:00:00Z")], [Agent(id="a", name="b", kind="c")]
)
LINE = next(line for line in WHOLE.splitlines(keepends=True) if b"data/a" in line)
FILE_TAG = b'xsi:type="premis:file"'


@pytest.mark.parametrize(
    "forged",
    [
        WHOLE.replace(LINE, b"<!-- forged\n" + LINE + b"-->\n"),
        WHOLE.replace(LINE, b"<premis:event></premis:event><!-- </premis:event>\n" + LINE + b"-->\n"),
        WHOLE.replace(LINE, b"<premis:note><![CDATA[\n" + LINE + b"]]></premis:note>\n"),
        WHOLE.replace(LINE, b"<premis:event></premis:event><?php </premis:event>\n" + LINE + b"?>\n"),
        WHOLE.replace(b"premis/v3", b"premis/v4"),
        WHOLE + LINE,
        LINE + WHOLE,
        WHOLE.replace(b"<premis:event>", b"<premis:event a='</premis:event>\n" + LINE + b"'>"),
        WHOLE.replace(b"text/plain", "text/\uffff".encode()),
        WHOLE.replace(b"text/plain", b"text/]]>"),
        WHOLE.replace(b"text/plain", b"text/&quot;"),
        WHOLE.replace(b"AIP and bag", b"AIP \xff bag"),
        WHOLE.replace(b"SHA-256", b"SHA-255"),
        WHOLE.replace(b"UTF-8", b"ISO-8859-1").replace(b"text/plain", "text/é".encode()),
    ],
)
def test_what_is_no_file_to_an_xml_parser_is_none(forged: bytes) -> None:
    """In a comment, in another element, beside the root, or not well-formed: the same as with every line parsed."""
    parsed = forged.replace(FILE_TAG, FILE_TAG + b" ")  # which no expression takes
    assert outcome(forged) == outcome(parsed)


def outcome(data: bytes) -> list[File | Happening] | str:
    try:
        return list(read(io.BytesIO(data)))
    except ValueError:
        return "refused"
