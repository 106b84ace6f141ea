"""Checkpoints, pure (c2sp.org/tlog-checkpoint): how many entries a log has, and the root of the tree over them."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass

from storage.signed_note import Note, decoded, parse_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`origin` names the log; `extensions` are further lines, of which nothing is known here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_text(text: str) -> Checkpoint:
    """The checkpoint that a note's text is; raise ValueError."""
    origin, size, root, *extensions = [*text.removesuffix("\n").split("\n"), "", ""]
    if not origin or not _SIZE.fullmatch(size) or len(hashed := decoded(root)) != 32:
        raise ValueError("not a checkpoint")
    found = Checkpoint(origin, int(size), hashed, tuple(extensions[:-2]))
    if found.text != text or "" in found.extensions:
        raise ValueError("not a checkpoint")
    return found


def parse_checkpoint(data: bytes) -> tuple[Checkpoint, Note]:
    """A checkpoint with the note that it is the text of; no signature is checked. Raise ValueError."""
    note = parse_note(data)
    return parse_text(note.text), note
