"""Is there room? Decided before anything is made."""

from __future__ import annotations

SPARE = 3  # free disk must be this many times what is needed
ASK = 4 << 30  # bytes; more than this is asked about first


def refusal(need: int, free: int) -> str:
    """Say why not to begin; empty when there is room (both in bytes)."""
    if free >= SPARE * need:
        return ""
    return (
        f"This needs {need / 1e9:.1f} GB, and {SPARE} times that must be free; {free / 1e9:.1f} GB are. "
        "Take --scale 0.1, one --shape, or another disk with --scratch."
    )


def must_ask(need: int) -> bool:
    """Say whether a person should agree first."""
    return need > ASK
