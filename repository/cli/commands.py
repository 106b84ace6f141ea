"""Every command in the order of a day's work."""

from __future__ import annotations

from collections.abc import Callable

from repository.cli import (
    accessions,
    alerts,
    audit,
    characterize,
    copies,
    deletions,
    doctor,
    drill,
    export,
    holdings,
    holds,
    identify,
    ingest,
    init,
    jobs,
    ledger,
    metadata,
    migrate,
    rebuild,
    repair,
    scan,
    scheduler,
    signatures,
    sweep,
    validate,
)
from repository.cli.app import app
from repository.cli.helping import Command

COMMANDS: dict[str, Callable[..., None]] = {
    "init": init.init,
    "ingest": ingest.ingest,
    "metadata": metadata.metadata,
    "accessions": accessions.accessions,
    "accept": accessions.accept,
    "return": accessions.give_back,
    "cancel": accessions.cancel,
    "identify": identify.identify,
    "validate": validate.validate,
    "list": holdings.list_aips,
    "show": holdings.show,
    "files": holdings.files,
    "search": holdings.search,
    "events": holdings.events,
    "repair": repair.repair,
    "scan": scan.scan,
    "characterize": characterize.characterize,
    "replicate": copies.replicate,
    "export": export.export,
    "delete": deletions.delete,
    "approve": deletions.approve,
    "withdraw": deletions.withdraw,
    "deletions": deletions.deletions,
    "hold": holds.hold,
    "release": holds.release,
    "holds": holds.holds,
    "sweep": sweep.sweep,
    "scheduler": scheduler.scheduler,
    "alerts": alerts.alerts,
    "metrics": alerts.show_metrics,
    "rebuild": rebuild.rebuild,
    "doctor": doctor.doctor,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)
app.add_typer(audit.app, name="audit")
app.add_typer(copies.app, name="copies")
app.add_typer(ledger.app, name="ledger")
app.add_typer(migrate.app, name="migrate")
app.add_typer(drill.app, name="drill")
app.add_typer(jobs.app, name="jobs")
app.add_typer(signatures.app, name="signatures")

__all__ = ["app"]
