"""What a shell offers for the word under the cursor: numbers, with what they are called.

It must be quick and change nothing: the catalogue is read as it is, without opening the repository.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import typer

from repository import config
from repository.errors import RepositoryError

_MOST = 50
_AIPS = "select accession, title from aips where accession like ? || '%' order by accession desc limit ?"
_ACCESSIONS = "select accession, outcome from accessions where accession like ? || '%' order by accession desc limit ?"
Offer = list[tuple[str, str]]


def aip_numbers(context: typer.Context, incomplete: str) -> Offer:
    """The newest accession numbers of AIPs that begin so, with titles."""
    return _asked(context, _AIPS, incomplete)


def accession_numbers(context: typer.Context, incomplete: str) -> Offer:
    """The newest accession numbers that begin so, with their states."""
    return _asked(context, _ACCESSIONS, incomplete)


def _asked(context: typer.Context, query: str, incomplete: str) -> Offer:
    """Nothing where there is no repository, or its catalogue cannot be read: a shell has no use for errors."""
    said = context.find_root().params.get("folder") or os.environ.get("TIANYI_REPOSITORY")
    try:
        place = config.load((Path(said) if said else config.find(Path.cwd())).absolute()).catalogue
        with closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True)) as db:
            return [(number, told) for number, told in db.execute(query, (incomplete, _MOST))]
    except (RepositoryError, sqlite3.Error, OSError):
        return []
