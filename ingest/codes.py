"""Every code that a finding can have: what policies may name. A test holds the list against the code."""

from __future__ import annotations

OCFL = frozenset(
    {f"E{n:03d}" for n in range(1, 113) if n not in (65, 68, 86, 91, 109)}
    | {f"W{n:03d}" for n in range(1, 17) if n != 6}
)
"""The codes of the OCFL 1.1 specification, which says what each means (https://ocfl.io/1.1/spec/validation-codes.html)."""

EARK = frozenset(
    {f"CSIP{n}" for n in (*range(1, 86), *range(88, 115), 116, 117, 118, 119)}
    | {f"CSIPSTR{n}" for n in range(1, 17)}
    | {f"SIP{n}" for n in range(1, 36)}
)
"""The requirements of E-ARK's CSIP and SIP 2.2.0, which say what each means (earkcsip.dilcis.eu, earksip.dilcis.eu)."""

CODES = OCFL | EARK | frozenset({
    "7z-damaged", "7z-encrypted", "7z-unsupported",
    "all-held", "archive-in-part", "archive-not-extracted", "archives-inside",
    *("bagit-profile-" + field for field in (
        "accept-bagit-version", "accept-serialization", "allow-fetch.txt", "bag-info", "data-empty",
        "fetch.txt-required", "identifier", "manifests-allowed", "manifests-required", "payload-files-allowed",
        "payload-files-required", "serialization", "tag-files-allowed", "tag-files-required", "tag-manifests-allowed",
        "tag-manifests-required")),
    "container-bomb", "container-too-large", "container-too-many", "duplicate-entry", "empty-package",
    "digest-altered", "digest-contradiction", "digest-extra-file", "digest-list-algorithm", "digest-list-line",
    "digest-list-unreadable", "digest-list-unused", "digest-missing-file", "eark-unchecked",
    "file-empty", "file-unreadable", "folder-unreadable", "format-by-extension", "format-opinions",
    "format-unknown", "infected", "link-broken", "link-invalid", "link-kept", "ocfl-into", "ocfl-root",
    "malformed", "metadata-encoding", "metadata-form", "metadata-line", "metadata-missing-file",
    "mets-invalid", "mets-schema", "mets-unchecked", "name-troublesome", "names-alike", "no-rules", "not-checked",
    "not-scanned", "path-held", "path-invalid", "path-leaves-package", "path-through-file", "path-through-link",
    "path-too-long",
    "premis-schema", "premis-unchecked", "profile-unchecked", "rar-refused",
    "rfc8493-2.1.1-declaration", "rfc8493-2.1.1-encoding", "rfc8493-2.1.1-missing", "rfc8493-2.1.1-version",
    "rfc8493-2.1.2-payload", "rfc8493-2.1.3-asterisk", "rfc8493-2.1.3-contradiction", "rfc8493-2.1.3-dot",
    "rfc8493-2.1.3-line", "rfc8493-2.1.3-none", "rfc8493-2.1.3-normalization", "rfc8493-2.1.3-twice",
    "rfc8493-2.2.2-oxum", "rfc8493-2.2.3-fetch", "rfc8493-2.2.3-fetched", "rfc8493-2.2.3-line",
    "rfc8493-2.2.3-would-fetch",
    "rfc8493-2.4-algorithm", "rfc8493-3-altered", "rfc8493-3-missing",
    "rfc8493-3-unlisted", "rfc8493-5.2-path",
    "rocrate-altered", "rocrate-context", "rocrate-descriptor", "rocrate-digest", "rocrate-document", "rocrate-entity",
    "rocrate-missing", "rocrate-path", "rocrate-root", "rocrate-size", "rocrate-undescribed",
    "rocrate-unchecked", "rocrate-unlinked",
    "scan-limits", "source-changed", "special-file", "tar-cut", "tar-damaged", "tar-more",
    "time-invalid", "too-deep", "too-large", "too-many-files", "zip-comment", "zip-damaged", "zip-encrypted",
    "zip-more",
})  # fmt: skip
