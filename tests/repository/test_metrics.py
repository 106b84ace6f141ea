"""Metrics: what Prometheus's own parser makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as families

from repository.metrics import Metric, render, text


def values(told: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each value by its name and its labels' values."""
    return {(one.name, tuple(one.labels.values())): one.value for family in families(told) for one in family.samples}


def test_any_label_survives() -> None:
    for odd in ('a "quoted" one', "back\\slash", "two\nlines", "港口", "\\n", ""):
        assert values(text(Metric("tianyi_a", "What it is.", [({"holds": odd}, 3)]))) == {("tianyi_a", (odd,)): 3}
    assert text(Metric("tianyi_a", "What it is.", [({}, None)])) == ""


def test_of_a_repository(repository: Path, tianyi: Any, tmp_path: Path) -> None:
    tianyi("jobs", "run", "audit", at=repository)
    assert tianyi("metrics", "--to", tmp_path / "tianyi.prom", at=repository).code == 0
    found = values((tmp_path / "tianyi.prom").read_text())
    assert found["tianyi_up", ()] == found["tianyi_copy_present", ("copy-2",)] == 1
    assert found["tianyi_job_last_run_outcome", ("audit", "success")] == 1
    assert found["tianyi_ledger_entries", ()] == 4  # founding, two copies audited, the job
    assert ("tianyi_job_last_run_timestamp_seconds", ("migrate",)) not in found
    assert {row["name"] for row in tianyi("metrics", at=repository).rows} == {name for name, _ in found}
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["tianyi.prom"]


def test_of_one_that_cannot_be_opened(repository: Path, tianyi: Any) -> None:
    (repository / "vault").rename(repository / "away")
    rows = {row["name"]: row["value"] for row in tianyi("metrics", at=repository).rows}
    assert (rows["tianyi_up"], rows["tianyi_alerts_open"]) == (0, 1)
    assert values(render(None, [], datetime(2026, 1, 1, tzinfo=UTC)))["tianyi_up", ()] == 0
