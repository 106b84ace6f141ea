"""Copies in object stores, as far as no store is needed: what errors mean, and what is asked of keys and packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import NoRoom, StorageError, Unreachable
from storage.s3 import S3
from storage.s3_answers import Changed, Exhausted, Silent, meaning
from storage.s3_line import Place

WHERE = "s3://bucket/vault"


def said(status: int, code: str = "", retries: str = "") -> str:
    """As obstore tells of an answer."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>" if code else ""
    return f"Generic S3 error: Error performing PUT http://x/b in 5ms{retries} - Server returned non-2xx status code: {status} X: {body}"  # noqa: E501


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (said(403, "SignatureDoesNotMatch"), Unreachable, "refuses the key in keys/far.toml"),
        (said(403, "AccessDenied"), Unreachable, "may not do that"),
        (said(403), Unreachable, "refuses the key in keys/far.toml, or what was asked"),
        (said(403, "RequestTimeTooSkewed"), Unreachable, "clock"),
        (said(404, "NoSuchBucket"), Unreachable, "no such bucket"),
        (said(403, "QuotaExceeded"), NoRoom, "no room left"),
        (said(507), NoRoom, "no room left"),
        (said(400, "BadDigest"), Changed, "other bytes"),
        (said(503, "SlowDown", ", after 6 retries, max_retries: 6"), Exhausted, "503 (SlowDown)"),
        ("HTTP error: error sending request\n\nDebug source: kind: Connect,", Silent, "nobody answers"),
        ("HTTP error: error sending request\n\nDebug source: kind: Timeout,", Silent, "too long"),
        ("Error performing PUT http://169.254.169.254/latest/api/token", Unreachable, "no key was given"),
        ("something new. \n\nDebug source: Generic {", Unreachable, "something new"),
    ],
)
def test_what_a_refusal_means(text: str, kind: type[StorageError], words: str) -> None:
    told = meaning(Exception(text), WHERE, "keys/far.toml")
    assert type(told) is kind
    assert words in str(told)
    assert told.next
    assert "Debug" not in str(told)


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(Unreachable, match="obstore is not installed") as told:
        S3("far", Place("bucket"), tmp_path).size("key")
    assert told.value.next == "pip install 'tianyi[s3]'"


def test_obstore_is_loaded_where_it_is_used() -> None:
    """It takes its time, and is not there for everybody."""
    script = "import sys, repository.cli.running; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ('access_key = "a"\nsecret_key = "b"\n', 0o640, "can be read by others"),
        ('access_key = "a"\n', 0o600, "secret_key"),
        ("not toml", 0o600, "cannot be used"),
    ],
)
def test_a_key_file_that_cannot_be_used(text: str, mode: int, words: str, tmp_path: Path) -> None:
    keys = tmp_path / "far.toml"
    keys.write_text(text)
    keys.chmod(mode)
    with pytest.raises(Unreachable, match=words) as told:
        S3("far", Place("bucket", keys=keys), tmp_path).size("key")
    assert told.value.next
