"""The doctor: what it says with and without a repository, what it notices, and that it leaves nothing behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import landlock, seccomp
from repository import Repository, doctor_software
from repository.cli.running import run
from repository.doctor import examine
from repository.doctor_check import Check
from storage.durable import Disk

FIELDS = {"name", "ok", "severity", "found", "cost", "next"}
Tianyi = Callable[..., Any]


@pytest.fixture(autouse=True)
def nobody_names_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIANYI_REPOSITORY", raising=False)


def below(folder: Path) -> set[str]:
    return {os.path.join(root, name) for root, folders, files in os.walk(folder) for name in (*folders, *files)}


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


class TestWithARepository:
    def test_everything_is_checked_and_nothing_is_left(self, repository: Path, tianyi: Tianyi) -> None:
        before = below(repository.parent)
        answer = tianyi("doctor", at=repository)
        assert answer.code == 0
        checks = {check["name"]: check for check in answer.said["checks"]}
        assert all(set(check) == FIELDS for check in checks.values())
        for place in ("first", "copy-2", "work"):
            for what in ("reachable", "writable", "scratch", "hard links"):
                assert checks[f"{place}: {what}"]["ok"] is True
        assert all(not check["cost"] for check in checks.values() if check["ok"])
        assert all(check["cost"] and check["next"] for check in checks.values() if check["ok"] is False)
        assert below(repository.parent) == before

    def test_all_mistakes_in_policies_are_told(self, repository: Path, tianyi: Tianyi, capsys: Any) -> None:
        assert by_name(examine(repository))["policies"].ok is True
        folder = repository / "policies"
        (folder / "ingest.yaml").write_text("limits:\n  depht: 3\n")
        (folder / "audit.yaml").write_text("jobs:\n  adit: {every: 1 day}\nevery: never\n")
        (folder / "other.yaml").write_text("")
        answer = tianyi("doctor", at=repository)
        [told] = [check for check in answer.said["checks"] if check["name"] == "policies"]
        assert (answer.code, told["ok"], told["severity"]) == (6, False, "error")
        lines = told["found"].splitlines()
        assert [line.removeprefix(f"{folder}/").split(" ")[0] for line in lines] == [
            "audit.yaml:2:", "audit.yaml:3:", "ingest.yaml:2:", "other.yaml:"
        ]  # fmt: skip
        assert run(["-C", str(repository), "doctor"]) == 6
        shown = capsys.readouterr().out
        assert all(line in shown for line in lines)

    def test_two_copies_on_one_disk_are_a_warning(self, repository: Path) -> None:
        apart = by_name(examine(repository))["copies apart"]
        assert (apart.ok, apart.severity) == (False, "warning")
        assert apart.found.startswith("first and copy-2 on ")

    def test_a_copy_that_is_away(self, repository: Path, copies: tuple[Path, Path], tianyi: Tianyi) -> None:
        copies[1].rename(copies[1].with_name("unplugged"))
        answer = tianyi("doctor", at=repository)
        assert answer.code == 6
        checks = {check["name"]: check for check in answer.said["checks"]}
        assert (checks["copy-2: reachable"]["ok"], checks["copy-2: reachable"]["severity"]) == (False, "error")
        assert checks["first: hard links"]["ok"] is True
        assert not copies[1].exists()

    def test_an_empty_mount_point_is_no_copy(self, repository: Path, copies: tuple[Path, Path]) -> None:
        copies[1].rename(copies[1].with_name("unplugged"))
        copies[1].mkdir()
        reached = by_name(examine(repository))["copy-2: reachable"]
        assert (reached.ok, "empty" in reached.found) == (False, True)
        assert list(copies[1].iterdir()) == []

    def test_a_copy_of_another_vault_is_not_ours(
        self, tmp_path: Path, repository: Path, copies: tuple[Path, Path]
    ) -> None:
        Repository.init(tmp_path / "other").close()
        copies[1].rename(copies[1].with_name("ours"))
        (tmp_path / "other" / "vault").rename(copies[1])
        assert by_name(examine(repository))["copy-2: reachable"].ok is False

    def test_the_first_copy_may_be_away_too(self, repository: Path, copies: tuple[Path, Path]) -> None:
        copies[0].rename(copies[0].with_name("unplugged"))
        checks = by_name(examine(repository))
        assert checks["first: reachable"].ok is False
        assert checks["copy-2: names"].ok is True

    def test_a_configuration_that_cannot_be_read(self, repository: Path) -> None:
        (repository / "tianyi.toml").write_text("copies = 3")
        told = by_name(examine(repository))["repository"]
        assert (told.ok, told.severity) == (False, "error")
        assert "tianyi.toml" in told.found

    def test_a_copy_of_a_kind_to_come(self, repository: Path) -> None:
        text = (repository / "tianyi.toml").read_text()
        (repository / "tianyi.toml").write_text(f'{text}\n[[copies]]\nname = "far"\nurl = "s3://bucket"\n')
        assert by_name(examine(repository))["far: reachable"].ok is False

    def test_what_a_killed_doctor_left_goes_with_the_next_opening(self, repository: Path) -> None:
        (repository / "work" / "runs" / "doctor-1-2").touch()
        (repository / "work" / "copies" / "first" / "doctor-1-2" / "names-0").mkdir(parents=True)
        Repository.open(repository).close()
        assert not (repository / "work" / "copies" / "first" / "doctor-1-2").exists()


class TestWithoutOne:
    def test_the_folder_that_we_are_in_is_examined(
        self, tmp_path: Path, tianyi: Tianyi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        answer = tianyi("doctor")
        assert answer.code == 0
        checks = {check["name"]: check for check in answer.said["checks"]}
        assert checks["repository"]["ok"] is None
        assert str(tmp_path) in checks["repository"]["found"]
        assert checks["folder: hard links"]["ok"] is True
        assert os.listdir(tmp_path) == []

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path, tianyi: Tianyi) -> None:
        assert tianyi("doctor", at=tmp_path / "nowhere").code == 4

    def test_people_get_a_table_without_colours_in_a_pipe(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["-C", str(tmp_path), "doctor"]) == 0
        shown = capsys.readouterr().out
        assert "✓  Python" in shown
        assert "→ " in shown
        assert "\x1b" not in shown


class TestDisks:
    def test_a_file_system_without_hard_links(self, tmp_path: Path) -> None:
        told = by_name(examine(tmp_path, NoLinks()))["folder: hard links"]
        assert (told.ok, told.severity) == (False, "error")

    def test_a_disk_that_syncs_in_no_time(self, tmp_path: Path) -> None:
        told = by_name(examine(tmp_path, Liar()))["folder: fsync"]
        assert (told.ok, told.severity) == (False, "warning")

    def test_names_that_are_not_kept(self, tmp_path: Path) -> None:
        told = by_name(examine(tmp_path, CaseBlind()))["folder: names"]
        assert (told.ok, told.found) == (False, "not kept: case twins")

    def test_where_one_sync_is_not_enough_its_cost_is_told(self, tmp_path: Path) -> None:
        told = by_name(examine(tmp_path, FileByFile()))["folder: one syncfs"]
        assert (told.ok, told.severity) == (False, "info")

    def test_a_place_that_cannot_be_written_to(self, tmp_path: Path) -> None:
        checks = by_name(examine(tmp_path, ReadOnly()))
        assert checks["folder: writable"].ok is False
        assert checks["folder: names"].ok is None
        assert checks["folder: free space"].ok is True

    @pytest.mark.parametrize("failing", ["NoLinks", "Full", "KilledAtTheLink"])
    def test_nothing_is_left_whatever_happens(self, failing: str, repository: Path) -> None:
        before = below(repository.parent)
        try:
            examine(repository, DISKS[failing]())
        except Killed:
            assert failing == "KilledAtTheLink"
        assert below(repository.parent) == before


class TestSoftware:
    def test_a_library_that_is_missing_is_an_error_with_its_cost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(doctor_software._LIBRARIES, "no-such-library", ("no_such", "No soup."))
        told = by_name(list(doctor_software.examine()))["no-such-library"]
        assert (told.ok, told.severity, told.found, told.cost) == (False, "error", "not installed", "No soup.")

    def test_tools_beside_it_are_no_errors(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        told = by_name(list(doctor_software.examine()))["verapdf"]
        assert (told.ok, told.severity, told.found) == (False, "info", "not installed")

    @pytest.mark.parametrize(("abi", "found"), [
        (0, "no Landlock"),
        (2, "by Landlock, ABI 2, which lets them truncate files"),
        (3, ""),
    ])  # fmt: skip
    def test_a_kernel_that_does_not_confine_tools_is_a_warning(
        self, monkeypatch: pytest.MonkeyPatch, abi: int, found: str
    ) -> None:
        monkeypatch.setattr(landlock, "abi", lambda: abi)
        told = by_name(list(doctor_software.examine()))["tools confined"]
        assert (told.ok, told.severity) == (not found, "warning")
        assert told.ok or told.found == found

    @pytest.mark.parametrize("there", [True, False])
    def test_a_kernel_that_filters_no_calls_is_a_warning(self, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
        monkeypatch.setattr(seccomp, "is_there", lambda: there)
        told = by_name(list(doctor_software.examine()))["tools touch nobody"]
        assert (told.ok, told.severity) == (there, "warning")


class Killed(BaseException):
    """As Ctrl-C: nothing catches it."""


class NoLinks(Disk):
    def link(self, old: str, new: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")


class Liar(Disk):
    def sync_file(self, descriptor: int) -> None:
        """Nothing."""


class CaseBlind(Disk):
    def create(self, path: str, mode: int = 0o444) -> int:
        folder, name = os.path.split(path)
        return super().create(os.path.join(folder, name.lower()), mode)


class FileByFile(Disk):
    def syncs_whole(self, folder: str) -> bool:
        return False


class ReadOnly(Disk):
    def mkdir(self, path: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")


class Full(Disk):
    def write(self, descriptor: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class KilledAtTheLink(Disk):
    def link(self, old: str, new: str) -> None:
        raise Killed


DISKS: dict[str, type[Disk]] = {kind.__name__: kind for kind in (NoLinks, Full, KilledAtTheLink)}
