"""Terms of the E-ARK vocabularies (DILCIS Board, CSIP and SIP 2.2.0) and of METS 1.12, as far as rules name them."""

from __future__ import annotations

PACKAGE_TYPES = frozenset({"SIP", "AIP", "DIP", "AIU", "AIC"})
STATUS = frozenset({"CURRENT", "SUPERSEDED"})
RECORD_STATUS = frozenset({
    "NEW", "SUPPLEMENT", "REPLACEMENT", "REPLEACEMENT", "TEST", "VERSION", "DELETE", "OTHER",
})  # fmt: skip
"""The vocabulary itself spells one of them wrongly: both are right."""
DIVISIONS = ("Metadata", "Documentation", "Schemas", "Representations")
MDTYPES = frozenset({
    "MARC", "MODS", "EAD", "DC", "NISOIMG", "LC-AV", "VRA", "TEIHDR", "DDI", "FGDC", "LOM", "PREMIS", "PREMIS:OBJECT",
    "PREMIS:AGENT", "PREMIS:RIGHTS", "PREMIS:EVENT", "TEXTMD", "METSRIGHTS", "ISO 19115:2003 NAP", "EAC-CPF", "LIDO",
    "OTHER",
})  # fmt: skip
ALGORITHMS = {
    "MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512",
}  # fmt: skip
"""The values of CHECKSUMTYPE that we compute."""
CHECKSUM_TYPES = frozenset({*ALGORITHMS, "Adler-32", "CRC32", "HAVAL", "MNP", "TIGER", "WHIRLPOOL"})
MEDIA = frozenset({
    "application", "audio", "chemical", "example", "font", "haptics", "image", "message", "model", "multipart", "text",
    "video",
})  # fmt: skip
"""The top level of IANA's media types, and the one that chemists use."""
CONTENT_TYPES = frozenset({
    "ERMS", "SIARD1", "SIARD2", "SIARDDK", "GeoData", "citscarchival_v1_0", "cscarchival_v1_0", "citserms_v2_1",
    "citserms_v3_0", "citspremis_v1_0", "cspremis_v1_0", "citsehpj_v1_0", "citsehpj_v2_0", "citsehcr_v1_0",
    "citssiard_v1_0", "citsgeospatial_v3_0", "cits3dpm_v1_0", "MIXED", "OTHER",
})  # fmt: skip
CATEGORIES = frozenset({
    "textual works - print", "textual works - digital", "textual works - electronic serials",
    "digital musical composition (score-based representations)", "musical scores - print", "musical scores - digital",
    "photographs - print", "photographs - digital", "other graphic images - print", "other graphic images - digital",
    "microforms", "audio - on tangible medium (digital or analog)", "audio - media-independent (digital)",
    "motion pictures - digital and physical media", "video - file-based and physical media", "software",
    "software and video games", "email", "datasets", "geospatial data",
    "geographic information system (gis) - vector data", "gis raster and georeferenced images",
    "gis vector and raster combined", "non-gis cartographic", "2d and 3d computer aided design",
    "design (schematics, architectural drawings) - print",
    "scanned 3d objects (output from photogrammetry scanning)", "databases", "websites", "web archives",
    "collection", "event", "image", "interactive resource", "moving image", "sound", "still image", "text",
    "physical object", "service", "mixed", "other",
})  # fmt: skip
"""Content categories, lowercase and with hyphens for dashes."""


def category(text: str) -> str:
    """A content category as CATEGORIES has it."""
    return text.casefold().replace("\N{EN DASH}", "-")
