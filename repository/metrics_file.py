"""Metrics in a file, which Prometheus's node exporter, or a web server, gives out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from repository.alerts import Told
from repository.health import Health
from repository.metrics import render


def write(file: Path, health: Health | None, alerts: Sequence[Told], now: datetime) -> None:
    """Replace a file by the metrics at once, so that no reader sees half of them; raise OSError."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        scratch.write_text(render(health, alerts, now), encoding="utf-8")
        scratch.chmod(0o644)
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
