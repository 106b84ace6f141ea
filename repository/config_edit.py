"""Changing tianyi.toml in place: what a person wrote around the copies stays."""

from __future__ import annotations

from collections.abc import Callable

import tomlkit
from tomlkit.items import AoT, Table

from repository.config import FILE, Config, Copy, written
from repository.errors import BadConfig
from storage import durable


def add(settings: Config, copy: Copy) -> None:
    """Declare another copy, as the last."""
    table = tomlkit.table()
    for name, value in written(copy).items():
        table.add(name, value)
    _change(settings, lambda copies: [*copies, table])


def remove(settings: Config, name: str) -> None:
    """Declare a copy no longer."""
    _change(settings, lambda copies: [copy for copy in copies if copy["name"] != name])


def put_first(settings: Config, name: str) -> None:
    """Declare a copy before all others; their order stays."""
    _change(settings, lambda copies: sorted(copies, key=lambda copy: copy["name"] != name))


def _change(settings: Config, change: Callable[[list[Table]], list[Table]]) -> None:
    path = settings.folder / FILE
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    tables = document["copies"]
    if not isinstance(tables, AoT):
        raise BadConfig(str(path), "`copies` is not written as [[copies]] tables")
    changed = tomlkit.aot()
    for table in change(list(tables)):
        changed.append(table)
    document["copies"] = changed
    text, scratch = tomlkit.dumps(document).encode(), settings.work / "scratch"
    durable.publish(durable.DISK, path, text, scratch, exclusive=False, mode=0o644)
