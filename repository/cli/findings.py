"""Findings of a delivery on a screen: the first of each code, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ingest.finding import Finding, Severity
from repository.cli.screen import escape, printable

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = {"error": 20, "warning": 5, "info": 1}  # findings of one code on the screen


class Found(Protocol):
    """The first findings, and how many there are of each severity and code."""

    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def codes(self) -> Sequence[tuple[Severity, str, int]]: ...


def show_findings(console: Console, found: Found) -> None:
    """All codes, errors first."""
    for severity, code, count in found.codes:
        _show(console, severity.value, code, count, [one for one in found.findings if one.code == code])


def _show(console: Console, severity: str, code: str, count: int, some: Sequence[Finding]) -> None:
    """The first findings of one code, and how many more there are."""
    shown = some[: _SHOWN[severity]]
    for found in shown:
        where = f" [bold]{escape(printable(found.path))}[/]" if found.path else ""
        console.print(f"  [dim]{severity:7} {code}[/]{where} {escape(printable(found.message))}")
    if count > len(shown):
        more = f"and {count - len(shown):,} more" if shown else f"{count:,}"
        console.print(f"  [dim]{severity:7} {code} {more}[/]")
