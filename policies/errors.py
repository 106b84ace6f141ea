"""What can be wrong with a policy: every mistake names file, line and field, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

SHOWN = 20  # mistakes told at once


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct. `line` counts from 1, 0 means the file as a whole; `field` is "" outside any field."""

    file: str
    line: int
    field: str
    wrong: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        told = ": ".join(part for part in (place, self.field, self.wrong) if part)
        return told.encode("utf-8", "backslashreplace").decode()  # a folder's name may be any bytes


class PolicyError(Exception):
    """The root: a `code`, a sentence (`str`) and the `next` step, the shape that every error here shares."""

    code: ClassVar[str] = "policy-invalid"
    next: str = ""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next = next_step or type(self).next


class PolicyFileError(PolicyError):
    """A policy file that is not used, because of one or more mistakes, in the order of their lines.

    `file`, `line`, `field` and `wrong` are those of the first; the message has one line for each.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        ordered = tuple(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line)))
        told = [str(mistake) for mistake in ordered[:SHOWN]]
        if len(ordered) > SHOWN:
            told.append(f"and {len(ordered) - SHOWN} more")
        super().__init__("\n".join(told), " ".join(dict.fromkeys(mistake.fix for mistake in ordered[:SHOWN])))
        self.mistakes = ordered
        self.file, self.line = ordered[0].file, ordered[0].line
        self.field, self.wrong = ordered[0].field, ordered[0].wrong

    def __reduce__(self) -> tuple[type[PolicyFileError], tuple[tuple[Mistake, ...]]]:
        return type(self), (self.mistakes,)  # crosses process borders whole
