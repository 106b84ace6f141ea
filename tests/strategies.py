"""Values for properties: each strategy gives what its rule allows, hostile ones among them."""

from __future__ import annotations

from hypothesis import strategies as st

from storage import names
from storage.aip import Record
from storage.digest import LENGTHS, Digest, sha256
from storage.event import Event
from storage.manifest import Line
from storage.namemap import Kind, Named
from storage.premis import Agent, File, FormatName, Happening

HOSTILE = [
    b"=", b"==", b"=41", b"==~x", b"~", b"~root", b"a ", b" a", b"\t", b"\n", b"\r\n", b"a\r", b"%0A", b"%25", b"100%",
    b"caf\xe9", "café".encode(), "cafe\u0301".encode(), "\u2028".encode(), "\x85".encode(), b"\x7f",
    b"*", b"a\\b", b"C:", b"$HOME", b"#", b"<&>", b"]]>", "\ufffe".encode(), "\U0001f600".encode(),
    b"\xed\xa0\x80",
    b"x" * 255, b"\xff" * 85, b"\xff" * 255, "\u6d59".encode() * 85, b"%" * 255, b"-rf", b"data", "\ufeff".encode(),
]  # fmt: skip

digests = st.sampled_from(sorted(LENGTHS)).flatmap(
    lambda name: st.binary(min_size=(n := LENGTHS[name] // 2), max_size=n).map(lambda raw: Digest(name, raw.hex()))
)
sha256s = st.binary(max_size=8).map(sha256)

_byte = st.integers(1, 255).filter(lambda byte: byte != ord("/"))
components = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(_byte, min_size=1, max_size=255).map(bytes),
    st.text(min_size=1, max_size=60)
    .map(lambda text: text.encode("utf-8", "surrogatepass").replace(b"/", b"").replace(b"\0", b""))
    .filter(bool),
).filter(lambda component: component not in (b".", b".."))
"""One component of a path as file systems give it: any bytes but "/" and NUL, 255 at most from us."""

bag_paths = st.lists(components.map(names.bag_component), min_size=1, max_size=3).map("/".join).map("data/{}".format)
lines = st.builds(Line, bag_paths, sha256s)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_keys = st.text(st.characters(max_codepoint=127), max_size=8)
_whole = st.integers(-(2**53) + 1, 2**53 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | _whole | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)

_times = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
_uuids = st.uuids(version=4).map(str)

records = st.builds(
    Record, aip=_uuids.map("urn:uuid:{}".format), version=st.integers(1, 10**6), accession=texts, created=_times,
    agent=texts, reason=st.sampled_from(["ingestion", "migration"]), files=st.integers(0, 2**40),
    size=st.integers(0, 2**53 - 1), tagmanifest=sha256s, previous=st.none() | sha256s,
)  # fmt: skip

events = st.builds(
    Event, time=_times, type=texts, agent=texts, object=texts, outcome=texts,
    detail=st.dictionaries(_keys, json_values, max_size=4),
)  # fmt: skip

named = st.builds(
    Named, kind=st.just(Kind.FILE), name=components, path=bag_paths, mode=st.none() | st.integers(0, 0o7777),
    mtime=st.none() | st.integers(-(2**63), 2**63), target=st.just(b""),
) | st.builds(Named, kind=st.just(Kind.LINK), name=components, path=st.just(""), target=components)  # fmt: skip

_formats = st.builds(FormatName, texts.filter(bool), texts, st.from_regex(r"x?-?fmt/[1-9][0-9]{0,3}", fullmatch=True))
_plain = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=30)

files = st.builds(
    File, path=bag_paths, size=st.integers(0, 2**53), digests=st.lists(digests, min_size=1, max_size=3).map(tuple),
    formats=st.lists(_formats.filter(lambda f: (f.name + f.version).isprintable()), max_size=2).map(tuple),
    mime=_plain, basis=_plain, original_name=components.map(names.escape_path), derived_from=st.just("") | bag_paths,
    event=_uuids, properties=st.just(()),
).map(lambda file: file if file.derived_from else file._replace(event=""))  # fmt: skip

_told = _plain.filter(str.strip)
agents = st.builds(Agent, id=_told, name=_told, kind=st.just("software"), version=_plain)
happenings = st.builds(
    Happening, id=_uuids, type=st.just("ingestion end"), time=st.just("2026-03-01T12:00:00Z"), detail=_plain,
    outcome=_plain, note=_plain, agents=st.lists(_plain, max_size=2).map(tuple),
    objects=st.lists(st.just("") | bag_paths, min_size=1, max_size=2).map(tuple),
)  # fmt: skip
