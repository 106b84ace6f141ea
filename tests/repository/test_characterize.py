"""Format tools at ingest and later: what they say is kept as PREMIS and as it came, and a rebuild knows the same."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from ingest import characterization, characterization_told
from repository import Repository
from repository.job import carry_out
from storage import layout
from storage.aip import parse_aip
from storage.digest import Digest
from storage.progress import Progress
from tests.conftest import Corpus, Tianyi
from tests.storage.test_premis import schema

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "accession"
NS = {"p": "http://www.loc.gov/premis/v3"}
MINE = """
tools:
  - name: mine
    puids: [fmt/817, fmt/1311]
    command: [grep, -q, ships, "{file}"]
    version: [grep, --version]
    malformed: [1]
"""


def policy(repository: Path, text: str, name: str = "ingest") -> None:
    (repository / "policies" / f"{name}.yaml").write_text(text)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A picture twice, a broken one, JSON, and text that no tool knows."""
    folder = tmp_path / "source"
    folder.mkdir()
    shutil.copy(SAMPLES / "Pictures" / "seal.png", folder / "a.png")
    shutil.copy(SAMPLES / "Pictures" / "seal.png", folder / "b.png")
    (folder / "broken.png").write_bytes((SAMPLES / "Pictures" / "seal.png").read_bytes()[:-20])
    shutil.copy(SAMPLES / "Registers" / "ships.json", folder / "ships.json")
    (folder / "note.txt").write_text("a note")
    return folder


def bagged(repository: Path, aip: str, version: int, pattern: str) -> dict[str, bytes]:
    """The files of a version's bag whose names fit, with their bytes."""
    with Repository.open(repository) as opened:
        record = opened.vault.record(parse_aip(aip), version)
        lines = [line for line in opened.vault.payload(record) if re.search(pattern, line.path)]
        return {line.path.rpartition("/")[2]: opened.vault.read(line.digest) for line in lines}


def judged(tianyi: Tianyi, repository: Path, aip: str) -> dict[str, str]:
    rows = tianyi("files", aip, at=repository).rows
    return {row["original_name"]: row["judged"] for row in rows if row["original_name"]}


def exceptions() -> dict[str, str]:
    """The cases that docs/format-cases.md names, with what becomes of them."""
    _, well, none = (ROOT / "docs" / "format-cases.md").read_text("utf-8").split("\n## ")
    named = {"well_formed": well, "not_checked": none}
    return {case: outcome for outcome, text in named.items() for case in re.findall(r"`([^`]+/[^`]+)`", text)}


def test_real_files_are_judged_as_their_names_say(tianyi: Tianyi, repository: Path, corpus: Corpus) -> None:
    policy(repository, "examine: full\n")
    source = corpus("formats") / "cases" / "tests" / "data"
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["outcome"]) == (0, "accepted")
    found, known = judged(tianyi, repository, answer.said["aip"]), exceptions()
    expected = {case: "well_formed" if "/valid_" in case else "malformed" for case in found} | known
    assert {case: outcome for case, outcome in found.items() if outcome != expected[case]} == {}
    assert known.keys() <= found.keys()
    by_format = Counter((case.partition("/")[0], outcome) for case, outcome in found.items())
    assert by_format["application_pdf", "well_formed"] == 11
    premis = bagged(repository, answer.said["aip"], 1, r"premis-v1-")
    for data in premis.values():
        schema().assertValid(etree.fromstring(data))
    assert tianyi("audit", at=repository).code == 0


def test_at_ingest_the_policy_decides_by_what_tools_say(tianyi: Tianyi, repository: Path, source: Path) -> None:
    quick = tianyi("ingest", source, at=repository).said
    assert set(judged(tianyi, repository, quick["aip"]).values()) == {"not_checked"}
    policy(repository, "examine: full\nfindings: {codes: {malformed: hold}}\n")
    held = tianyi("ingest", source, at=repository)
    assert (held.code, held.said["outcome"]) == (6, "held")
    told = {found["code"]: found["message"] for found in held.said["findings"]}
    assert told["malformed"].startswith("It is not well-formed fmt/1")
    assert told["not-checked"].startswith("Not checked (1): no tool knows x-fmt/111")
    taken = tianyi("accept", held.said["accession"], "--reason", "nothing better is to be had", at=repository).said
    expected = {"a.png": "well_formed", "b.png": "well_formed", "broken.png": "malformed",
                "note.txt": "not_checked", "ships.json": "well_formed"}  # fmt: skip
    assert judged(tianyi, repository, taken["aip"]) == expected
    shown = tianyi("show", taken["aip"], at=repository).said["judged"]
    assert shown == {"well_formed": 3, "malformed": 1, "not_checked": 1}


