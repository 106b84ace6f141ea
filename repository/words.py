"""Numbers as people read them, pure."""

from __future__ import annotations

from datetime import timedelta

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def size(octets: int) -> str:
    """Bytes in the unit that people read (IEC 80000-13)."""
    amount = float(octets)
    for unit in _BYTES:
        if amount < 1024 or unit == _BYTES[-1]:
            break
        amount /= 1024
    return f"{octets:,} B" if unit == "B" else f"{amount:,.1f} {unit}"


def counted(number: int, one: str) -> str:
    """Like 1 file, 2 files, 2 copies."""
    many = f"{one[:-1]}ies" if one.endswith("y") and one[-2] not in "aeiou" else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"


def span(every: timedelta) -> str:
    """A span in the largest unit that fits: like 12 hours."""
    fits = (one for one in _UNITS if every and not every % timedelta(seconds=one[1]))
    unit, length = next(fits, _UNITS[-1])
    count = every // timedelta(seconds=length)
    return counted(count, unit)
