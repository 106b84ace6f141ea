"""What a check of stored bytes can come to: six outcomes, and an error is never "intact" (promise 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from storage.digest import Digest


@dataclass(frozen=True, slots=True)
class Intact:
    """Every byte was read and the digest is the one expected."""

    word: ClassVar[str] = "intact"
    size: int


@dataclass(frozen=True, slots=True)
class WrongMode:
    """Every byte was read and the digest is right, but the file could be written, or not be read by others."""

    word: ClassVar[str] = "mode"
    size: int
    why: str


@dataclass(frozen=True, slots=True)
class Altered:
    """Every byte was read and the digest is another."""

    word: ClassVar[str] = "altered"
    size: int
    expected: Digest
    found: Digest


@dataclass(frozen=True, slots=True)
class Missing:
    """The copy answers, and there is nothing under the key."""

    word: ClassVar[str] = "missing"
    expected: Digest


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something is there, or may be, and it cannot be read."""

    word: ClassVar[str] = "unreadable"
    expected: Digest
    why: str


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Nothing was tried: the copy as a whole does not answer."""

    word: ClassVar[str] = "not_checked"
    expected: Digest
    why: str


Outcome = Intact | WrongMode | Altered | Missing | Unreadable | NotChecked
DAMAGED = (Altered.word, Missing.word, Unreadable.word)
"""What somebody has to heal; a wrong mode is healed too, and is no damage: nothing of the content is lost."""
