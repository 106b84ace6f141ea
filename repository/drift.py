"""What in the holdings would be identified otherwise today: a report, which changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ingest.again import Drifted, Held, identified_again
from ingest.identify import Identifier
from repository.catalogue import Catalogue
from repository.corrections import OFFICER
from storage.digest import Digest
from storage.names import unescape_path
from storage.parallel import Workers, in_order
from storage.portions import portions
from storage.progress import SILENT, Progress
from storage.store import Opens

CHUNK = 200  # files that a worker is handed at once
_FILES = "from files f join aips a on a.aip = f.aip where until is null and basis != ''"


def drift(
    catalogue: Catalogue, stores: Sequence[Opens], identifier: Callable[[], Identifier], executor: Workers,
    progress: Progress = SILENT,
) -> Iterator[Drifted]:  # fmt: skip
    """Yield every file of the newest versions, by accession and path."""
    row = catalogue.one(f"select count(*) as files {_FILES}")
    count = int(row["files"]) if row else 0
    progress.begin("Identifying again", count, 0)
    identifier()  # so that what is kept ready for it is there before the workers look for it
    work = partial(identified_again, tuple(stores), identifier)
    with executor(count, 0) as pool:
        for some in in_order(pool, work, portions(_held(catalogue), CHUNK)):
            progress.advance(len(some), 0)
            yield from some
    progress.end()


def _held(catalogue: Catalogue) -> Iterator[Held]:
    columns = "f.aip, accession, path, digest, puids, basis, original_name"
    for row in catalogue.rows(f"select {columns} {_FILES} order by accession, f.aip, path"):
        name = unescape_path(row["original_name"] or row["path"]).rpartition(b"/")[2]
        yield Held(
            row["aip"], row["accession"], row["path"], name, Digest.parse(row["digest"]),
            tuple(json.loads(row["puids"])), row["basis"], row["basis"] == OFFICER,
        )  # fmt: skip
