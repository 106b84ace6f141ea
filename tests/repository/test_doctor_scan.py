"""What the doctor says of the virus scanner."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from repository.config import Config, Scan
from repository.doctor_scan import examine
from tests.servers.clamd import Running
from tests.servers.pretender import pretending

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(folder: Path, address: str) -> dict[str, tuple[bool | None, str]]:
    checks = examine(Config(folder, "", (), scan=Scan(address, 5)), NOW)
    return {check.name.removeprefix("virus scanner").removeprefix(": "): (check.ok, check.found) for check in checks}


def test_none_is_configured(tmp_path: Path) -> None:
    [check] = examine(Config(tmp_path, "", ()), NOW)
    assert (check.ok, check.severity) == (None, "info")


def test_one_that_answers(tmp_path: Path, clamd: Running) -> None:
    told = said(tmp_path, clamd.address)
    assert told[""][0] is True
    assert told["limits"][0] is True
    assert told["signatures"] == (None, "it does not say when they were made")


def test_one_that_keeps_its_limits_to_itself(tmp_path: Path, mute: Running) -> None:
    assert said(tmp_path, mute.address)["limits"][0] is False


def test_one_that_is_not_there(tmp_path: Path) -> None:
    assert said(tmp_path, f"unix:{tmp_path}/s") == {
        "": (False, f"clamd at unix:{tmp_path}/s: No such file or directory")
    }


@pytest.mark.parametrize(("day", "ok", "age"), [("Sat Nov 21", True, "1"), ("Sun Nov  1", False, "21")])
def test_signatures_have_an_age(tmp_path: Path, day: str, ok: bool, age: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def act(connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"VERSION\0") and (some := connection.recv(100)):
            data += some
        connection.sendall(b"1: ClamAV 1.4.6/27500/%s 11:00:00 2026\0" % day.encode())

    with pretending(tmp_path / "s", act) as address:
        told = said(tmp_path, address)
    assert told[""] == (True, "ClamAV 1.4.6, signatures 27500")
    assert told["signatures"] == (ok, f"27500, {age} days old")
