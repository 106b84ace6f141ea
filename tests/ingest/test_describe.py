"""Dublin Core as JSON and CSV: what is understood, and what is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.describe import ELEMENTS, parse, read
from ingest.errors import NoSuchPackage, NotMetadata

CORE = {"title": ("A title",), "subject": ("harbours", "港口")}


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "A title", "subject": ["harbours", "港口"]}',
        '{"dc:title": " A title ", "dcterms.Subject": ["harbours", "", "港口"], "rights": ""}',
        '\ufeff{"title": ["A title"], "subject": ["harbours", "港口"]}',
    ],
)
def test_json(text: str) -> None:
    assert parse(text.encode(), "dc.JSON") == CORE


@pytest.mark.parametrize(
    "text",
    [
        "title,subject,subject\nA title,harbours,港口\n",
        "element,value\ntitle,A title\nsubject,harbours\nsubject,港口\n",
        "\ufeffdc.title,A title\r\ndc.subject,harbours\r\ndc.subject,港口\r\n",
        '"title","A title"\n\n"subject","harbours"\n"subject","港口"\n',
    ],
)
def test_csv(text: str) -> None:
    assert parse(text.encode(), "dc.csv") == CORE


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("dc.json", b""), ("dc.json", b"[]"), ("dc.json", b'"title"'), ("dc.json", b'{"colour": "red"}'),
        ("dc.json", b'{"title": {"en": "x"}}'), ("dc.json", b'{"title": null}'), ("dc.json", b'{"title": "\xff"}'),
        ("dc.json", b'{"title": "\\ud800"}'), ("dc.json", b"[" * 100_000), ("dc.csv", b""), ("dc.csv", b"title\n"),
        ("dc.csv", b"title,subject\na,b,c\n"), ("dc.csv", b'title,"a\nb'), ("dc.csv", b"\xff\xfe,x\n"),
    ],
)  # fmt: skip
def test_what_is_no_metadata(name: str, data: bytes) -> None:
    with pytest.raises(NotMetadata) as refused:
        parse(data, name)
    assert name in str(refused.value)
    assert refused.value.next


@given(st.dictionaries(st.sampled_from(sorted(ELEMENTS)), st.lists(st.text(min_size=1), min_size=1, max_size=3)))
def test_json_says_the_same_as_it_was_told(core: dict[str, list[str]]) -> None:
    told = {element: tuple(v.strip() for v in values if v.strip()) for element, values in core.items()}
    try:
        found = parse(json.dumps(core, ensure_ascii=True).encode(), "dc.json")
    except NotMetadata:
        assert any("\ud800" <= c <= "\udfff" for values in core.values() for value in values for c in value)
    else:
        assert found == {element: values for element, values in told.items() if values}


def test_the_file_itself(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPackage):
        read(tmp_path / "dc.json")
    with pytest.raises(NotMetadata):
        read(tmp_path)
    (tmp_path / "dc.csv").write_text("title,A title\n")
    assert read(tmp_path / "dc.csv") == (b"title,A title\n", {"title": ("A title",)})
