"""Format tools: each speaks for its formats alone; one that hangs, crashes or eats memory calls nothing well-formed."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import landlock, tool_builtin, tool_child, tool_xml
from ingest.judgement import Judgement, Outcome, Subject, from_json, judged, overall, unchecked
from ingest.tool_command import Command
from ingest.tools import BUILTIN, asked
from policies.tools import Tool
from storage.digest import sha256

BAD = """
import ctypes, os, time
from contextlib import suppress
ANSWER = '{"problems": [], "properties": {}, "raw": ""}'
GOOD = {"answer-0": ANSWER, "answer-2": ANSWER, "2": "good", "version": "9", "ended": "0 0 0"}
UNCHECKED = ()
def version():
    return "1"
def look(path):
    told = open(path).read()
    if told == "hang":
        time.sleep(60)
    if told == "spin":
        while True: pass
    if told == "crash":
        ctypes.string_at(0)
    if told == "memory":
        bytearray(1 << 40)
    if told == "fault":
        raise KeyError("not foreseen")
    if told == "pipe":
        with suppress(OSError):  # Landlock does not let it
            os.unlink("answer-" + path)
            os.mkfifo("answer-" + path)
        os._exit(0)
    if told == "harm":
        for name, text in GOOD.items():
            with suppress(OSError):
                open(name, "w").write(text)
        for descriptor in range(3, 64):
            with suppress(OSError):
                os.write(descriptor, b"1 1 1 ")
    if told == "wrong":
        return ["it is wrong"], {}, ""
    if told == "mute":
        os._exit(0)
    return [], {"said": told, "long": "x" * 9_999}, "raw"
