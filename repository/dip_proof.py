"""The proof that goes with a DIP, where the form has a place for it; else in a folder beside it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from repository.dip import Out, writing
from storage import bag
from storage.aip import Record
from storage.digest import Digest

if TYPE_CHECKING:
    from repository.proving import Proof

VERIFIER = "verify_proof.py"
IN_BAG = "tianyi-proof"  # a tag folder
IN_CRATE = "proof"
_BESIDE = ".proof"
_OURS = re.compile(r"proof-\d{4}-\d{4,}\.json|verify_proof\.py|bagit\.txt|bag-info\.txt|manifest-sha256\.txt")


def parts(proof: Proof) -> Mapping[str, bytes]:
    """The proof and what checks it, by name."""
    return {proof.name: proof.data, VERIFIER: _verifier()}


def write(out: Out, proof: Proof, folder: str) -> Iterator[tuple[str, Digest]]:
    """Write proof and verifier into a folder of the DIP, "" for the DIP's own; yield path and digest of each."""
    prefix = f"{folder}/" if folder else ""
    for name, data in parts(proof).items():
        yield f"{prefix}{name}", out.stream([data], f"{prefix}{name}")


def write_tag_files(out: Out, record: Record, folder: str) -> Iterator[tuple[str, Digest]]:
    """Write the tag files of the AIP's bag, which plain files are held against; yield path and digest of each."""
    prefix = f"{folder}/" if folder else ""
    for line in out.vault.tag_files(record):
        if line.path in (bag.BAGIT, bag.INFO, bag.MANIFEST):
            out.blob(line.digest, f"{prefix}{line.path}".encode())
            yield f"{prefix}{line.path}", line.digest


def write_beside(out: Out, record: Record, proof: Proof, dest: Path) -> None:
    """The proof of a DIP that has no place for it, in a folder beside it, with what plain files are held against.

    An older such folder, of a DIP that was there before, is replaced; raises NotEmpty where it holds anything else.
    """
    with writing(out.vault, beside(dest), out.progress, out.workers) as own:
        for _ in (*write(own, proof, ""), *write_tag_files(own, record, "")):
            pass


def make_room(dest: Path) -> None:
    """Remove the proof of a DIP that was at this place before, where the folder holds nothing else."""
    folder = beside(dest)
    if not os.path.lexists(dest) and folder.is_dir() and all(map(_OURS.fullmatch, os.listdir(folder))):
        shutil.rmtree(folder)


def place(dest: Path, form: str, proof: Proof, exact: bool) -> Path:
    """Where the proof of a DIP is."""
    folder = beside(dest) if exact else dest / (IN_BAG if form == "bag" else IN_CRATE)
    return folder / proof.name


def beside(dest: Path) -> Path:
    """`<name>.proof`."""
    return dest.with_name(f"{dest.name}{_BESIDE}")


@cache
def _verifier() -> bytes:
    return (files("fixity") / VERIFIER).read_bytes()
