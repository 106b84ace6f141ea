"""Names are bytes: whatever came is kept, and what stands for it offends nobody."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import bagit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import bag, manifest, names
from storage.digest import sha256
from storage.manifest import Line
from tests.strategies import HOSTILE, components

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_hostile = pytest.mark.parametrize("component", HOSTILE, ids=repr)


@_hostile
def test_hostile_names_come_back(component: bytes) -> None:
    _comes_back(component)


@given(components)
def test_any_name_comes_back(component: bytes) -> None:
    _comes_back(component)


def _comes_back(component: bytes) -> None:
    text = names.escape(component)
    assert names.unescape(text) == component
    assert NOT_XML.search(text) is None
    assert "/" not in text
    text.encode("utf-8")


@given(st.lists(components, max_size=4))
def test_a_path_comes_back(parts: list[bytes]) -> None:
    path = b"/".join(parts)
    assert names.unescape_path(names.escape_path(path)) == path


@given(components, components)
def test_no_two_names_become_one(one: bytes, other: bytes) -> None:
    for made in (names.escape, names.bag_component, lambda raw: names.portable_component(names.bag_component(raw))):
        assert (made(one) == made(other)) == (one == other)


@given(components)
def test_a_component_in_a_bag_fits_a_file_system(component: bytes) -> None:
    text = names.bag_component(component)
    assert 1 <= len(text.encode()) <= 255
    assert 1 <= len(names.portable_component(text).encode()) <= 255
    line = manifest.format_line(Line(f"data/{text}", sha256(b"")))
    assert (line.count(b"\n"), line.count(b"\r")) == (1, 0)


@given(components)
def test_escaping_is_seen_only_where_it_must_be(component: bytes) -> None:
    """A name that is UTF-8 without controls and does not begin with "=" is kept as it is."""
    text = component.decode("utf-8", "replace")
    if text.encode() == component and text.isprintable() and not text.startswith("="):
        assert names.escape(component) == text


@given(components)
def test_a_portable_name_is_portable_already(component: bytes) -> None:
    text = names.portable_component(names.bag_component(component))
    assert text == text.strip()
    assert not set(text) & set("%\n\r")


@settings(max_examples=30)
@given(st.lists(components, min_size=1, max_size=6))
def test_the_bagit_library_can_check_portable_names(found: list[bytes]) -> None:
    _checks(found)


def test_the_bagit_library_can_check_every_hostile_name() -> None:
    _checks(HOSTILE)


def _checks(found: list[bytes]) -> None:
    """A bag with these names is valid for the `bagit` library."""
    paths = sorted({f"data/{names.portable_component(names.bag_component(name))}" for name in found})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "data").mkdir()
        for path in paths:
            (root / path).write_bytes(path.encode())
        lines = (manifest.format_line(Line(path, sha256(path.encode()))) for path in paths)
        (root / bag.MANIFEST).write_bytes(b"".join(lines))
        (root / bag.BAGIT).write_bytes(bag.DECLARATION)
        assert bagit.Bag(folder).validate()