def test_what_tools_say_is_kept(
    tianyi: Tianyi, repository: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(characterization_told, "SEGMENT", 2)
    monkeypatch.setattr(characterization, "CHUNK_FILES", 1)
    policy(repository, MINE, "tools")
    policy(repository, "examine: full\n")
    aip = tianyi("ingest", source, at=repository).said["aip"]
    premis = bagged(repository, aip, 1, "premis-v1-")
    assert list(premis) == [f"premis-v1-000{number}.xml" for number in (1, 2, 3)]
    trees = [etree.fromstring(data) for data in premis.values()]
    for tree in trees:
        schema().assertValid(tree)
        agents = {one.text for one in tree.iterfind(".//p:agentIdentifierValue", NS)}
        assert {one.text for one in tree.iterfind(".//p:linkingAgentIdentifierValue", NS)} <= agents
    objects = {one.findtext("p:originalName", "", NS): one for one in trees[0].iterfind("p:object", NS)}
    properties = {one[0].text: one[1].text for one in objects["a.png"].iterfind("p:significantProperties", NS)}
    assert (properties["width"], properties["height"], properties["frames"]) == ("96", "96", "1")
    events = [one for tree in trees for one in tree.iterfind("p:event", NS)]
    told = Counter(one.findtext(".//p:eventOutcome", "", NS) for one in events
                   if one.findtext("p:eventType", "", NS) == "validation")  # fmt: skip
    assert told == {"well-formed": 4, "malformed": 1}  # ships.json by two tools
    [output] = bagged(repository, aip, 1, "tools-v1-").values()
    lines = [json.loads(line) for line in output.splitlines()]
    assert Counter(line["tool"] for line in lines) == {"pictures": 2, "json": 1, "mine": 1}  # a blob once
    assert {line["version"][:10] for line in lines if line["tool"] == "mine"} == {"grep (GNU "}
    happened = [row for row in tianyi("events", aip, at=repository).rows if row["type"] == "metadata extraction"]
    assert [row["outcome"] for row in happened] == ["fail"]


def test_later_an_aip_gets_a_version(tianyi: Tianyi, repository: Path, source: Path) -> None:
    shutil.copy(SAMPLES / "Pictures" / "BMP" / "seal.bmp", source)
    aip = tianyi("ingest", source, at=repository).said["aip"]
    before = {row["path"]: row["digest"] for row in tianyi("files", aip, at=repository).rows}
    planned = tianyi("characterize", "--dry-run", at=repository).said
    assert (planned["files"], planned["tools"], planned["no_tool"]) == (6, {"pictures": 4, "json": 1}, 1)
    done = tianyi("characterize", at=repository)
    counts = {"aip": aip, "version": 2, "well_formed": 4, "malformed": 1, "not_checked": 1}
    assert (done.code, done.said.items() >= counts.items()) == (0, True)
    assert {row["path"]: row["digest"] for row in tianyi("files", aip, at=repository).rows} == before
    for data in bagged(repository, aip, 2, "premis-v2-").values():
        schema().assertValid(etree.fromstring(data))
    assert tianyi("characterize", at=repository).rows == []  # nothing is due
    assert carry_out(repository, "characterize").detail["versions"] == 0
    assert all(row["equal"] for row in tianyi("migrate", "run", at=repository).rows)
    assert tianyi("characterize", at=repository).said["well_formed"] == 1  # what migration made, alone
    again = tianyi("characterize", aip, at=repository).said
    assert (again["version"], again["well_formed"]) == (5, 5)
    shown = tianyi("show", aip, at=repository).said
    tianyi("rebuild", at=repository)
    assert tianyi("show", aip, at=repository).said == shown
    assert shown["judged"] == {"well_formed": 5, "malformed": 1, "not_checked": 1}
    assert [one["reason"] for one in shown["history"]] == [
        "ingestion", "characterization", "migration", "characterization", "characterization",
    ]  # fmt: skip
    assert tianyi("audit", at=repository).code == 0
    assert tianyi("characterize", "2020-0001", at=repository).code == 4


def test_what_no_copy_has_whole_is_not_checked(
    tianyi: Tianyi, repository: Path, source: Path, copies: tuple[Path, Path]
) -> None:
    aip = tianyi("ingest", source, at=repository).said["aip"]
    [row] = [row for row in tianyi("files", aip, at=repository).rows if row["original_name"] == "ships.json"]
    for copy in copies:
        path = copy / layout.blob_key(Digest.parse(row["digest"]))
        path.chmod(0o644)
        path.write_bytes(b"{}".ljust(row["size"]))  # as well-formed as before
    assert tianyi("characterize", at=repository).said["not_checked"] == 2
    assert judged(tianyi, repository, aip)["ships.json"] == "not_checked"
    [output] = bagged(repository, aip, 2, "tools-v2-").values()
    assert b"no copy has it whole" in output


def test_an_ingest_that_was_cut_short_among_the_tools_goes_on(
    tianyi: Tianyi, repository: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stops(Progress):
        def begin(self, what: str, files: int, size: int) -> None:
            self.stops = what == "Checking formats"

        def advance(self, files: int, size: int) -> None:
            if self.stops:
                raise KeyboardInterrupt

        def end(self) -> None: ...

    policy(repository, "examine: full\n")
    with Repository.open(repository, progress=Stops()) as opened, pytest.raises(KeyboardInterrupt):
        opened.ingest(source)
    read: list[object] = []
    monkeypatch.setattr("ingest.examine._read", lambda *given: read.append(given))
    answer = tianyi("ingest", "--resume", at=repository)
    assert (answer.code, answer.said["outcome"], read) == (0, "accepted", [])  # all of it was settled
    assert judged(tianyi, repository, answer.said["aip"])["broken.png"] == "malformed"
    assert tianyi("audit", at=repository).said["extra"] == 0


def test_an_aip_that_cannot_be_read_stops_no_other(
    tianyi: Tianyi, repository: Path, source: Path, copies: tuple[Path, Path]
) -> None:
    first, second = (tianyi("ingest", source, at=repository).said["aip"] for _ in range(2))
    rows = tianyi("files", first, "--all", at=repository).rows
    [digest] = [row["digest"] for row in rows if row["path"] == "manifest-sha256.txt"]
    for copy in copies:
        (copy / layout.blob_key(Digest.parse(digest))).unlink()
    done = tianyi("characterize", at=repository)
    assert (done.code, [(row["aip"], row["version"]) for row in done.rows]) == (6, [(first, None), (second, 2)])
    assert "manifest" in done.rows[0]["why"] or digest[7:] in done.rows[0]["why"]
    run = carry_out(repository, "characterize")
    assert (run.outcome, run.detail["left"], run.detail["versions"]) == ("incomplete", 1, 0)
