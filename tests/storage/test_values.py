"""Values survive the way to bytes and back, and bytes that are not theirs are refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage import bundle, manifest, namemap
from storage.aip import Record, parse_record
from storage.canonical import Json, canonical, parse_canonical
from storage.digest import Digest, sha256
from storage.errors import BrokenRecord
from storage.event import Event, parse_event
from storage.intent import Intent, parse_intent
from storage.manifest import Line
from storage.namemap import Kind, Named
from tests import strategies


@given(strategies.digests)
def test_a_digest_survives_the_round_trip(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest
    assert Digest.parse(str(digest).upper().replace(digest.algorithm.upper(), digest.algorithm)) == digest


@pytest.mark.parametrize(
    "text",
    ["", ":", "sha256", "sha256:", "sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha256:" + "g" * 64, "md4:" + "0" * 32,
     "SHA256:" + "0" * 64, "sha256: " + "0" * 63, "sha256:" + "0" * 63 + "\n", "sha256:" + "\uff10" * 64],
)  # fmt: skip
def test_what_is_not_a_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        Digest.parse(text)


@given(strategies.records, st.data())
def test_a_record_survives_and_every_flipped_bit_is_told(record: Record, data: st.DataObject) -> None:
    written = record.to_bytes()
    assert parse_record(written, "key") == record
    bit = data.draw(st.integers(0, len(written) * 8 - 1))
    flipped = bytearray(written)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BrokenRecord):
        parse_record(bytes(flipped), "key")


def test_every_single_bit_of_one_record() -> None:
    digest = sha256(b"")
    record = Record(
        aip="urn:uuid:0190a5f2-7c11-7b4e-8f1a-2b3c4d5e6f70", version=2, accession="2026-0001", agent="uid-0",
        created="2026-03-01T12:00:00Z", reason="migration", files=1, size=0, tagmanifest=digest, previous=digest,
    )  # fmt: skip
    written = record.to_bytes()
    for bit in range(len(written) * 8):
        flipped = bytearray(written)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BrokenRecord):
            parse_record(bytes(flipped), "key")


@pytest.mark.parametrize("cut", [b"", b"{}", b"[]\n", b"null\n", b"\0" * 300, b"[" * 50_000])
def test_what_is_not_a_record_is_broken(cut: bytes) -> None:
    with pytest.raises(BrokenRecord):
        parse_record(cut, "key")


@given(strategies.events)
def test_an_event_survives_the_round_trip(event: Event) -> None:
    data = event.to_bytes()
    assert parse_event(data).to_bytes() == data
    intent = Intent(event, 7, frozenset({"copy-2", "b c"}))
    assert parse_intent(intent.to_bytes()) == intent


def test_an_entry_has_at_most_65535_bytes() -> None:
    event = Event(time="t", type="", agent="", object="", outcome="")
    room = 65_535 - len(event.to_bytes())
    Event(time="t", type="x" * room, agent="", object="", outcome="").to_bytes()
    with pytest.raises(ValueError, match="over 65535"):
        Event(time="t", type="x" * (room + 1), agent="", object="", outcome="").to_bytes()


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 50_000, b'{"v":1}', b'{"v":1}\n', b"\xff"])
def test_what_is_not_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(data)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), strategies.json_values, max_size=5))
def test_canonical_json_is_one_for_each_value(value: dict[str, Json]) -> None:
    data = canonical(value)
    assert parse_canonical(data) == json.loads(data) == json.loads(json.dumps(value))
    assert canonical(dict(reversed(value.items()))) == data
    if value:
        with pytest.raises(ValueError, match="not an object in canonical JSON"):
            parse_canonical(json.dumps(value, indent=1).encode())


def test_canonical_json_as_rfc_8785_has_it() -> None:
    """§3.2.2.2: two-character escapes where there are some, lowercase \\u00xx else; §3.2.3: sorted by UTF-16 units."""
    assert canonical('\b\t\n\f\r"\\/\x00\x1f\x7f\u20ac\U0001f600\u2028') == (
        '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f\u20ac\U0001f600\u2028"'.encode()
    )
    assert canonical({"b": [True, None, -1], "a": {}, "A": "", "\r": 0, "1": 2**53 - 1}) == (
        b'{"\\r":0,"1":9007199254740991,"A":"","a":{},"b":[true,null,-1]}'
    )
    for refused in (1.0, 2**53, {"\u20ac": 1}, b"bytes", {1: 2}, "\ud800", {"digest": sha256(b"")}):
        with pytest.raises(ValueError, match=r"."):
            canonical(refused)  # type: ignore[arg-type]


@given(st.lists(strategies.lines, max_size=5))
@example([Line("data/%0A\n\r%25%", sha256(b""))])
def test_a_manifest_survives_the_round_trip(lines: list[Line]) -> None:
    data = b"".join(map(manifest.format_line, lines))
    assert data.count(b"\n") == len(lines)
    assert b"\r" not in data
    assert list(manifest.parse(data.splitlines(keepends=True))) == lines


@given(st.lists(strategies.named, max_size=5))
def test_the_map_of_names_survives_the_round_trip(entries: list[Named]) -> None:
    data = b"".join(map(namemap.format_line, entries))
    assert data.count(b"\n") == len(entries)
    assert list(namemap.parse_lines(data.splitlines(keepends=True))) == entries


def test_a_map_of_names_that_is_none_is_refused_with_its_line() -> None:
    good = namemap.format_line(Named(kind=Kind.LINK, name=b"a", target=b"b"))
    for line in (b"[]", b"7", b"{", b"{}", b'{"kind": "file"}', b'{"kind": "file", "name": null}', b"[" * 100_000,
                 good.replace(b"link", b"door"), good.replace(b'"YQ=="', b'"Y"')):  # fmt: skip
        with pytest.raises(ValueError, match="line 2 of the map of names"):
            list(namemap.parse_lines([good, line]))


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_bundle_survives_the_round_trip_and_no_cut(entries: list[bytes]) -> None:
    data = bundle.encode(entries)
    assert bundle.decode(data) == entries
    ends = {len(bundle.encode(entries[:n])) for n in range(len(entries) + 1)}
    for cut in set(range(len(data))) - ends:
        with pytest.raises(ValueError, match="cut"):
            bundle.decode(data[:cut])


@given(st.integers(0, 10**9), st.integers(1, 256))
@example(1234067, 256)
def test_a_bundle_key_survives_the_round_trip(number: int, width: int) -> None:
    key = bundle.bundle_key(number, width)
    assert bundle.parse_key(key) == (number, width)
    assert all(part.lstrip("x").removesuffix(".p").isdigit() for part in key.removeprefix(bundle.PREFIX).split("/"))


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [(1234067, 256, "x001/x234/067"), (0, 256, "000"), (999, 1, "999.p/1"), (1000, 255, "x001/000.p/255")],
)
def test_bundle_keys_are_those_of_the_specification(number: int, width: int, path: str) -> None:
    assert bundle.bundle_key(number, width) == f"log/tile/entries/{path}"


@pytest.mark.parametrize(
    "path", ["", "0", "00", "0000", "x000/001", "x00/000", "000.p/256", "000.p/0", "000.p/01", "000.p/999"]
)
def test_other_keys_name_no_bundle(path: str) -> None:
    assert bundle.parse_key(f"log/tile/entries/{path}") is None
