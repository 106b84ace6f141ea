"""The benchmark harness tells the truth: pairs, failures, tables, pictures, same work for the same seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import machine, room, shapes
from benchmarks.cases import CASES, chosen, space
from benchmarks.picture import axis, to_svg
from benchmarks.report import to_json, to_markdown
from benchmarks.values import Measurement, Pair, Report, Result, order

SVG = "{http://www.w3.org/2000/svg}"


def run(wall: float, code: int = 0, note: str = "") -> Measurement:
    return Measurement(wall, wall / 2, wall / 4, 30_000_000, code, note)


def measured(*walls: tuple[float, float]) -> Result:
    """Return a result of these (our, peer's) seconds; the source is 100 files of 1,000 bytes."""
    pairs = tuple(Pair(order(i)[0], run(ours), run(peer)) for i, (ours, peer) in enumerate(walls))
    names = ("ingest-cp", "small", "tianyi ingest", "cp -a, sync", "one | other")
    return Result(*names, files=100, size=100_000, goal=2.0, pairs=pairs)


def report(*results: Result, scale: float = 1) -> Report:
    facts = {"cores": "2", "cpu": "Some <fast> CPU"}
    return Report("2026-11-22T20:00:00Z", scale, 3, 1, facts, {"cp": "9.1"}, {"small": "100 files"}, results)


GOOD = measured((2, 1), (3, 2), (9, 3))
BROKEN = replace(GOOD, case="broken", pairs=(*GOOD.pairs, Pair("peer", run(1), run(0.001, 3, "no space"))))
ABSENT = replace(GOOD, case="absent", pairs=(), absent="restic not installed: apt install restic")


def test_a_ratio_pairs_runs_that_were_next_to_each_other() -> None:
    assert GOOD.ratios == (2.0, 1.5, 3.0)
    assert GOOD.ratio == 2.0  # the ratio of the medians would be 1.5


def test_who_begins_alternates() -> None:
    assert [order(pair)[0] for pair in range(4)] == ["ours", "peer", "ours", "peer"]


def test_one_failed_run_leaves_a_case_without_figures() -> None:
    assert BROKEN.status == "failed"
    data = json.loads(to_json(report(BROKEN)))["cases"][0]
    assert "ratio" not in data
    assert "median_seconds" not in data["peer"]
    assert data["peer"]["exits"] == [0, 0, 0, 3]
    assert "failed: cp -a, sync: exit 3: no space" in to_markdown(report(BROKEN))
    assert "failed: cp -a, sync: exit 3: no space" in to_svg(report(BROKEN))


def test_a_run_that_ended_well_without_its_work_failed() -> None:
    idle = replace(GOOD, pairs=(Pair("ours", run(0.1, note="it did not do its work"), run(1)),))
    assert idle.status == "failed"


def test_what_is_not_installed_is_shown_with_how_to_get_it() -> None:
    for text in (to_markdown(report(ABSENT)), to_svg(report(ABSENT))):
        assert "restic not installed: apt install restic" in text


def test_the_table_has_medians_rates_spread_and_goal() -> None:
    assert (
        "| ingest-cp | tianyi ingest | cp -a, sync | 3.00 s · 33 files/s · 30 MB "
        "| 2.00 s · 50 files/s · 30 MB | **2.00** (1.50–3.00) | ≤ 2.00: met |"
    ) in to_markdown(report(GOOD)).splitlines()


def test_memory_below_our_own_is_not_claimed_to_be_known() -> None:
    assert "< 40 MB" in to_markdown(replace(report(GOOD), least=40_000_000))


def test_large_files_are_told_in_bytes() -> None:
    assert "200 MB/s" in to_markdown(report(replace(GOOD, files=2, size=600_000_000)))


@pytest.mark.parametrize("write", [to_markdown, to_svg])
def test_a_shrunk_run_says_so(write) -> None:  # type: ignore[no-untyped-def]
    assert "shrunk" not in write(report(GOOD)).lower()
    assert "shrunk to 0.1" in write(report(GOOD, scale=0.1))


def test_the_picture_puts_median_and_spread_where_the_axis_says() -> None:
    root = ElementTree.fromstring(to_svg(report(GOOD, ABSENT)))
    scale = axis([GOOD])
    (dot,) = root.iter(f"{SVG}circle")
    assert dot.get("class") == "slower dot"
    assert float(dot.attrib["cx"]) == pytest.approx(scale.x(2.0), abs=0.1)
    (whisker,) = (line for line in root.iter(f"{SVG}line") if "whisker" in line.attrib["class"])
    ends = [float(whisker.attrib[name]) for name in ("x1", "x2")]
    assert ends == pytest.approx([scale.x(1.5), scale.x(3.0)], abs=0.1)


def test_the_picture_says_faster_only_when_every_pair_does() -> None:
    assert "faster dot" in to_svg(report(measured((1, 2), (1, 3))))
    assert "even dot" in to_svg(report(measured((1, 2), (1, 3), (2, 1))))


def test_the_picture_of_nothing_is_still_a_picture() -> None:
    assert ElementTree.fromstring(to_svg(report())).tag == f"{SVG}svg"


def digest(plan: list[shapes.File]) -> str:
    """Return one digest over the names and the bytes of a plan."""
    whole = hashlib.sha256()
    for file in plan:
        whole.update(file.path.encode() + b"".join(shapes.chunks(file)))
    return whole.hexdigest()


def test_a_shape_is_the_same_for_the_same_seed() -> None:
    assert digest(shapes.small(0.005, 7)) == digest(shapes.small(0.005, 7))
    assert digest(shapes.small(0.005, 7)) != digest(shapes.small(0.005, 8))
    assert digest(shapes.large(0.0001, 7)) == digest(shapes.large(0.0001, 7))


def test_small_files_are_small_and_no_two_are_equal() -> None:
    plan = shapes.small(0.02, 7)
    contents = {b"".join(shapes.chunks(file)) for file in plan}
    assert len(contents) == len({file.path for file in plan}) == 400
    assert all(300 <= len(content) <= 17_500 for content in contents)


def test_a_run_is_refused_without_three_times_the_room_and_asked_about_above_4_gib() -> None:
    assert room.refusal(need=100, free=300) == ""
    assert "--scale" in room.refusal(need=100, free=299)
    assert not room.must_ask(4 << 30)
    assert room.must_ask((4 << 30) + 1)


def test_cases_are_chosen_by_the_beginning_of_their_name() -> None:
    assert {case.name for case in chosen(["audit-cold", "noise"], "large")} == {"audit-cold", "noise"}
    assert {case.name for case in chosen(["export"], "small")} == {"export-cp", "export-bagit"}
    assert chosen(["identify-fido"], "large") == []
    assert space(CASES, 10) == 10 * (1 + max(case.space() for case in CASES))
    assert space(CASES, 10, pairs=5) > 5 * space(CASES, 10) / 2


def test_the_machine_is_read_from_proc() -> None:
    assert machine.cpu("model name\t: Xeon\nflags\t\t: fpu sha_ni\n") == "Xeon, with SHA-256 instructions"
    mounts = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /tmp rw - tmpfs tmpfs rw\n"
    assert machine.file_system(mounts, Path("/tmp/x")) == "tmpfs"
    assert machine.file_system(mounts, Path("/tmpfile")) == "ext4"
