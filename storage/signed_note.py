"""Signed notes, pure (c2sp.org/signed-note): a text, and below it one line for each signature over it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519, COSIGNATURE = 1, 4  # kinds of keys; the latter is a witness's (c2sp.org/tlog-cosignature)
_MARK = "\u2014 "
_KEPT = 4  # bytes of a key's id
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")  # neither blanks of any script nor a plus
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line: whose it says that it is, and in base64 the id of the key and what the key made."""

    name: str
    base64: str

    @property
    def data(self) -> bytes:
        return b64decode(self.base64)


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a line feed. Signatures of keys that nobody here knows are kept as they are."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def to_bytes(self) -> bytes:
        lines = (f"{_MARK}{one.name} {one.base64}\n" for one in self.signatures)
        return "".join([self.text, "\n", *lines]).encode()

    def signed(self, *keys: SigningKey) -> Note:
        """With a signature more of each of the keys."""
        return replace(self, signatures=(*self.signatures, *(key.sign(self.text) for key in keys)))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """What a signature is checked with: `public` is the 32 bytes of an Ed25519 key, `kind` what it signs."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + bytes([ord("\n"), self.kind]) + self.public).digest()[:_KEPT]

    @property
    def text(self) -> str:
        """`<name>+<id in hexadecimal>+<base64 of kind and key>`."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def has_signed(self, note: Note) -> bool:
        """Whether one of the note's signatures is by this key, and right."""
        return any(self._is_mine(one) and self._made(one, note.text) for one in note.signatures)

    def _is_mine(self, one: Signature) -> bool:
        return one.name == self.name and one.data[:_KEPT] == self.id

    def _made(self, one: Signature, text: str) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        signature, message = one.data[_KEPT:], text.encode()
        if self.kind == COSIGNATURE:
            time, signature = signature[:8], signature[8:]
            message = f"cosignature/v1\ntime {int.from_bytes(time)}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key with the name that its signatures carry; raise ValueError for a name that none can."""

    name: str
    private: Ed25519PrivateKey

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        made = self.verifier.id + self.private.sign(text.encode())
        return Signature(self.name, b64encode(made).decode())


def check_name(name: str) -> None:
    """Raise ValueError for what cannot be the name of a key."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a key's name: {name!r} (no blanks, no plus)")


def parse_note(data: bytes) -> Note:
    """Raise ValueError where it is no note, or where one of its lines is no signature."""
    text, gap, signatures = data.decode("utf-8").rpartition("\n\n")
    if not gap or not signatures.endswith("\n") or _CONTROL.search(text):
        raise ValueError("not a signed note")
    return Note(f"{text}\n", tuple(map(parse_signature, signatures[:-1].split("\n"))))


def parse_signature(line: str) -> Signature:
    """One signature of a note; raise ValueError."""
    mark, name, base64 = line[:2], *line[2:].partition(" ")[::2]
    if mark != _MARK or len(decoded(base64)) <= _KEPT:
        raise ValueError("not a signature of a note")
    check_name(name)
    return Signature(name, base64)


def signature_line(one: Signature) -> str:
    """A signature as the line that it is in a note, without its end."""
    return f"{_MARK}{one.name} {one.base64}"


def parse_key(text: str) -> VerifierKey:
    """A verifier key by its text; raise ValueError where it is none, or its id another's."""
    name, _, rest = text.partition("+")
    _, _, base64 = rest.partition("+")
    data = decoded(base64)
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
        raise ValueError(f"not a verifier key that this version knows: {text!r}")
    check_name(name)
    key = VerifierKey(name, data[1:], data[0])
    if key.text != text:
        raise ValueError(f"not a verifier key, or its id is another's: {text!r}")
    return key


def decoded(base64: str) -> bytes:
    """Raise ValueError for all but the one base64 of some bytes."""
    try:
        data = b64decode(base64, validate=True)
    except Error as error:
        raise ValueError(f"not base64: {base64!r}") from error
    if b64encode(data).decode() != base64:
        raise ValueError(f"not base64: {base64!r}")
    return data
