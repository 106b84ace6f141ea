"""What ships: it loads, it says what the documents say, and its facts are those of the release that it names."""

from __future__ import annotations

import csv
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from policies.document import KINDS, defaults, load
from policies.effective import Policies
from policies.ingest import Algorithm

SHARED = Path(os.environ.get("TIANYI_CORPORA", "../shared/corpora")).parent
NARA = SHARED / "pronom" / "NARA_PreservationActionPlan_FileFormats_20260320.csv"
RANK = {"Low Risk": "low", "Moderate Risk": "moderate", "High Risk": "high"}


@pytest.fixture(scope="module")
def shipped() -> Policies:
    return load(None)


def test_the_limits_that_ship(shipped: Policies) -> None:
    limits = shipped.ingest.limits
    assert (limits.files, limits.bytes, limits.depth) == (10_000_000, 100 << 40, 100)
    container = limits.container
    assert (container.files, container.bytes, container.ratio) == (1_000_000, 10 << 40, 1000)


def test_the_rest_of_what_ships(shipped: Policies) -> None:
    assert shipped.ingest.digests == ()
    assert shipped.ingest.fetch == "refuse"
    assert shipped.copies.names() is None
    assert shipped.audit.every == timedelta(days=90)
    assert {name: job.every // timedelta(hours=1) for name, job in shipped.audit.jobs.items()} == {
        "audit": 1,
        "backup": 24,
        "digest": 7 * 24,
        "drill": 30 * 24,
        "migrate": 7 * 24,
        "repair": 1,
        "replicate": 24,
        "retention": 7 * 24,
        "sample": 1,
    }
    assert (shipped.repair.automatic, shipped.repair.most, shipped.repair.attempts) == (True, 100, 3)
    assert {rule.representation for rule in shipped.migration.rules} == {"preservation"}


def test_risk_of(shipped: Policies) -> None:
    known = {puid: shipped.formats.risk_of(puid) for puid in ("fmt/276", "fmt/40", "fmt/209", "fmt/99999", "")}
    assert list(known.values()) == ["low", "moderate", "high", "unknown", "unknown"]


def test_every_algorithm_is_one_of_this_python() -> None:
    import hashlib

    assert set(get_args(Algorithm)) - {"sm3"} <= hashlib.algorithms_guaranteed  # SM3 is OpenSSL's, where it has it


@pytest.mark.parametrize("name", KINDS)
def test_every_field_that_must_be_known_ships(name: str) -> None:
    assert set(defaults(name)) == set(KINDS[name].model_fields)


def models(kind: type[BaseModel] = BaseModel) -> list[type[BaseModel]]:
    return [one for below in kind.__subclasses__() for one in (below, *models(below))]


def test_every_field_of_a_policy_is_described_and_frozen() -> None:
    ours = [one for one in models() if one.__module__.startswith("policies.") and one is not Policies]
    assert len(ours) >= 10
    for model in ours:
        assert model.model_config["frozen"]
        assert all(field.description for field in model.model_fields.values()), model


@pytest.mark.skipif(not NARA.exists(), reason="no corpora")
def test_risks_are_the_highest_that_nara_gives_the_puid(shipped: Policies) -> None:
    given: dict[str, set[str]] = {}
    with NARA.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            for puid in re.findall(r"PRONOM/((?:x-)?fmt/\d+)", row["PRONOM URL"]):
                given.setdefault(puid, set()).add(RANK[row["NARA Risk Level"]])
    ranks = list(RANK.values())
    for puid, fact in shipped.formats.risks.items():
        assert fact.risk == max(given[puid], key=ranks.index), puid
        assert fact.source == "NARA 2026-03-20"
