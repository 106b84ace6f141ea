"""Where a package begins: an archive mostly holds one folder, which is the package."""

from __future__ import annotations

from ingest.worklist import Worklist

_BESIDE = "select 1 from items where (name != ?1 and not (name > ?2 and name < ?3)) or (name = ?1 and kind != 'folder')"


def top_folder(worklist: Worklist) -> bytes:
    """The only folder of a delivery, ending in "/"; b"" where something lies beside it, or there is none."""
    first, _ = next(worklist.below(b""), (b"", None))
    top = first.partition(b"/")[0]
    beside = next(worklist.select(f"{_BESIDE} limit 1", top, top + b"/", top + b"0"), None)
    return top + b"/" if top and beside is None else b""
