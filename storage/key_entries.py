"""Entries of the ledger that tell which key signs its checkpoints, pure.

The first entry names a key (`key` of its detail); an entry of the type `key` names the next one, and holds signatures
over the canonical JSON of its other members: by both keys, or by the new one alone where the one before is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from storage.canonical import Json, canonical
from storage.event import Event
from storage.signed_note import Note, SigningKey, VerifierKey, parse_key, parse_signature, signature_line

INTRODUCED, ROTATED, LOST = "introduced", "rotated", "lost"


@dataclass(frozen=True, slots=True)
class KeyTold:
    """A key that an entry tells of: from that entry on it signs. `wrong` says why it is not to be believed."""

    entry: int
    key: VerifierKey
    how: str
    wrong: str = ""


def key_event(
    vault: str, time: str, agent: str, how: str, keys: Iterable[SigningKey], before: VerifierKey | None, why: str = ""
) -> Event:
    """The entry of a new key, the last of those that sign it; `before` is the one in whose place it comes."""
    signing = list(keys)
    detail: dict[str, Json] = {"key": signing[-1].verifier.text}
    if before:
        detail["before"] = before.text
    if why:
        detail["why"] = why
    note = Note(_text(vault, detail)).signed(*signing)
    detail["signatures"] = [signature_line(one) for one in note.signatures]
    return Event(time=time, type="key", agent=agent, object=vault, outcome=how, detail=detail)


def told(entries: Iterable[tuple[int, Event]]) -> Iterator[KeyTold]:
    """Yield the keys that a ledger's entries tell of, in their order; those that are wrong change nothing."""
    newest: VerifierKey | None = None
    for number, event in entries:
        text = event.detail.get("key")
        if event.type not in ("founding", "key") or not isinstance(text, str):
            continue
        try:
            key = parse_key(text)
            wrong = _wrong(number, event, key, newest)
        except (ValueError, TypeError) as error:
            key, wrong = VerifierKey("unknown", b""), str(error)
        yield KeyTold(number, key, event.outcome if event.type == "key" else "founding", wrong)
        newest = newest if wrong else key


def newest(entries: Iterable[tuple[int, Event]]) -> VerifierKey | None:
    """The key that signs now, None where a ledger tells of none."""
    known = [one.key for one in told(entries) if not one.wrong]
    return known[-1] if known else None


def _wrong(number: int, event: Event, key: VerifierKey, newest: VerifierKey | None) -> str:
    if event.type == "founding":
        return "" if number == 0 else "it is not the first entry"
    if (event.outcome == INTRODUCED) != (newest is None) or event.detail.get("before") != (newest and newest.text):
        return "it does not follow the key before it"
    detail = dict(event.detail)
    lines = detail.pop("signatures", None)
    if not isinstance(lines, list):
        return "it is not signed"
    note = Note(_text(event.object, detail), tuple(parse_signature(str(line)) for line in lines))
    signers = [key, newest] if event.outcome == ROTATED else [key]
    return "" if all(one and one.has_signed(note) for one in signers) else "it is not signed by those keys"


def _text(vault: str, detail: Mapping[str, Json]) -> str:
    return canonical({**detail, "vault": vault}).decode() + "\n"
