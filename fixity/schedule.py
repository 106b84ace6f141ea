"""How the promise of reading stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal["kept", "at risk", "broken", "attested"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a promise stands. `oldest` is when what was read longest ago was read, None where something was never read;
    `unread` are the bytes never read, of `size`; `breaks` is when the promise breaks or broke; `advice` is what would
    make it hold, "" where it does. `every` is None where nothing is read and `advice` names who attests."""

    copy: str
    collection: str
    every: timedelta | None
    oldest: datetime | None
    unread: int
    size: int
    state: State
    breaks: datetime | None
    advice: str
