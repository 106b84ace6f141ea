"""What a progress bar is made of."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from repository.words import size


class _Rate(ProgressColumn):
    """Bytes a second, in the units of everything else that is shown (rich knows decimal ones alone)."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{size(round(speed))}/s" if speed else "", style="progress.data.speed")


def bar(console: Console, *, rated: bool) -> Progress:
    """A bar that goes when it ends; `rated` where what is counted is bytes."""
    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}")]
    rates = [DownloadColumn(binary_units=True), _Rate()] if rated else []
    return Progress(*columns, *rates, TimeRemainingColumn(), console=console, transient=True)
