"""What can go wrong with a repository as a whole."""

from __future__ import annotations

from storage.errors import Damaged, TianyiError

NUMBERED = "Its accession has a number: `tianyi ingest --resume` goes on with it."
"""The note (PEP 678) that an error has which stopped the ingest of one."""


class RepositoryError(TianyiError):
    """Anything about the repository folder and what is asked of it."""


class NoRepository(RepositoryError):
    code = "no-repository"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"There is no repository at {where} or above it.",
            "Make one with `tianyi init DIR`, or name one with `tianyi -C DIR …` or TIANYI_REPOSITORY.",
        )


class BadConfig(RepositoryError):
    code = "config-invalid"

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file} cannot be used: {why}.", "Correct the file; docs/vault-format.md shows its form.")
        self.why = why


class UnsupportedCopy(RepositoryError):
    code = "copy-unsupported"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"Copies at {url} are not supported yet.", "Name a folder, a file: URL, or s3://bucket/prefix."
        )


class NotEmpty(RepositoryError):
    """A place that something is in already; nothing in it was touched."""

    code = "not-empty"

    def __init__(self, where: str) -> None:
        super().__init__(f"There is something at {where} already.", "Name a place that is not there yet.")


class CannotLink(RepositoryError):
    """Bytes that an export cannot share with the vault; nothing was written."""

    code = "cannot-link"

    def __init__(self, how: str, why: str) -> None:
        told = f"The export cannot share bytes with the vault by {how}: {why}."
        super().__init__(told, "Leave --link out, and the files are copied.")


class CatalogueDamaged(RepositoryError):
    code = "catalogue-damaged"

    def __init__(self) -> None:
        super().__init__(
            "The catalogue cannot be read; the holdings themselves are another matter.", "`tianyi rebuild`."
        )


class ListLost(Damaged):
    """It is not known what is in a version, so that nothing can be said of its files, nor that there are none."""

    code = "list-lost"
    next = (
        "`tianyi audit`, then `tianyi repair`, which says who may have it (`--from FILE` takes it in); then"
        " `tianyi rebuild`."
    )

    def __init__(self, aip: str, version: int, key: str) -> None:
        super().__init__(key)
        self.args = (f"What is in version {version} of {aip} is not known: no copy had {key} whole.",)


class CatalogueAway(RepositoryError):
    code = "system"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The system refused the catalogue or a work file: {why}.", "See to its cause, then try again."
        )


class UnknownCopy(RepositoryError):
    code = "no-such-copy"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no copy called {name}.", f"The copies are: {', '.join(known)}.")


class BadIdentifier(RepositoryError):
    code = "bad-identifier"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is neither an AIP (urn:uuid:…) nor an accession number (2026-0001).",
            "`tianyi list` shows what is held.",
        )


class Ambiguous(RepositoryError):
    """An accession number that two AIPs have, since copies went apart."""

    code = "ambiguous"

    def __init__(self, text: str, aips: list[str]) -> None:
        super().__init__(f"{text} is the number of {len(aips)} AIPs: {', '.join(aips)}.", "Name one by its urn:uuid.")


class NotKept(RepositoryError):
    """An accession that was rejected, or is held: there is no AIP of it."""

    code = "not-kept"

    def __init__(self, accession: str, outcome: str, why: str) -> None:
        known = {"held": "is held", **{end: f"was {end}" for end in ("rejected", "returned", "cancelled")}}
        told = known.get(outcome, "was received, and not taken in")
        super().__init__(
            f"Accession {accession} {told}; there is no AIP of it{': ' * bool(why)}{why}.",
            f"`tianyi events {accession}` shows what happened.",
        )


class UndeclaredAgent(RepositoryError):
    """Decisions are for agents that tianyi.toml declares: about deletion always, about others where it declares any."""

    code = "agent-undeclared"

    def __init__(self, name: str, known: list[str]) -> None:
        told = f"Declared are: {', '.join(known)}. " if known else ""
        super().__init__(
            f"{name} is no declared agent, and here only those decide.",
            f"{told}Act with `tianyi --agent NAME …` or TIANYI_AGENT; tianyi.toml declares one by"
            ' `[[agents]]`, `name = "…"` and, if only one user of the system may act so, `user = "uid-1000"`.',
        )


class NotYourAgent(RepositoryError):
    code = "agent-of-another"

    def __init__(self, name: str, user: str, acting: str) -> None:
        super().__init__(f"{name} acts as {user} alone, and you are {acting}.", "Act as yourself, or ask them.")


class SameApprover(RepositoryError):
    code = "approver-same"

    def __init__(self, request: str, same: str, who: str) -> None:
        super().__init__(
            f"{request} was asked for by {same} ({who}), and nobody approves what they have asked for.",
            "Have another person approve it, as their own user of the system. (Where there is only one,"
            " `approver_is_another_user: false` in policies/retention.yaml lets another agent be enough.)",
        )


