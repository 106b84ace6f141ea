"""What every copy has to have is asked for page by page: no page may cost what lies before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixity.reading import END, START
from repository import inventory, schema


@pytest.mark.parametrize(
    "query",
    [inventory._RECORDS, inventory._TOMBSTONES, inventory._FILES, inventory._EVIDENCE, inventory._FIXED],
    ids=["records", "tombstones", "files", "evidence", "fixed"],
)
def test_a_page_is_looked_up_and_not_sorted_out_of_all(tmp_path: Path, query: str) -> None:
    db = schema.create(tmp_path / "catalogue.db")
    plan = [row[-1] for row in db.execute(f"explain query plan {query}", (START, END))]
    assert all(step.startswith("SEARCH") for step in plan), plan


def test_what_came_is_looked_up_by_its_entries(tmp_path: Path) -> None:
    db = schema.create(tmp_path / "catalogue.db")
    plan = [row[-1] for row in db.execute(f"explain query plan {inventory._CAME_RECORDS}", (START, END, 1, 2))]
    assert any("entry>?" in step for step in plan), plan
