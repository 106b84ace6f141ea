"""What can go wrong with what is kept: a shallow tree, each leaf saying what happened, to what, and what to do."""

from __future__ import annotations

from typing import ClassVar

from storage.digest import Digest


class TianyiError(Exception):
    """The root of every error that is told to people: a `code`, a sentence (`str`) and the `next` step."""

    code: ClassVar[str] = "fault"
    next: str = ""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next = next_step or type(self).next

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, whatever its arguments were: workers hand errors on to the process that they work for."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[TianyiError], arguments: tuple[object, ...]) -> TianyiError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


class StorageError(TianyiError):
    """Anything about copies, blobs, records and the ledger."""


class NotFound(StorageError):
    code = "not-found"

    def __init__(self, what: str, where: str = "the vault", next_step: str = "") -> None:
        super().__init__(f"{what} is not in {where}.", next_step)
        self.what = what


class BlobGone(NotFound):
    """A blob that a version relies on was removed while the version was on its way."""

    code = "blob-gone"

    def __init__(self, key: str, where: str) -> None:
        super().__init__(
            key, where, "It was removed while this command ran. Run the command again: it is written anew then."
        )


class Deleted(StorageError):
    """The AIP has a tombstone: it was deleted, by the procedure, and nothing can be added to it."""

    code = "deleted"

    def __init__(self, aip: str, when: str, why: str, tombstone: str) -> None:
        super().__init__(
            f"{aip} was deleted on {when} because: {why}",
            f"Its tombstone, {tombstone} in every copy, tells who asked and who approved.",
        )


class AlreadyThere(StorageError):
    """Something is under that key already; nothing was written."""

    code = "already-there"

    def __init__(self, key: str, where: str) -> None:
        super().__init__(f"{key} is already in {where}.")
        self.key = key


class Damaged(StorageError):
    """Bytes that are not what their digest says."""

    code = "damaged"
    next = "Run `tianyi audit`, then `tianyi repair`."

    def __init__(self, what: str, expected: Digest | None = None, found: Digest | None = None) -> None:
        told = f" (expected {expected}, found {found})" if expected and found else ""
        super().__init__(f"{what} is damaged{told}.")
        self.what, self.expected, self.found = what, expected, found


class Unreachable(StorageError):
    """A copy, or a place in it, that does not answer."""

    code = "unreachable"
    next = "See that its disk is mounted and readable, then try again."

    def __init__(self, where: str, why: str, next_step: str = "") -> None:
        super().__init__(f"{where} cannot be reached: {why}.", next_step)
        self.where, self.why = where, why


class NoRoom(StorageError):
    """The disk is full, or a quota is used up."""

    code = "disk-full"
    next = "Make room or add a larger disk, then run the same command again; nothing was half-kept."

    def __init__(self, where: str) -> None:
        super().__init__(f"There is no room left in {where}.")


class WillNotFit(NoRoom):
    """The disk has no room for what was about to be kept, told before the first byte of it was written."""

    next = "Make room there, or move the copy to a larger disk; then `tianyi ingest --resume`, or accept it again."

    def __init__(self, where: str, needed: int, free: int) -> None:
        room = f"at least {needed:,} bytes in {where}, and at most {free:,} are free there"
        StorageError.__init__(self, f"It needs {room}: nothing was copied.")


class SyncFailed(StorageError):
    """The system could not make a batch durable: nothing of that batch is trusted."""

    code = "sync-failed"
    next = "Look at the disk's health (dmesg, smartctl), then run the same command again."

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} could not make its data durable: {why}.")


class Locked(StorageError):
    code = "locked"

    def __init__(self, what: str, holder: str) -> None:
        super().__init__(f"{what} is locked by {holder}.", "Wait for that process to end, then try again.")


class Conflict(StorageError):
    """Somebody else wrote that version first."""

    code = "conflict"
    next = "Look at the newer version with `tianyi show`, then run the command again."

    def __init__(self, aip: str, version: int) -> None:
        super().__init__(f"Version {version} of {aip} was written by another process.")


class BrokenRecord(StorageError):
    code = "broken-record"
    next = "Run `tianyi audit`, then `tianyi repair`."

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"The record {key} cannot be trusted: {why}.")
        self.key, self.why = key, why


class LagsBehind(StorageError):
    """A copy that lacks too much to be brought up to the others in passing."""

    code = "copy-behind"
    next = "Run `tianyi replicate`."

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is far behind the other copies.")


class Diverged(StorageError):
    """Two copies whose ledgers tell of different histories."""

    code = "ledger-diverged"
    next = (
        "It was written to while the others were not there. `tianyi rebuild`, `tianyi audit` and `tianyi repair` bring"
        " its AIPs to the others; then `tianyi copies retire` it, and add a copy in an empty place."
    )

    def __init__(self, where: str) -> None:
        super().__init__(f"The ledger in {where} has entries that the other copies do not have.")


class HistoryChanged(StorageError):
    """The ledger is not what its newest checkpoint outside the vault says: nothing more is written."""

    code = "ledger-changed"
    next = (
        "`tianyi ledger verify` tells more. Bring back the disk that has the newest ledger; or say which copy's ledger"
        " is to count, as it is: `tianyi copies promote NAME`, also of the copy that is the first."
    )

    def __init__(self, why: str) -> None:
        super().__init__(f"The ledger's history was changed: {why}.")
        self.why = why


class MarkDamaged(Damaged):
    """The newest checkpoint, as it is remembered outside the vault, cannot be read: no audit reads it, or heals it."""

    code = "mark-damaged"
    next = (
        "Find out who can write there, and bring it back from where keys/ is kept too. If there is none, move it away:"
        " a copy's newest checkpoint takes its place, and `tianyi ledger verify` compares with keys/checkpoints/."
    )

    def __init__(self, where: str) -> None:
        super().__init__(where)


class KeyLost(StorageError):
    """The key that signs the ledger is not there, or is another than the ledger tells of."""

    code = "key-lost"
    next = "Bring it back from where it is kept safe; or `tianyi ledger replace-lost-key --reason WORDS`."

    def __init__(self, where: str) -> None:
        super().__init__(f"The key that signs the ledger is not at {where}.")


class KeyThere(StorageError):
    """A key that is there is not replaced as lost."""

    code = "key-there"
    next = "`tianyi ledger rotate-key` changes it."

    def __init__(self, where: str) -> None:
        super().__init__(f"The key that signs the ledger is not lost: {where}.")


class Unsigned(StorageError):
    """A copy whose ledger goes on with entries that no checkpoint covers and no other copy has."""

    code = "ledger-unsigned"
    next = "`tianyi audit` names them, and `tianyi repair` puts them aside."

    def __init__(self, where: str) -> None:
        super().__init__(f"The ledger in {where} goes on with entries that are not this repository's.")


class SweepStopped(StorageError):
    """What is still needed cannot be told for certain: from there on, nothing was removed."""

    code = "sweep-stopped"
    next = "Bring back what is away, run `tianyi audit` and `tianyi repair`; then sweep again."

    def __init__(self, why: str) -> None:
        super().__init__(f"The sweep has stopped, since it cannot tell what is needed: {why}")
        self.why = why


class NotAVault(StorageError):
    code = "not-a-vault"

    def __init__(self, where: str, why: str, next_step: str = "") -> None:
        super().__init__(f"{where} is not a vault that this version can use: {why}.", next_step)


class NotOcfl(StorageError):
    """An OCFL storage root or object that nothing can be added to, or is not ours to change; it was left as it was."""

    code = "not-ocfl"

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} cannot be added to: {why}.", "See `tianyi validate` of it, or name another place.")
        self.where, self.why = where, why