class AlreadyRequested(RepositoryError):
    code = "already-requested"

    def __init__(self, aip: str, request: str) -> None:
        super().__init__(f"The deletion of {aip} was asked for before: {request}.", "`tianyi deletions` shows it.")


class BadStep(RepositoryError):
    """Something was to be done with a request that its state does not allow."""

    code = "request-state"

    def __init__(self, request: str, act: str, state: str) -> None:
        super().__init__(f"{request} is {state}: there is nothing to {act}.", "`tianyi deletions` shows every request.")


class UnknownRequest(RepositoryError):
    code = "no-such-request"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no request {name}.", "`tianyi deletions` shows every request.")


class UnknownHold(RepositoryError):
    code = "no-such-hold"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            f"{name} does not name one hold that is in force.",
            f"Name one of: {', '.join(known)}." if known else "`tianyi holds` shows those in force.",
        )


class UnknownFormat(RepositoryError):
    code = "no-such-format"

    def __init__(self, puid: str, version: str) -> None:
        super().__init__(
            f"The signatures in use ({version}) know no format {puid}.",
            "Look it up in PRONOM, as fmt/43; newer signatures come in by `tianyi signatures import`.",
        )


class UnknownAccession(RepositoryError):
    code = "no-such-accession"

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no accession {number}.", "`tianyi accessions` shows every accession.")


class AccessionState(RepositoryError):
    """Something was to be decided of an accession that its state does not allow."""

    code = "accession-state"

    def __init__(self, number: str, act: str, state: str) -> None:
        super().__init__(
            f"Accession {number} is {state}: there is nothing to {act}.", "`tianyi accessions` shows every accession."
        )


class DeliveryChanged(RepositoryError):
    """What was taken in from a drop folder has changed there since; that is not taken in."""

    code = "delivery-changed"

    def __init__(self, name: str, accession: str) -> None:
        super().__init__(
            f"{name} has changed since it was taken in as {accession}.",
            "Rename it, to deliver it anew.",
        )


class SourceUnknown(RepositoryError):
    """An accession whose delivery lies nobody knows where; nothing was decided."""

    code = "source-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Where the delivery of {number} lies is not known any more.",
            f'Name it: `tianyi accept {number} --from PATH --reason "…"`.',
        )


class BadRequest(RepositoryError):
    """Something was asked for that cannot be meant."""

    code = "usage"


class UnknownJob(RepositoryError):
    code = "no-such-job"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no job called {name}.", f"The jobs are: {', '.join(known)}.")


class JobRunning(RepositoryError):
    """A job that is at work already, by the scheduler or by hand; it was not begun a second time."""

    code = "job-running"

    def __init__(self, name: str) -> None:
        super().__init__(f"The job {name} is at work already.", "Wait until it has ended.")


class BackupFailed(RepositoryError):
    code = "backup-failed"

    def __init__(self, file: str, why: str) -> None:
        super().__init__(
            f"The copy of {file} does not read well: {why}.",
            "See to the disk; `tianyi rebuild` makes a new catalogue, and the next ingest a new state.db.",
        )


class NoDestination(RepositoryError):
    code = "no-destination"

    def __init__(self) -> None:
        super().__init__(
            "tianyi.toml names nobody to whom alerts go.", "Name some in it; docs/how-to/get-alerts.md tells how."
        )


class NotSent(RepositoryError):
    """A message that not every destination took."""

    code = "not-sent"

    def __init__(self, why: str) -> None:
        super().__init__(why, "See that it is right in tianyi.toml, and can be reached from here.")


class NothingSigned(RepositoryError):
    """No signed checkpoint of the ledger covers what was to be proved."""

    code = "nothing-signed"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"No signed checkpoint of the ledger covers {what}.",
            "`tianyi ledger verify` tells why; docs/how-to/check-the-ledger.md, what to do about a key that is lost.",
        )


class NoScanner(RepositoryError):
    code = "no-scanner"

    def __init__(self) -> None:
        super().__init__(
            "No virus scanner is configured.", "Name one in tianyi.toml; docs/how-to/scan-for-viruses.md tells how."
        )


class ScannerAway(RepositoryError):
    """The virus scanner does not answer; nothing was scanned."""

    code = "scanner-away"

    def __init__(self, why: str) -> None:
        super().__init__(f"The virus scanner cannot be asked: {why}.", "See that it runs (`tianyi doctor`); try again.")


class WorkerLost(RepositoryError):
    """A worker process ended before its work did."""

    code = "worker-lost"

    def __init__(self) -> None:
        super().__init__(
            "A worker process was ended from outside, perhaps for want of memory; nothing was half-kept.",
            "See that there is memory to spare, then run the same command again.",
        )
