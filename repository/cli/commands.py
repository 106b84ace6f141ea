"""Every command in the order of a day's work."""

from __future__ import annotations

from collections.abc import Callable

from repository.cli import (
    audit,
    copies,
    doctor,
    drill,
    export,
    holdings,
    identify,
    ingest,
    init,
    jobs,
    migrate,
    rebuild,
    validate,
)
from repository.cli.app import app
from repository.cli.helping import Command

COMMANDS: dict[str, Callable[..., None]] = {
    "init": init.init,
    "ingest": ingest.ingest,
    "identify": identify.identify,
    "validate": validate.validate,
    "list": holdings.list_aips,
    "show": holdings.show,
    "files": holdings.files,
    "search": holdings.search,
    "events": holdings.events,
    "audit": audit.audit,
    "repair": audit.repair,
    "replicate": copies.replicate,
    "export": export.export,
    "scheduler": jobs.scheduler,
    "jobs": jobs.jobs,
    "rebuild": rebuild.rebuild,
    "doctor": doctor.doctor,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)
app.add_typer(copies.app, name="copies")
app.add_typer(migrate.app, name="migrate")
app.add_typer(drill.app, name="drill")

__all__ = ["app"]
