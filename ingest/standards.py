"""Where standards' own files lie, which are not ours to bring along: schemas, JSON-LD contexts, profiles. A folder that
the user names; nothing is ever fetched."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_MOST = 10_000  # files that are looked at: a folder of standards has some dozens


@dataclass(frozen=True)
class Standards:
    """`folder` is where they lie, itself or in folders below; None where none is named. `roc_validator` is the Python
    that has roc-validator, by default our own; `eark_validator` the one that has eark-validator, "" where it is not
    to be asked."""

    folder: Path | None = None
    roc_validator: str = sys.executable
    eark_validator: str = ""

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The files by name, the first of each in the order of folders; empty where the folder cannot be read."""
        found: dict[str, Path] = {}
        for path in _walk(self.folder):
            found.setdefault(path.name, path)
        return found

    @cached_property
    def addresses(self) -> Mapping[str, Path]:
        """The files in folders that are named as hosts, by address without scheme, as `wget -x` lays them."""
        found, folder = {}, self.folder and self.folder.absolute()
        for path in _walk(folder):
            parts = path.relative_to(str(folder)).parts
            host = next((number for number, part in enumerate(parts[:-1]) if "." in part), None)
            if host is not None:
                found["/".join(parts[host:])] = path
        return found

    def starting(self, start: str, end: str) -> Path | None:
        """The file whose name begins and ends so: `mets.xsd`, else the last of `mets-1.12.1.xsd` and its like."""
        if start + end in self.files:
            return self.files[start + end]
        names = sorted(name for name in self.files if name.startswith(f"{start}-") and name.endswith(end))
        return self.files[names[-1]] if names else None


NO_STANDARDS = Standards()


def _walk(folder: Path | None) -> Iterator[Path]:
    """The files, by absolute paths: who opens them is a child in a folder of its own."""
    seen = 0
    for here, folders, names in os.walk(folder.absolute()) if folder else ():
        folders.sort()
        for name in sorted(names):
            yield Path(here, name)
            if (seen := seen + 1) == _MOST:
                return
