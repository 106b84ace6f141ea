"""The digest names the effective policy: equal for equal policies, another for any change."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from policies.document import load
from policies.effective import Policies

CHANGES = {
    "ingest": ["limits: {depth: 99}", "limits: {container: {ratio: 999}}", "digests: [md5]", "findings: {info: hold}",
               "findings: {codes: {a: accept}}"],
    "formats": ["risks: {fmt/3: {name: GIF, risk: high, reason: a, source: b}}"],
    "migration": ["rules: []", "rules: [{name: a, puids: [fmt/3], to: png, because: b}]"],
    "audit": ["every: 91 days", "jobs: {audit: {every: 1 second}}"],
}  # fmt: skip


def with_change(folder: Path, name: str, text: str) -> Policies:
    (folder / f"{name}.yaml").write_text(text)
    policies = load(folder)
    (folder / f"{name}.yaml").unlink()
    return policies


def test_any_change_gives_another_digest(tmp_path: Path) -> None:
    changed = [with_change(tmp_path, name, text).digest for name, texts in CHANGES.items() for text in texts]
    assert len({load(None).digest, *changed}) == 1 + len(changed)


def test_how_it_is_written_does_not_matter(tmp_path: Path) -> None:
    same = with_change(tmp_path, "audit", "# ours\njobs: {migrate: {every: 168 hours}}\nevery: P90D\n")
    assert same.digest == load(None).digest


def test_the_digest_names_the_bytes_and_the_bytes_are_the_policy() -> None:
    shipped = load(None)
    assert shipped.digest == "sha256:" + hashlib.sha256(shipped.to_bytes()).hexdigest()
    assert Policies.model_validate_json(shipped.to_bytes()) == shipped


def test_who_gets_checkpoints_is_not_kept_with_what_was_decided(tmp_path: Path) -> None:
    changed = with_change(tmp_path, "evidence", "witnesses: [{name: a, webhook: 'https://example.org/secret'}]")
    assert changed.evidence.witnesses[0].target == "https://example.org/secret"
    assert changed.to_bytes() == load(None).to_bytes()


def test_it_crosses_process_borders() -> None:
    shipped = load(None)
    assert pickle.loads(pickle.dumps(shipped)).digest == shipped.digest


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(None).ingest.limits.depth = 3  # type: ignore[misc]
