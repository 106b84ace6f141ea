"""The doctor on what is installed: Python, SQLite, the libraries that Tianyi stands on, and tools beside it."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from PIL import Image, features

from ingest import landlock, seccomp
from ingest.identify_magic import magic_opinion
from repository.doctor_check import Advice, Check, Wrong, checked

_PYTHON, _SQLITE = (3, 11), (3, 37)  # strict tables came with SQLite 3.37
_CODECS = {"WEBP": "webp", "TIFF": "libtiff", "PNG": "zlib"}  # those that need a library behind them
_PICTURES = ("BMP", "GIF", "PCX", "TGA", "WEBP", "TIFF", "PNG")

_LIBRARIES = {
    "bagit": ("bagit", "Bags cannot be checked by the Library of Congress's own tool."),
    "py7zr": ("py7zr", "No 7z file can be taken in."),
    "rocrate": ("rocrate", "No RO-Crate can be given out."),
    "lxml": ("lxml.etree", "Preservation metadata can be neither written nor read."),
    "APScheduler": ("apscheduler", "`tianyi scheduler` runs no jobs."),
    "SQLAlchemy": ("sqlalchemy", "`tianyi scheduler` has nowhere to keep its plan."),
    "sqlite-utils": ("sqlite_utils", "There is no catalogue."),
}
"""Distribution → what is imported of it, and what it costs to be without it."""

_TOOLS = {
    "verapdf": "Nobody proves that PDF/A files keep to ISO 19005. It can be declared in policies/tools.yaml.",
    "jhove": "One more opinion on files is not to be had. It can be declared in policies/tools.yaml.",
    "ffmpeg": "Sound and moving images are kept as they came; nothing migrates them.",
}
_FORMATS = {"pikepdf": ("pikepdf", "PDF files are not checked."), "av": ("av", "Sound and film are not checked.")}
_UNCONFINED = Advice(
    "warning", "A format tool that a hostile file takes over can write wherever you may: into the vault too.",
    "Use Linux 6.2 or later with Landlock, and in a container a runtime that lets it through.",
)  # fmt: skip
_TOUCHING = Advice(
    "warning",
    "A format tool that a hostile file takes over can speak to programs that listen on sockets, perhaps to the network,"
    " and change modes and owners of your files.",
    "Use Linux on x86-64 or 64-bit ARM with seccomp, and in a container a runtime that lets it through.",
)
_REINSTALL = "Install Tianyi again: pip install --force-reinstall tianyi"


def examine() -> Iterator[Check]:
    """Yield a check for each thing, required ones first."""
    yield _required("Python", "Tianyi does not run.", _python, "Install Python 3.11 or later.")
    yield _required("SQLite", "There is no catalogue and no search.", _sqlite, "Use a Python with a newer SQLite.")
    for name, (module, cost) in _LIBRARIES.items():
        yield _required(name, cost, partial(_library, name, module))
    yield _required("opf-fido", "Formats cannot be identified.", _fido)
    yield checked("libmagic", Advice("warning", "Identification has no second opinion.", _REINSTALL), _magic)
    yield _required("Pillow", "Pictures in these formats cannot be migrated.", _pillow)
    yield checked("tools confined", _UNCONFINED, _confined)
    yield checked("tools touch nobody", _TOUCHING, _touching_nobody)
    for name, (module, cost) in _FORMATS.items():
        advice = Advice("info", cost, "Install it where that is wanted: pip install 'tianyi[tools]'")
        yield checked(name, advice, partial(_library, name, module))
    for tool, cost in _TOOLS.items():
        advice = Advice("info", cost, "Nothing has to be done: Tianyi does not call it by itself.")
        yield checked(tool, advice, partial(_tool, tool))


def _required(name: str, cost: str, look: Callable[[], str], next_step: str = _REINSTALL) -> Check:
    return checked(name, Advice("error", cost, next_step), look)


def _python() -> str:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < _PYTHON:
        raise Wrong(found)
    return found


def _sqlite() -> str:
    found = sqlite3.sqlite_version
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("create virtual table words using fts5(word)")
        except sqlite3.OperationalError as error:
            raise Wrong(f"{found}, without FTS5") from error
    if sqlite3.sqlite_version_info < _SQLITE:
        raise Wrong(f"{found}, older than {'.'.join(map(str, _SQLITE))}")
    return f"{found}, with FTS5"


def _library(name: str, module: str) -> str:
    """Its version, and that it can be loaded: a library in C may be there and not fit the system."""
    try:
        found = version(name)
    except PackageNotFoundError as error:
        raise Wrong("not installed") from error
    import_module(module)
    return found


def _fido() -> str:
    from fido import CONFIG_DIR  # type: ignore[import-untyped]  # only now: it brings a client for the network along
    from fido.versions import get_local_versions  # type: ignore[import-untyped]

    return f"{_library('opf-fido', 'fido')}, PRONOM v{get_local_versions(CONFIG_DIR).pronom_version}"


def _magic() -> str:
    if (opinion := magic_opinion()) is None or not opinion.mime(b"%PDF-1.7\n"):
        raise Wrong("not to be loaded")
    return opinion.version.removeprefix("libmagic ")


def _pillow() -> str:
    Image.init()
    missing = [name for name in _PICTURES if not _reads(name)]
    found = f"{version('pillow')}: " + " ".join(name for name in _PICTURES if name not in missing)
    if missing:
        raise Wrong(f"{found}; without {' '.join(missing)}")
    return found


def _reads(name: str) -> bool:
    codec = _CODECS.get(name)
    return name in Image.OPEN and (codec is None or bool(features.check(codec)))


def _confined() -> str:
    found = f"by Landlock, ABI {landlock.abi()}"
    if landlock.abi() < landlock.WHOLE:
        raise Wrong(f"{found}, which lets them truncate files" if landlock.abi() else "no Landlock")
    return found


def _touching_nobody() -> str:
    if not seccomp.is_there():
        raise Wrong("no seccomp, or none for this processor")
    return "by seccomp"


def _tool(name: str) -> str:
    if (path := shutil.which(name)) is None:
        raise Wrong("not installed")
    return path
