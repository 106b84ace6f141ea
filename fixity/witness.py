"""Witnesses: somebody outside who has checkpoints, so that nobody can change the log and sign it anew unseen.

A witness goes from one checkpoint to a later one only where the log goes on from the former.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from storage import merkle
from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.merkle import Nodes

LARGEST = 4096  # characters of what a witness signs, as the ledger keeps it


class NotGiven(Exception):
    """A checkpoint that did not reach a witness; the text says why. It is tried again the next time."""


class Contradicted(NotGiven):
    """The witness has seen another history than this log's."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a witness is given: a signed checkpoint, and the proof that it goes on from the one over `old` entries."""

    checkpoint: str
    size: int
    old: int = 0
    proof: Sequence[bytes] = ()

    @property
    def name(self) -> str:
        """What the file of it is called."""
        return f"checkpoint-{self.size}.txt"


class Witness(Protocol):
    """Somebody who takes checkpoints."""

    def newest(self) -> str | None:
        """The newest checkpoint that the witness has, where it can be asked; raise NotGiven."""
        ...

    def give(self, parcel: Parcel) -> str:
        """Hand it over, durably where we can see to it; return what the witness signed, "" where it signs nothing.

        Raises NotGiven, and then it may be tried again, or Contradicted.
        """
        ...


def parcel(checkpoint: str, old: int, nodes: Nodes) -> Parcel:
    """A signed checkpoint for a witness that has the one over `old` entries, 0 for none."""
    now, _ = parse_checkpoint(checkpoint.encode())
    return Parcel(checkpoint, now.size, old, merkle.consistency(old, now.size, nodes))


def contradiction(before: str, now: Checkpoint, nodes: Nodes) -> str:
    """Why the log does not go on from a checkpoint that a witness has, in words; "" where it does.

    Raises NotGiven where that is of another log.
    """
    then, _ = parse_checkpoint(before.encode())
    if then.origin != now.origin:
        raise NotGiven(f"it has checkpoints of another log, {then.origin}: each log needs a place of its own")
    if then.size > now.size:
        return f"it has a checkpoint over {then.size} entries, and the log has signed {now.size}"
    if merkle.root(then.size, nodes) != then.root:
        return f"the log has other entries among its first {then.size} than it had"
    return ""