"""


def subject(*puids: str, mime: str = "", guessed: bool = False) -> Subject:
    return Subject(sha256(), 1, puids, mime, guessed)


def names(one: Subject) -> list[str]:
    return [tool.name for tool in asked(BUILTIN, one)]


def test_a_tool_speaks_for_its_formats_alone() -> None:
    assert names(subject("fmt/276")) == ["pdf"]
    assert names(subject("x-fmt/111")) == []
    assert names(subject(mime="image/svg+xml")) == ["xml"]
    assert names(subject("x-fmt/111", mime="application/xml")) == []  # the PUID says more
    assert names(subject("fmt/39", "x-fmt/42", guessed=True)) == []  # it might be what the tool does not know
    assert names(subject("fmt/39", "x-fmt/42")) == ["ole"]
    assert names(subject("fmt/11", "fmt/13", guessed=True)) == ["pictures"]


@pytest.fixture
def said_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], dict[int, Judgement]]:
    """`said_of(texts)` asks the bad tool of files that hold them."""
    shutil.copy(tool_child.__file__, tmp_path / "child.py")
    shutil.copy(landlock.__file__, tmp_path)
    (tmp_path / "tool_bad.py").write_text(BAD)
    monkeypatch.setattr(tool_builtin, "CHILD", tmp_path / "child.py")
    monkeypatch.setattr(tool_builtin, "seconds", lambda size: 2)

    def said(texts: list[str]) -> dict[int, Judgement]:
        room = tmp_path / "room"
        room.mkdir()
        for number, text in enumerate(texts):
            (room / str(number)).write_text(text)
        return tool_builtin.judge("bad", "bad", room, dict.fromkeys(range(len(texts)), 1), 1 << 28)

    return said


@pytest.mark.skipif(landlock.abi() < landlock.WHOLE, reason="this kernel has no Landlock, or lets tools truncate")
def test_a_file_that_takes_the_tool_over_speaks_for_no_other(
    said_of: Callable[[list[str]], dict[int, Judgement]],
) -> None:
    said = said_of(["wrong", "harm", "wrong"])
    outcomes = [said[number].outcome for number in range(3)]
    assert outcomes == [Outcome.MALFORMED, Outcome.NOT_CHECKED, Outcome.MALFORMED]
    assert {one.agent for one in said.values()} == {"bad 1"}


def test_a_bad_end_is_not_checked_and_spoils_no_other(said_of: Callable[[list[str]], dict[int, Judgement]]) -> None:
    told = ["good", "hang", "spin", "crash", "memory", "fault", "mute", "pipe", "", "good"]
    said = said_of(told)
    outcomes = [said[number].outcome for number in range(len(told))]
    assert outcomes == [Outcome.WELL_FORMED, *[Outcome.NOT_CHECKED] * 7, Outcome.MALFORMED, Outcome.WELL_FORMED]
    whys = [said[number].messages[0] for number in range(1, 9)]
    assert whys[:4] == ["it was stopped after 2 seconds", "it was stopped after 2 seconds", "it crashed (signal 11)",
                        "it needs more memory than it may have"]  # fmt: skip
    assert whys[4:] == [
        "it crashed (exit 1): KeyError: 'not foreseen'",
        *["its answer cannot be read"] * 2,
        "it is empty",
    ]
    assert (said[0].agent, said[0].raw, len(said[0].properties["long"])) == ("bad 1", "raw", 500)


def test_a_tool_that_is_not_installed_checks_nothing(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("x")
    said = tool_builtin.judge("absent", "a-library", tmp_path, {0: 1})
    assert said[0].outcome is Outcome.NOT_CHECKED
    assert said[0].messages == ("no tool: a-library is not installed (pip install 'tianyi[tools]')",)


def declared(script: str, **more: object) -> Command:
    told = {"name": "shell", "puids": ["fmt/1"], "command": ["sh", "-c", script, "{file}"], "malformed": [1]}
    return Command(Tool.model_validate({**told, "seconds": 60, **more}))


@pytest.mark.parametrize(
    ("script", "outcome", "why"),
    [
        ('test -s "$0"', Outcome.WELL_FORMED, ""),
        ('echo "line 3 of $0 is wrong"; exit 1', Outcome.MALFORMED, "line 3 of {file} is wrong"),
        ("exit 2", Outcome.NOT_CHECKED, "it ended with 2"),
        ("kill -SEGV $$", Outcome.NOT_CHECKED, "it crashed (signal 11)"),
        ("exec no-such-program", Outcome.NOT_CHECKED, "no tool: it ended with 127"),
    ],
)
def test_the_exit_code_of_a_declared_command_decides(tmp_path: Path, script: str, outcome: Outcome, why: str) -> None:
    (tmp_path / "0").write_text("x")
    said = declared(script, version=["sh", "-c", "echo shell 5; echo more"]).judge(tmp_path, {0: 1})[0]
    assert said.outcome is outcome
    assert " ".join(said.messages).startswith(why)
    assert (tmp_path / "0").read_text() == "x"


def test_a_command_that_hangs_has_checked_nothing(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("x")
    said = declared("sleep 600", seconds=1).judge(tmp_path, {0: 1})[0]
    assert (said.outcome, said.messages) == (Outcome.NOT_CHECKED, ("it was stopped after 1 seconds",))


def test_a_command_that_fills_memory_has_checked_nothing(tmp_path: Path) -> None:
    (tmp_path / "0").write_text("x")
    command = declared("exec python3 -c 'bytearray(1 << 30)'", malformed=[3], memory=1 << 28)
    assert command.judge(tmp_path, {0: 1})[0].outcome is Outcome.NOT_CHECKED


def test_answers_are_not_trusted() -> None:
    for told in (None, [], {"problems": []}, {"problems": "no", "properties": {}, "raw": ""}, {"unchecked": 3}):
        with pytest.raises(ValueError, match="not an answer"):
            judged("t", "1", told)
    said = judged("t", "1", {"problems": ["a\nb\x00" + "c" * 999] * 99, "properties": {1: None}, "raw": "r" * 99_999})
    assert (len(said.messages), said.messages[0][:5], len(said.messages[0]), len(said.raw)) == (
        20,
        "a b\ufffdc",
        500,
        65_536,
    )
    assert from_json(said.to_json()) == said


def test_all_tools_together() -> None:
    well, ill, none = (Judgement("t", "1", outcome) for outcome in Outcome)
    assert overall([well, ill]) is Outcome.MALFORMED
    assert overall([none, well]) is Outcome.WELL_FORMED
    assert overall([none, unchecked("", "no tool")]) is overall([]) is Outcome.NOT_CHECKED


DECLARED = '<!DOCTYPE a [<!ENTITY b "text"><!ENTITY c "&b;&b;"><!ENTITY f SYSTEM "/etc/passwd">]>'
LAUGHS = "".join(f'<!ENTITY e{n + 1} "{10 * f"&e{n};"}">' for n in range(9))


@pytest.mark.parametrize(("text", "outcome"), [
    (f"{DECLARED}<a>&b; &c;</a>", Outcome.WELL_FORMED),
    (f"{DECLARED}<a>&f;</a>", Outcome.WELL_FORMED),  # it is not read
    ("<a>&b;</a>", Outcome.MALFORMED),
    (f'<!DOCTYPE a [<!ENTITY e0 "ha">{LAUGHS}]><a>&e9;</a>', Outcome.NOT_CHECKED),
])  # fmt: skip
def test_documents_that_declare_entities(text: str, outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "0").write_text(text)
    said = tool_builtin.judge("xml", "xml", tmp_path, {0: len(text)}, 1 << 30)[0]
    assert (said.outcome, "passwd" in said.raw) == (outcome, False)


@pytest.mark.parametrize(("head", "told"), [
    (b"<!DOCTYPE html><html/>", "html"),
    (b"<!-- <!DOCTYPE b> --><!DOCTYPE a SYSTEM 'a.dtd' [<!ENTITY b 'c'>]><a/>", "a a.dtd"),
    (b'<!DOCTYPE a\n PUBLIC "-//A//B" "http://a/b.dtd"><a/>', "a -//A//B http://a/b.dtd"),
    (b"<a/>", ""),
])  # fmt: skip
def test_what_a_document_says_that_it_is(head: bytes, told: str) -> None:
    assert tool_xml.document_type(head, "UTF-8").get("document type", "") == told
    assert tool_xml.document_type(head, "no-such-encoding") == {}


def test_entities_in_a_part_of_an_office_file_unfold_too_far(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "0", "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", '<container><rootfile full-path="a.opf"/></container>')
        archive.writestr("a.opf", f'<!DOCTYPE a [<!ENTITY e0 "ha">{LAUGHS}]><a>&e9;</a>')
    said = tool_builtin.judge("zip", "zip", tmp_path, {0: 1}, 1 << 30)[0]
    assert (said.outcome, "a.opf" in said.messages[0]) == (Outcome.NOT_CHECKED, True)
