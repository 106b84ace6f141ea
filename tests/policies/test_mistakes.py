"""What an officer reads when a file is wrong: file, line, field, the words. One golden file holds every message."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.document import KINDS, defaults, parse
from policies.errors import PolicyError, PolicyFileError
from policies.text import LARGEST, read

GOLDEN = Path(__file__).parent / "golden" / "mistakes.txt"

WRONG = [
    ("ingest", "limits:\n  depht: 3\n"),
    ("ingest", "findings:\n  error: rejct\nlimits:\n  files: many\n  container:\n    ratio: 0\n"),
    ("ingest", "limits:\ndigests: sha1\nfetch: yes\n"),
    ("ingest", "# sizes\n\nlimits: {bytes: 3 TB, files: 010}\n"),
    ("ingest", "digests: [md5, sha3]\n"),
    ("ingest", "digests: [md5, sha1, md5]\n"),
    ("ingest", "findings:\n  codes:\n    Bad Code: hold\n    zip-damaged:\n"),
    ("ingest", "fetching:\n  hosts: [https://example.org]\n  schemes: []\n  private: perhaps\n"),
    ("formats", "risks:\n  fmt/3: {risk: high}\n"),
    ("formats", 'risks:\n  fmt3: {name: a, risk: low, reason: "b\\nc", source: d}\n'),
    ("formats", 'risks:\n  fmt/3: {name: "\\ud800", risk: low, reason: b, source: " "}\n'),
    ("migration", "rules:\n- name: a\n  puids: [fmt/3]\n  to: tif\n  because: b\n  representation: original\n- 3\n"),
    ("migration", "rules:\n- {name: a, puids: [fmt/3, fmt/3], to: tiff, because: b}\n"),
    ("migration", "rules:\n- &a {name: a, puids: [fmt/3], to: png, because: b}\n- *a\n"),
    ("migration", "rules:\n- {name: a, puids: [], to: png}\n"),
    ("tools", "tools:\n- {name: pdf, puids: [fmt/276], command: [look, '{file}'], malformed: [127]}\n"),
    ("tools", "tools:\n- {name: a, puids: [fmt/276], command: [look, it]}\n"),
    ("tools", "tools:\n- {name: a, puids: [fmt/276], command: [look, '{file}'], malformed: [0]}\n"),
    ("evidence", "witnesses:\n- {name: a, file: b, git: c}\n- {name: d, mail: e@f.example}\n"),
    ("evidence", "witnesses:\n- {name: a, file: b}\n- {name: a, git: --upload-pack=x}\ntime_stamps: {tsa: x}\n"),
    ("audit", "jobs:\n  adit: {every: 1 day}\n  audit: {evry: 1 day}\n"),
    ("audit", "every: 0 seconds\njobs: {audit: {every: 1:30}, migrate: {every: P99999D}}\n"),
    ("audit", "every: 90 days\nevery: 30 days\n"),
    ("audit", "every: !!python/object/apply:os.system [ls]\n"),
    ("audit", "every: [1\njobs: 2\n"),
    ("audit", "every: 1\n---\nevery: 2\n"),
    ("audit", "- every\n"),
    ("audit", "? [every]\n: 1\n"),
    ("audit", "\n\nevery: \x07\n"),
    ("audit", "[" * 5_000),
    ("audit", "#" * (LARGEST + 1)),
]


def told(kind: str, text: str) -> PolicyFileError:
    with pytest.raises(PolicyFileError) as caught:
        parse(text, f"policies/{kind}.yaml", KINDS[kind], defaults(kind))
    return caught.value


def test_every_message_as_it_was() -> None:
    shown = "\n".join(f"{error}\n→ {error.next}\n" for error in (told(*wrong) for wrong in WRONG))
    assert shown == GOLDEN.read_text("utf-8")


def test_the_error_carries_the_facts_of_the_first_mistake() -> None:
    error = told("ingest", "fetch: refuse\nlimits:\n  depht: 3\nfindings: {info: drop}\n")
    assert (error.file, error.line, error.field) == ("policies/ingest.yaml", 3, "limits.depht")
    assert error.wrong == "unknown field; did you mean depth?"
    assert [mistake.line for mistake in error.mistakes] == [3, 4]
    assert isinstance(error, PolicyError)
    assert (error.code, error.next != "") == ("policy-invalid", True)


def test_the_error_survives_a_process_border() -> None:
    error = told("audit", "every: soon\n")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.next, again.mistakes) == (str(error), error.next, error.mistakes)


def test_a_thousand_mistakes_are_told_in_twenty_lines_and_a_count() -> None:
    error = told("ingest", "".join(f"wrong{n}: 1\n" for n in range(1000)))
    assert len(error.mistakes) == 1000
    assert str(error).splitlines()[-1] == "and 980 more"


@pytest.mark.parametrize(
    "written", ["no", "on", "010", "1:30", "2026-01-01", "2026-13-45", "1.5", ".nan", "0x1F", "1e3"]
)
def test_plain_text_stays_what_was_written(written: str) -> None:
    assert read(f"field: {written}", "a.yaml").values == {"field": written}


@pytest.mark.parametrize(
    ("written", "value"), [("10_000_000", 10_000_000), ("-1", -1), ("0", 0), ("'7'", "7"), ("", None), ("~", None)]
)
def test_integers_and_nothing_are_read_as_such(written: str, value: object) -> None:
    assert read(f"field: {written}", "a.yaml").values == {"field": value}


@given(st.text(alphabet=st.sampled_from("a: -[]{}&*!|>'\"%@#?\n\t,0~<=.é\x00\u2028\ud800"), max_size=40))
def test_any_text_gives_values_or_an_error_of_ours(text: str) -> None:
    for kind in KINDS:
        try:
            parse(text, "a.yaml", KINDS[kind], defaults(kind))
        except PolicyError as error:
            str(error).encode()  # and it can be printed
