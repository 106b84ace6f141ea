"""What can go wrong with a delivery as a whole, beyond findings about its parts."""

from __future__ import annotations

from storage.errors import TianyiError


class IngestError(TianyiError):
    """Anything about taking in a package."""


class NoSuchPackage(IngestError):
    code = "no-such-package"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not there.", "Check the path; quote names with blanks.")


class UnknownPackage(IngestError):
    code = "unknown-package"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is not a package that can be taken in: {why}.", "Deliver a folder, zip, tar or 7z.")


class Cancelled(IngestError):
    """Somebody has cancelled the accession while this command was at work on it; nothing of it was kept."""

    code = "cancelled"

    def __init__(self, accession: str) -> None:
        super().__init__(
            f"Accession {accession} is being cancelled by somebody else.",
            "`tianyi accessions` shows what becomes of it.",
        )


class NotAsHeld(IngestError):
    """A delivery that an officer accepted is not, file by file, the one that was held; nothing of it was kept."""

    code = "not-as-held"

    def __init__(self, accession: str, path: str) -> None:
        super().__init__(
            f"What lies at {path} is not what was held as {accession}.",
            "Put back what was held, or return that accession and ingest this as another.",
        )


class NotMetadata(IngestError):
    code = "metadata-invalid"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is not descriptive metadata: {why}.", "Give Dublin Core as .json or .csv.")


class NotSignatures(IngestError):
    """A file that was given as DROID's signatures, and is not; nothing was imported."""

    code = "signatures-invalid"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"This is not {what}: {why}.",
            "Give the signature file, then the container signature file, unpacked, as The National Archives publish"
            " them for DROID.",
        )


class NotManifest(IngestError):
    code = "manifest-invalid"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path} is no list of digests: {why}.", "Give one as md5sum or sha256sum write it, or as .csv."
        )


class BadProfile(IngestError):
    """A file that was given as a BagIt Profile, and is none."""

    code = "profile-invalid"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path} is no BagIt Profile: {why}.", "Give a profile as the BagIt Profiles Specification has it, as JSON."
        )


class ConversionFailed(TianyiError):
    """An outside tool did not make, or could not compare, what it was asked for. Nothing of it is left."""

    code = "conversion-failed"
    next = "The original is as it was. Choose another target format, or look at the file with a program of its time."

    def __init__(self, source: str, wanted: str, why: str) -> None:
        super().__init__(f"{source} could not be {wanted}: {why}.")
        self.why = why
