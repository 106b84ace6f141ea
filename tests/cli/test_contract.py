"""The command line as others rely on it: keys, order, exit codes, and JSON alone on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tianyi = Callable[..., Any]
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two pictures that can be migrated, one that only looks like it, an archive inside, and text."""
    folder = tmp_path / "source"
    folder.mkdir()
    pictures = SAMPLES / "accession" / "Pictures" / "BMP"
    for name in ("seal.bmp", "book grey.bmp"):
        (folder / name).write_bytes((pictures / name).read_bytes())
    (folder / "broken.bmp").write_bytes((pictures / "harbour.bmp").read_bytes()[:400])
    with zipfile.ZipFile(folder / "inner.zip", "w") as archive:
        archive.writestr("../inside.txt", "never unpacked")
    (folder / "a.txt").write_text("text")
    return folder


def test_a_day_s_work(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path) -> None:
    made = tianyi("init", tmp_path / "new", "--copy", (tmp_path / "url").as_uri()).said
    assert made["repository"] == str(tmp_path / "new")
    assert [copy["name"] for copy in made["copies"]] == ["first", "copy-2"]
    rows = tianyi("identify", source, source / "a.txt").rows
    assert [row["path"] for row in rows] == sorted(str(path) for path in source.iterdir())
    assert {"fmt/116", "x-fmt/263"} <= {puid for row in rows for puid in row["puids"]}
    taken = tianyi("ingest", source, "--title", "T", "--producer", "P", at=repository).said
    assert taken.keys() >= {"accession", "aip", "version", "outcome", "files", "bytes", "new_bytes", "findings"}
    assert all(found.keys() >= {"code", "severity", "path", "message"} for found in taken["findings"])
    assert (taken["files"], taken["bytes"]) == (5, sum(path.stat().st_size for path in source.iterdir()))
    aip = taken["aip"]
    listed, shown = tianyi("list", at=repository).said, tianyi("show", aip.upper(), at=repository).said
    assert listed.keys() >= {"aip", "title", "versions", "files", "bytes"}
    assert listed.items() <= shown.items()
    assert (shown["title"], shown["producer"]) == ("T", "P")
    files = tianyi("files", taken["accession"], at=repository).rows
    assert [row["original_name"] for row in files] == sorted(path.name for path in source.iterdir())
    assert all(row.keys() >= {"path", "size", "digest", "puids", "original_name"} for row in files)
    audited = tianyi("audit", "--copy", "copy-2", at=repository).said
    assert audited.keys() >= {"checked", "bytes", "intact", "altered", "missing", "unreadable", "not_checked", "extra"}
    repaired = tianyi("repair", at=repository).said
    assert (repaired["repaired"], repaired["beyond_repair"], repaired["findings"]) == (0, 0, [])
    events = tianyi("events", aip, at=repository).rows
    assert all(event.keys() >= {"type", "time", "agent", "outcome"} for event in events)
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    dip = tianyi("export", aip, tmp_path / "dip", "--as", "folder", at=repository).said
    assert (dip["dip"], dip["files"], dip["bytes"]) == (str(tmp_path / "dip"), 5, taken["bytes"])
    assert (tmp_path / "dip" / "inner.zip").read_bytes() == (source / "inner.zip").read_bytes()
    counts = tianyi("rebuild", at=repository).said
    assert (counts["aips"], counts["versions"], counts["files"]) == (1, 1, 5)


def test_what_cannot_be_migrated_is_noted(tianyi: Tianyi, repository: Path, source: Path, tmp_path: Path) -> None:
    aip = tianyi("ingest", source, at=repository).said["aip"]
    before = {row["path"]: row["digest"] for row in tianyi("files", aip, at=repository).rows}
    planned = tianyi("migrate", "plan", at=repository)
    assert (planned.code, len(planned.rows)) == (0, 3)
    done = tianyi("migrate", "run", at=repository)
    assert all(row.keys() >= {"path", "from", "to", "tool", "equal", "reason"} for row in done.rows)
    fate = {row["path"].rpartition("/")[2]: (row["equal"], row["version"]) for row in done.rows}
    assert (done.code, fate) == (6, {"book grey.bmp": (True, 2), "broken.bmp": (False, None), "seal.bmp": (True, 2)})
    assert all(row["reason"] for row in done.rows)
    after = {row["path"]: row["digest"] for row in tianyi("files", aip, at=repository).rows}
    assert before.items() <= after.items()
    failed = [row for row in tianyi("events", aip, at=repository).rows if row["outcome"] == "fail"]
    assert [(row["type"], "broken.bmp" in row["detail"]["path"]) for row in failed] == [("migration", True)]
    again = tianyi("migrate", "run", at=repository)
    assert (again.code, [row["path"].rpartition("/")[2] for row in again.rows]) == (6, ["broken.bmp"])
    assert tianyi("show", aip, at=repository).said["versions"] == 2


def test_a_long_list_of_findings_is_capped(tianyi: Tianyi, repository: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(150):
        (many / f"{number:03d}").write_bytes(b"\x00\xff%d" % number)
    answer = tianyi("ingest", many, at=repository).said
    reported = [json.loads(line) for line in Path(answer["report"]).read_text().splitlines()]
    assert len(answer["findings"]) == 100
    assert answer["findings_total"] == len(reported) >= 150
    assert answer["findings"] == reported[:100]


def test_held_waits_for_a_person(tianyi: Tianyi, repository: Path, source: Path) -> None:
    (repository / "policies" / "ingest.yaml").write_text("findings:\n  codes:\n    format-unknown: hold\n")
    (source / "unknown").write_bytes(b"\x00\xff\x00")
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, answer.said["outcome"], answer.said["aip"]) == (6, "held", None)
    assert tianyi("list", at=repository).rows == []
    answer = tianyi("ingest", source, "--accept-held", "we know it", at=repository)
    assert (answer.code, answer.said["outcome"], "accepted: we know it" in answer.said["because"]) == (
        0,
        "accepted",
        True,
    )
    (repository / "policies" / "ingest.yaml").write_text("findings:\n  colour: red\n")
    answer = tianyi("ingest", source, at=repository)
    assert (answer.code, "ingest.yaml" in answer.said["message"]) == (5, True)


def test_where_the_repository_is(repository: Path, source: Path) -> None:
    line = [sys.executable, "-c", "from repository.cli import main; main()"]
    inside = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    named = {**inside, "TIANYI_REPOSITORY": str(repository)}
    (repository / "work" / "deep").mkdir()
    asked = [
        subprocess.run([*line, "list", "--json"], cwd=cwd, env=env, capture_output=True, check=False).returncode
        for cwd, env in ((repository / "work" / "deep", inside), (source, named), (source, inside))
    ]
    assert asked == [0, 0, 4]


@pytest.mark.parametrize("arguments", [["ingest", "{source}"], ["list"], ["audit"], ["show", "nothing"], ["no-such"]])
def test_people_are_answered_too(repository: Path, source: Path, arguments: list[str]) -> None:
    line = [sys.executable, "-c", "from repository.cli import main; main()", "-C", str(repository)]
    done = subprocess.run(
        [*line, *(part.format(source=source) for part in arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 2, 4)
    assert bool(done.stdout) is (done.returncode == 0)
    assert ("Error" in done.stderr) is (done.returncode != 0)
    assert "Traceback" not in done.stderr
