"""Accessions from their number to their end: what they came on, what officers decide, and what producers are given."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from repository import Repository, config
from repository.accession import NEXT, Accession
from repository.documents import page
from repository.errors import AccessionState, NotYourAgent, SourceUnknown, UndeclaredAgent, UnknownAccession
from storage import bag
from storage.aip import parse_aip
from storage.errors import Locked, StorageError
from storage.staging import running
from tests.conftest import Tianyi, tree_of

TERMS = {
    "agreement": "A-17", "rights": "free to read", "restrictions": "closed until 2050", "received": "2026-03-01",
    "extent": "1 disk",
}  # fmt: skip
SAMPLES = Path(__file__).parents[2] / "samples"
HOLD = "findings:\n  codes:\n    format-unknown: hold\n"
ACCEPTED = "accepted: seen by me"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "unknown").write_bytes(b"\x00\xff")
    (folder / "<b>&amp;.txt").write_text("text")
    return folder


@pytest.fixture
def held(tianyi: Tianyi, repository: Path, source: Path) -> str:
    """The number of an accession that is held."""
    (repository / "policies" / "ingest.yaml").write_text(HOLD)
    options = [part for name, said in TERMS.items() for part in (f"--{name}", said)]
    answer = tianyi("ingest", source, "--title", "Letters", *options, at=repository)
    assert (answer.code, answer.said["outcome"]) == (6, "held")
    return str(answer.said["accession"])


def told(tianyi: Tianyi, repository: Path) -> list[tuple[str, str, bool]]:
    rows = tianyi("accessions", at=repository).rows
    assert all({"accession", "state", "aip", "next"} <= row.keys() for row in rows)
    return [(row["state"], row["next"] or "", bool(row["aip"])) for row in rows]


def test_held_accepted_and_on_record(tianyi: Tianyi, repository: Path, source: Path, held: str) -> None:
    before = tree_of(source)
    [(state, step, has_aip)] = told(tianyi, repository)
    assert (state, f"tianyi accept {held}" in step, has_aip) == ("held", True, False)
    assert (tianyi("accept", held, at=repository).code, told(tianyi, repository)[0][0]) == (2, "held")  # no reason
    answer = tianyi("accept", held, "--reason", "seen by me", at=repository)
    assert (answer.code, answer.said["accession"], answer.said["outcome"]) == (0, held, "accepted")
    assert ACCEPTED in answer.said["because"]
    assert told(tianyi, repository) == [("accepted", "", True)]
    shown = tianyi("show", held, at=repository).said
    assert (shown["aip"], shown["title"]) == (answer.said["aip"], "Letters")
    events = tianyi("events", held, at=repository).rows
    said = [(row["outcome"], row["detail"].get("why")) for row in events if row["type"] == "appraisal"]
    assert said == [("held", None), ("approved", "seen by me")]
    again = tianyi("accept", held, "--reason", "twice", at=repository)
    assert (again.code, again.said["code"]) == (5, "accession-state")
    rows = tianyi("accessions", at=repository).rows
    tianyi("rebuild", at=repository)
    assert tianyi("accessions", at=repository).rows == rows  # the ledger knows it all
    assert rows[0]["terms"] == TERMS
    assert tree_of(source) == before


def test_what_is_at_its_end_is_not_accepted_wherever_one_stands(
    tianyi: Tianyi, repository: Path, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tianyi("accept", held, "--reason", "seen", at=repository)
    monkeypatch.chdir(repository.parent)
    for more in ([], ["--from", "."], ["--from", "nowhere"]):
        again = tianyi("accept", held, "--reason", "twice", *more, at=repository)
        assert (again.code, again.said["code"]) == (5, "accession-state")


def test_what_happened_at_one_time_is_told_in_the_ledger_s_order(
    tianyi: Tianyi, repository: Path, source: Path
) -> None:
    (repository / "policies" / "ingest.yaml").write_text(HOLD)
    with Repository(config.load(repository), now=lambda: datetime(2026, 3, 1, tzinfo=UTC)) as opened:
        number = opened.ingest(source).accession
        opened.accept(number, "seen")
        opened.describe(number, SAMPLES / "dc.json")
        told = list(opened.events(number))
    assert len({one.time for one in told}) == 1
    kinds = [one.type if one.source == "ledger" else "in PREMIS" for one in told]
    assert [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before] == [
        "accession", "appraisal", "in PREMIS", "information package creation", "in PREMIS",
        "metadata modification",
    ]  # fmt: skip
    tianyi("rebuild", at=repository)
    with Repository.open(repository) as opened:
        assert list(opened.events(number)) == told


def test_the_terms_are_in_the_aip(tianyi: Tianyi, repository: Path, held: str) -> None:
    urn = tianyi("accept", held, "--reason", "seen", at=repository).said["aip"]
    with Repository.open(repository) as opened:
        [record] = opened.vault.records(parse_aip(urn))
        digests = {line.path: line.digest for line in opened.vault.payload(record)}
        kept = {}
        for name in ("accession-v1.json", "premis-v1-0001.xml"):
            with opened.vault.open(digests[bag.PRESERVATION + name]) as stream:
                kept[name] = stream.read().decode()
    assert json.loads(kept["accession-v1.json"]) == {"accession": held, **TERMS}
    assert all(TERMS[name] in kept["premis-v1-0001.xml"] for name in ("agreement", "rights", "restrictions"))


def test_what_is_accepted_has_to_be_what_was_held(
    tianyi: Tianyi, repository: Path, source: Path, held: str, tmp_path: Path
) -> None:
    good = (source / "sub" / "unknown").read_bytes()
    (source / "sub" / "unknown").write_bytes(b"another")
    answer = tianyi("accept", held, "--reason", "seen", at=repository)
    assert (answer.code, answer.said["code"]) == (5, "not-as-held")
    assert (told(tianyi, repository)[0][0], tianyi("list", at=repository).rows) == ("approved", [])
    (source / "sub" / "unknown").write_bytes(good)
    source.rename(tmp_path / "elsewhere")
    assert tianyi("accept", held, "--reason", "seen", at=repository).said["code"] == "no-such-package"
    moved = tianyi("accept", held, "--reason", "seen", "--from", tmp_path / "elsewhere", at=repository)
    assert (moved.code, moved.said["outcome"]) == (0, "accepted")


def test_where_work_in_flight_is_lost_somebody_says_where_it_lies(
    tianyi: Tianyi, repository: Path, source: Path, held: str
) -> None:
    (repository / "work" / "state.db").unlink()
    with Repository.open(repository) as opened:
        with pytest.raises(SourceUnknown):
            opened.accept(held, "seen")
        assert [one.state for one in opened.accessions()] == ["held"]
    (repository / "work" / "state.db").write_bytes(b"no database of ours" * 99)
    answer = tianyi("accept", held, "--reason", "seen", "--from", source, at=repository)
    assert (answer.code, answer.said["outcome"]) == (0, "accepted")
    assert tianyi("accessions", at=repository).said["terms"] == TERMS


def test_returned(tianyi: Tianyi, repository: Path, held: str) -> None:
    answer = tianyi("return", held, "--reason", "not ours", at=repository)
    assert (answer.code, answer.said["state"], answer.said["because"]) == (0, "returned", ["not ours"])
    report = json.loads((repository / "work" / "reports" / f"{held}.json").read_text())
    assert (report["outcome"], report["because"], report["files"]) == ("returned", ["not ours"], 2)
    assert tianyi("accept", held, "--reason", "after all", at=repository).said["code"] == "accession-state"
    assert tianyi("show", held, at=repository).said["code"] == "not-kept"
    assert tianyi("return", "2026-9999", "--reason", "x", at=repository).code == 4


@pytest.mark.parametrize("end", ["rejected", "returned", "cancelled"])
def test_what_came_to_no_aip_keeps_its_title_in_the_report_alone(
    tianyi: Tianyi, repository: Path, source: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    policy = {"rejected": HOLD.replace("hold", "reject"), "returned": HOLD, "cancelled": ""}[end]
    (repository / "policies" / "ingest.yaml").write_text(policy)
    with monkeypatch.context() as patch:
        if end == "cancelled":
            patch.setattr("ingest.pipeline.take_in", cut)
        tianyi("ingest", source, "--title", "Letters", at=repository)
    [row] = tianyi("accessions", at=repository).rows
    if end != "rejected":
        verb = {"returned": "return", "cancelled": "cancel"}[end]
        assert tianyi(verb, row["accession"], "--reason", "a mistake", at=repository).code == 0
    [row] = tianyi("accessions", at=repository).rows
    assert (row["state"], row["title"]) == (end, "Letters")
    assert "Letters" not in "".join(json.dumps(event) for event in tianyi("events", at=repository).rows)
    for document in (repository / "work" / "reports").iterdir():
        document.unlink()
    assert tianyi("accessions", at=repository).said["title"] is None


def test_an_interrupted_one_can_be_returned_when_nobody_is_at_work_on_it(
    repository: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise StorageError("no more", "make room")

    with Repository.open(repository) as opened:
        monkeypatch.setattr("ingest.pipeline.take_in", full)
        with pytest.raises(StorageError):
            opened.ingest(source)
        [one] = opened.accessions()
        assert (one.state, "tianyi cancel" in one.next) == ("interrupted", True)
        with running(one.accession, repository / "work"):
            assert [one.state for one in opened.accessions()] == ["received"]
            with pytest.raises(Locked):
                opened.give_back(one.accession, "no more")
        assert opened.give_back(one.accession, "no more").state == "returned"


def test_where_agents_are_declared_only_those_decide(repository: Path, source: Path, held: str) -> None:
    config = repository / "tianyi.toml"
    config.write_text(config.read_text() + '[[agents]]\nname = "ann"\nuser = "uid-1"\n')
    for agent, user, error in (("eve", "uid-1", UndeclaredAgent), ("ann", "uid-2", NotYourAgent)):
        with Repository.open(repository, agent=agent, user=user) as opened:
            with pytest.raises(error):
                opened.accept(held, "seen")
            with pytest.raises(error):
                opened.give_back(held, "not ours")
            with pytest.raises(error):
                opened.ingest(source, override="seen")
    with Repository.open(repository, agent="ann", user="uid-1") as opened:
        assert opened.accept(held, "seen").outcome == "accepted"


def test_every_step_that_the_table_has_not_is_refused(repository: Path, held: str) -> None:
    with Repository.open(repository) as opened:
        opened.accept(held, "seen")
        for act in (opened.accept, opened.give_back):
            with pytest.raises(AccessionState):
                act(held, "again")
            with pytest.raises(UnknownAccession):
                act("1999-0001", "never")
    ends = set(NEXT.values()) - {state for state, _ in NEXT}
    assert ends == {"rejected", "returned", "cancelled", "deleted"}


class Elements(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_producer_gets_a_receipt_with_all_digests(tianyi: Tianyi, repository: Path, source: Path) -> None:
    answer = tianyi("ingest", source, "--producer", "<script>alert(1)</script>", at=repository).said
    documents = answer["documents"]
    receipt = json.loads(Path(documents["json"]).read_text())
    known = ("accession", "aip", "outcome", "files", "bytes", "because")
    assert {name: receipt[name] for name in known} == {name: answer[name] for name in known}
    assert receipt["record"].startswith("sha256:")
    seen = Elements(Path(documents["html"]).read_text())
    assert not seen.tags & {"script", "b", "img", "a"}
    assert all(text in seen.text for text in (answer["aip"], receipt["record"], "<script>alert(1)</script>"))
    checked = subprocess.run(["sha256sum", "--check", "--quiet", documents["digests"]], cwd=source, check=False)
    assert checked.returncode == 0


def test_the_producer_gets_a_report_on_what_was_rejected(tianyi: Tianyi, repository: Path, source: Path) -> None:
    (repository / "policies" / "ingest.yaml").write_text(HOLD.replace("hold", "reject"))
    answer = tianyi("ingest", source, at=repository)
    assert answer.code == 5
    seen = Elements(Path(answer.said["documents"]["html"]).read_text())
    assert all(text in seen.text for text in ("rejected", "format-unknown", "sub/unknown"))
    [(state, step, _)] = told(tianyi, repository)
    assert (state, answer.said["documents"]["html"] in step) == ("rejected", True)


def test_a_page_escapes_whatever_it_is_given() -> None:
    evil = '"><script>x</script>&'
    finding = dict.fromkeys(("severity", "code", "path", "message"), evil)
    text = page({"accession": evil, "outcome": evil, "title": evil, "because": [evil], "findings": [finding]})
    assert "script" not in Elements(text).tags
    assert Elements(text).text.count(evil) >= 8


def test_a_date_that_is_none_is_refused(tianyi: Tianyi, repository: Path, source: Path) -> None:
    answer = tianyi("ingest", source, "--received", "last May", at=repository)
    assert (answer.code, answer.said["code"], tianyi("accessions", at=repository).rows) == (2, "usage", [])


def test_what_is_to_be_done_next_names_the_accession() -> None:
    for state in ("interrupted", "held", "approved", "rejected", "accepted"):
        one = Accession(
            accession="2026-0007", state=state, aip="", received="", because=(), terms={}, content="", report="r.html"
        )
        assert (one.next == "") is (state == "accepted")
        assert not one.next or "2026-0007" in one.next or "r.html" in one.next
