"""PDF by pikepdf, which is qpdf: structure, cross references, streams (ISO 32000). PDF/A is told, never validated."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

import pikepdf

Looked = tuple[list[str], dict[str, str], str]
VERSIONS = frozenset({*(f"1.{minor}" for minor in range(8)), "2.0"})


class Encrypted(Exception):
    """It cannot be read without a password."""


UNCHECKED = (Encrypted,)


def version() -> str:
    return f"{pikepdf.__version__} (qpdf {pikepdf.__libqpdf_version__})"


def look(path: str) -> Looked:
    """What is wrong with it, by qpdf; what it had to repair is wrong."""
    try:
        with pikepdf.open(path) as pdf:
            opened, hints = pdf.get_warnings(), _plain(misleading(pdf), path)
            found = _plain([*opened, *pdf.check_pdf_syntax(), *pdf.get_warnings()], path)
            told = properties(pdf)
    except pikepdf.PasswordError as error:
        raise Encrypted("it is encrypted, and cannot be read without its password") from error
    except pikepdf.PdfError as error:
        found, told, hints = _plain([error], path), {}, []
    problems = [line for line in found if line not in hints]
    if told.get("version", "2.0") not in VERSIONS:
        problems.append(f"there is no PDF {told['version']}")
    if told.get("pages") == "0":
        problems.append("it has no pages")
    return problems, told, "\n".join([*problems, *hints])


def misleading(pdf: pikepdf.Pdf) -> Iterable[object]:
    """What is wrong with the hints that let a viewer show the first page early. Whoever reads the file whole passes
    over them (ISO 32000-1 annex F), so that it is as well-formed with wrong ones."""
    if not pdf.is_linearized:
        return []
    pdf.check_linearization(StringIO())
    return pdf.get_warnings()


def _plain(lines: Iterable[object], path: str) -> list[str]:
    """Each line once, without the name of the file."""
    return list(dict.fromkeys(str(line).removeprefix("WARNING: ").removeprefix(path).lstrip(" :,") for line in lines))


def properties(pdf: pikepdf.Pdf) -> dict[str, str]:
    told = {"version": pdf.pdf_version, "pages": str(len(pdf.pages)), "encrypted": said(pdf.is_encrypted)}
    told |= {"tagged": said("/StructTreeRoot" in pdf.Root), "attachments": str(len(pdf.attachments))}
    try:
        with pdf.open_metadata() as metadata:
            told["PDF/A claimed, not validated"] = metadata.pdfa_status or "none"
    except (ValueError, SyntaxError):  # what its XMP says cannot be read; that is no part of its structure
        told["PDF/A claimed, not validated"] = "not readable"
    return told


def said(fact: bool) -> str:
    return "yes" if fact else "no"
