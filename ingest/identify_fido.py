"""fido's own data, by fido's own reader, as a table of signatures.

fido's matcher is not called: it opens paths only, re-reads the container signatures for every zip, writes to stderr,
and leans on the cache of `re`, which it sets to 2,084 entries for 2,299 patterns.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from fido import CONFIG_DIR, __version__  # type: ignore[import-untyped]
from fido.fido import Fido  # type: ignore[import-untyped]
from fido.versions import get_local_versions  # type: ignore[import-untyped]

from ingest.identify import Format
from ingest.signatures import Contents, Pattern, Rule, Signatures


def load_signatures() -> Signatures:
    """Read the files that opf-fido's versions.xml names: the default of Fido() is not there."""
    versions = get_local_versions(CONFIG_DIR)
    fido = Fido(quiet=True, format_files=[versions.pronom_signature, versions.fido_extension_signature])
    inside = ET.parse(os.path.join(CONFIG_DIR, versions.pronom_container_signature))
    dated = re.sub(r"\D", "", versions.pronom_container_signature)
    return Signatures(
        version=f"{__version__} (PRONOM v{versions.pronom_version}, containers {dated})",
        rules=tuple(map(_rule, fido.formats)),
        containers={
            kind: _contents(fido.extract_signatures(inside, signature_type=name))
            for kind, name in (("zip", "ZIP"), ("ole", "OLE2"))
        },
    )


def _rule(element: ET.Element) -> Rule:
    puid, name, version, mime, container = (
        element.findtext(key) or "" for key in ("puid", "name", "version", "mime", "container")
    )
    signatures = (signature.findall("pattern") for signature in element.findall("signature"))
    return Rule(
        Format(puid, name, version, mime),
        tuple(tuple(map(_pattern, patterns)) for patterns in signatures),
        frozenset(extension.text or "" for extension in element.findall("extension")),
        frozenset(inferior.text or "" for inferior in element.findall("has_priority_over")),
        "ole" if puid == "fmt/111" else container,  # Fido.container_type: OLE2 has no <container> element
    )


def _pattern(element: ET.Element) -> Pattern:
    return Pattern(element.findtext("position") or "", (element.findtext("regex") or "").encode())


def _contents(found: Mapping[str, Mapping[str, Sequence[Mapping[str, bytes]]]]) -> Contents:
    """Flatten what Fido.extract_signatures returns: {path: {PUID: [{"signature": expression, …}]}}."""
    return {
        path: tuple((puid, each["signature"]) for puid, many in puids.items() for each in many)
        for path, puids in found.items()
    }
