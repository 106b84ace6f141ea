"""What every copy has to have is asked for page by page: no page may cost what lies before it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixity.reading import END, START
from repository import inventory, schema
from storage import layout
from storage.digest import Digest, sha256


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


@given(st.binary().map(sha256), st.uuids(), st.integers(1, 99_999))
def test_keys_in_sql_are_those_of_the_layout(digest: Digest, aip: UUID, version: int) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        values = {"digest": str(digest), "aip": f"urn:uuid:{aip}", "version": version}
        query = f"select {schema.BLOB_KEY}, {schema.RECORD_KEY}, {schema.TOMBSTONE_KEY}"
        [found] = db.execute(f"{query} from (select :digest as digest, :aip as aip, :version as version)", values)
    assert found == (layout.blob_key(digest), layout.record_key(aip, version), layout.tombstone_key(aip))
