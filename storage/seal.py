"""The repository's `keys/`, outside every copy: the key that signs checkpoints, and the newest one as a mark.

`ledger.key` is the private key, `ledger.pub` the public ones, the newest first. `checkpoint` is the newest checkpoint,
without a signature where the key is lost; `underway.json` has the hashes of the entries that were appended last, so
that what a crash left can be told from what somebody else wrote; `checkpoints/` has the first of each day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from storage import durable
from storage.canonical import Json, canonical, parse_canonical
from storage.checkpoint import Checkpoint, parse_checkpoint, parse_text
from storage.durable import DISK, Disk, told
from storage.errors import Damaged, MarkDamaged, Unreachable
from storage.signed_note import Note, SigningKey, VerifierKey, parse_key

KEY, NEXT, PUBLIC = "ledger.key", "next.key", "ledger.pub"
_NEW = ".new"  # what has no name yet
MARK, UNDERWAY, KEPT, ABANDONED = "checkpoint", "underway.json", "checkpoints", "abandoned"


class Seal:
    """What signs, and what remembers. `origin` names a log whose key is made here."""

    def __init__(self, folder: Path, vault: str, origin: str = "", disk: Disk = DISK) -> None:
        self.folder, self.vault = folder, vault
        self.origin = origin or f"tianyi/{vault}"
        self._disk = disk
        self.newest: Callable[[], VerifierKey | None] = lambda: None
        """The key that signs as the ledger tells; None where it tells of none."""
        self.told: Callable[[], list[VerifierKey]] = list
        """The keys that the ledger has told of, as far as it was read."""

    def key(self) -> SigningKey | None:
        """The private key that signs now; None where it is lost or spoilt, or is another than the ledger tells of."""
        newest, key = self.newest(), None
        with suppress(Damaged):  # as if it were lost: what happens is written down, and every command says so
            key = self.private(KEY)
        if newest is None or (key and key.verifier == newest):
            return key
        if (following := self.private(NEXT)) and following.verifier == newest:
            self.adopt(following)  # a rotation was cut short after its entry
            return following
        return None

    def private(self, file: str) -> SigningKey | None:
        """A private key that is there; raise Damaged where it cannot be read."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if (pem := self._read(file)) is None:
            return None
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError) as error:
            raise Damaged(f"The key {self.folder / file}") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Damaged(f"The key {self.folder / file}, which is none of Ed25519,")
        return SigningKey(self._name(private.public_key().public_bytes_raw()), private)

    def _name(self, public: bytes) -> str:
        known = [*self.public(), *self.told()]
        return next((key.name for key in known if key.public == public), self.origin)

    def public(self) -> list[VerifierKey]:
        """The public keys that were ever this repository's, the newest first; those that cannot be read are none."""
        found, data = [], b""
        with suppress(Unreachable):
            data = self._read(PUBLIC) or b""
        for line in data.decode("utf-8", "replace").splitlines():
            with suppress(ValueError):
                found.append(parse_key(line))
        return found

    def known(self) -> list[VerifierKey]:
        """Whose signatures count: where the public keys are lost, of those that the ledger tells of."""
        return self.public() or self.told()

    def make(self, file: str = KEY) -> SigningKey:
        """A new private key, durable on return; one of that name that is there already and readable is taken."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if file == KEY and (key := self.private(KEY)):
            return key
        key, known = SigningKey(self.origin, Ed25519PrivateKey.generate()), self.public()
        self._write(file, _pem(key), 0o600)
        self._publish([key.verifier, *known] if file == KEY else [*known, key.verifier])
        return key

    def adopt(self, key: SigningKey) -> None:
        """From now on this one signs."""
        self._publish([key.verifier, *self.public()])
        self._write(KEY, _pem(key), 0o600)
        self._forget(NEXT)

    def _publish(self, keys: Sequence[VerifierKey]) -> None:
        self._write(PUBLIC, "".join(f"{one.text}\n" for one in dict.fromkeys(keys)).encode())

    def mark(self) -> tuple[Checkpoint, bytes] | None:
        """The newest checkpoint, as this repository remembers it; raise MarkDamaged."""
        try:
            data = self._read(MARK)
        except Unreachable as error:
            raise MarkDamaged(str(self.folder / MARK)) from error
        if data is None:
            return None
        try:
            if not is_signed(data):
                return parse_text(data[:-1].decode()), data
            return parse_checkpoint(data)[0], data
        except ValueError as error:
            raise MarkDamaged(str(self.folder / MARK)) from error

    def remember(self, data: bytes, day: str) -> None:
        """Make this the mark, durable on return; the first of each day (as 2026-03-01) is kept."""
        self._write(MARK, data)
        if not (self.folder / KEPT / day).exists():
            self._write(f"{KEPT}/{day}", data)

    def kept(self) -> list[tuple[str, Checkpoint, Note]]:
        """The checkpoints that were kept, by day; those that cannot be read are none."""
        found = []
        with suppress(OSError):
            for path in sorted((self.folder / KEPT).iterdir()):
                with suppress(ValueError, OSError):
                    found.append((path.name, *parse_checkpoint(path.read_bytes())))
        return found

    def abandon(self, size: int) -> None:
        """Give up the mark, and what was kept of logs of more than so many entries: it stays in `abandoned/`."""
        for name in [MARK, *(f"{KEPT}/{day}" for day, one, _ in self.kept() if one.size > size)]:
            if data := self._read(name):
                target = f"{ABANDONED}/{Path(name).name}"
                number = 2
                while (self.folder / target).exists():
                    target, number = f"{ABANDONED}/{Path(name).name}-{number}", number + 1
                self._write(target, data)
                self._forget(name)

    def announce(self, first: int, leaves: Sequence[bytes]) -> None:
        """Write down what is about to be appended, durable on return."""
        said: dict[str, Json] = {"first": first, "leaves": [leaf.hex() for leaf in leaves]}
        self._write(UNDERWAY, canonical(said), 0o600)

    def announced(self, first: int) -> list[bytes]:
        """The hashes of the entries that were to follow the first so many; none where nothing was announced."""
        try:
            said = parse_canonical(self._read(UNDERWAY) or b"{}")
            begun, leaves = said.get("first"), said.get("leaves")
            if begun == first and isinstance(leaves, list):
                return [bytes.fromhex(str(leaf)) for leaf in leaves]
        except (ValueError, Unreachable):
            pass
        return []

    def tidy(self) -> None:
        """Remove what a killed process left. Call under the commit lock."""
        durable.remove_leftovers(self._disk, self.folder / _NEW, lambda _: False)

    def _read(self, name: str) -> bytes | None:
        with told(str(self.folder)), suppress(FileNotFoundError):
            return (self.folder / name).read_bytes()
        return None

    def _write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        with told(str(self.folder)):
            if not self.folder.is_dir():
                durable.make_folders(self._disk, self.folder)
                self.folder.chmod(0o700)
                durable.sync_made(self._disk, self.folder)
            durable.publish(
                self._disk, self.folder / name, data, self.folder / _NEW, exclusive=False, mode=mode,
                folders=durable.Folders(self.folder),
            )  # fmt: skip

    def _forget(self, name: str) -> None:
        with suppress(OSError):
            self._disk.unlink(str(self.folder / name))


def is_signed(mark: bytes) -> bool:
    """Whether there is a signature below the text of a mark: there is none where the key was lost as it was made."""
    return not mark.endswith(b"\n\n")


def _pem(key: SigningKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
