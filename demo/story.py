"""The story as a table: what is told, and what is done. Every claim is checked at the moment that it is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from demo import trees
from demo.stage import SAMPLES, Stage

ACCESSION = SAMPLES / "accession"
ROTTEN = "Pictures/pavilion.tif"
PICTURES = 19  # of the sample's files, those whose formats the default policy migrates
SCHEDULE = """\
# Read everything again after one second, so that nobody has to wait; 90 days is the default.
every: 1 second
jobs:
  audit: {every: 1 second}
  migrate: {every: 1 second}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `pictured`: it is in the picture too."""

    title: str
    told: str
    act: Callable[[Stage], None]
    pictured: bool = False


def found(stage: Stage) -> None:
    stage.run("tianyi init archive --copy second-copy")
    identities = {(stage.folder / copy / "tianyi-vault.json").read_bytes() for copy in ("archive/vault", "second-copy")}
    stage.claim("Both folders are copies of one vault", so=len(identities) == 1)


def take_in(stage: Stage) -> None:
    before = trees.snapshot(ACCESSION)
    stage.run("tianyi ingest samples/accession --metadata samples/dc.json", most=6)
    files = sum(item.kind == "file" for item in before.values())
    (held,) = stage.ask("tianyi list")
    stage.accession, stage.aip = held["accession"], held["aip"]
    stage.claim(f"All {files} files are held", so=held["files"] == files)
    stage.claim("What the office handed over was only read", so=trees.snapshot(ACCESSION) == before)


def look(stage: Stage) -> None:
    stage.run(f"tianyi show {stage.accession}")
    ran = stage.run("tianyi search 港口 值班日志", most=4)
    stage.claim("Words of the description and of file names find it", so=stage.accession in ran.out)


def check(stage: Stage) -> None:
    stage.run("tianyi audit")
    stage.claim("Both copies are intact, and the ledger says so", so=_last_audits(stage) == {"pass"})


def rot(stage: Stage) -> None:
    blob = _blob(ROTTEN)
    trees.flip_a_bit(stage.folder / blob)
    stage.screen.say(f"(It is in {ROTTEN}, which lies in {blob[:38]}…)")
    ran = stage.run("tianyi audit", code=3)
    stage.claim("The audit names the blob, and ends with exit code 3", so=blob.rpartition("/")[2] in ran.out)


def heal(stage: Stage) -> None:
    blob = stage.folder / _blob(ROTTEN)
    stage.run("tianyi repair")
    stage.claim("The bytes are those that the office handed over", so=blob.read_bytes() == _source(ROTTEN))
    stage.run("tianyi audit", aside=True)
    stage.claim("Both copies are intact again", so=_last_audits(stage) == {"pass"})


def give_out(stage: Stage) -> None:
    stage.run(f"tianyi export {stage.accession} for-a-reader")
    ran = stage.run("bagit.py --validate for-a-reader", most=1, last=True)
    stage.claim(
        "The Library of Congress's own tool finds every file as it should be", so="is valid" in ran.err + ran.out
    )


def rebuild(stage: Stage) -> None:
    questions = (f"tianyi files {stage.accession} --all", "tianyi events")
    before = [stage.ask(question) for question in questions]
    stage.run("rm archive/catalogue.db")
    stage.run("tianyi rebuild")
    after = [stage.ask(question) for question in questions]
    rows = sum(map(len, after))
    stage.claim(f"Its {rows} rows are the same as before, the history included", so=after == before)


def schedule(stage: Stage) -> None:
    stage.write("archive/policies/audit.yaml", SCHEDULE)
    stage.run("tianyi scheduler --once")
    stage.run("tianyi jobs", aside=True)
    ran = stage.run(f"tianyi show {stage.accession}")
    made = [file for file in stage.ask(f"tianyi files {stage.accession}") if file["derived_from"]]
    stage.claim(f"Version 2 has {PICTURES} pictures more", so="version 2" in ran.out and len(made) == PICTURES)
    stage.claim("Each of them was compared with its original, pixel by pixel", so=_proved(stage) >= PICTURES)


def restore(stage: Stage) -> None:
    stage.run(f"python3 -I -S second-copy/restore.py {stage.aip[9:]} restored --as-received")
    stage.run("diff -r samples/accession restored")
    same = trees.snapshot(stage.folder / "restored") == trees.snapshot(ACCESSION)
    stage.claim("Names, bytes, modes and times are those that were handed over", so=same)


STORY = (
    Step(
        "A repository with two copies of its vault",
        "One copy lies in the repository, the other would be on another disk, better in another town.",
        found,
    ),
    Step(
        "The Harbour Office of Ningbo hands over its files",
        "Letters, registers, pictures and sound, under names that are hard to keep.",
        take_in,
        pictured=True,
    ),
    Step("What is held", "Everything is asked by accession number, and found by words.", look),
    Step("Every byte is read again", "A copy that nobody reads is a hope. An audit reads all of it.", check),
    Step("A disk goes bad", "One bit of the second copy flips. No file system would tell.", rot, pictured=True),
    Step("One copy heals the other", "Whatever reads right somewhere is brought back.", heal, pictured=True),
    Step(
        "A reader asks for it",
        "What is given out is a BagIt bag, so any tool that knows BagIt can check it.",
        give_out,
    ),
    Step("The catalogue is lost", "It is made again from the vault, with the same answers.", rebuild, pictured=True),
    Step(
        "The archive minds itself",
        "The scheduler audits, and migrates what the policy says: BMP, GIF, PCX, TGA and WebP to TIFF.",
        schedule,
        pictured=True,
    ),
    Step(
        "Twenty years later",
        "Tianyi is forgotten. There is one copy on a disk, and some Python: standard library alone (-I -S).",
        restore,
        pictured=True,
    ),
)


def _last_audits(stage: Stage) -> set[str]:
    """How the last audit of each copy ended."""
    audits = [event for event in stage.ask("tianyi events") if event["type"] == "fixity check"]
    last = {event["object"]: event["outcome"] for event in audits}
    return set(last.values()) if len(last) == 2 else set()


def _blob(name: str) -> str:
    """Where a file of the accession lies in the second copy: its name is the digest of its bytes."""
    digest = hashlib.sha256(_source(name)).hexdigest()
    return f"second-copy/blobs/sha256/{digest[:3]}/{digest}"


def _source(name: str) -> bytes:
    return (ACCESSION / name).read_bytes()


def _proved(stage: Stage) -> int:
    """How many migrations have a proof on record."""
    events = stage.ask(f"tianyi events {stage.accession}")
    migrations = [event for event in events if event["source"] == "premis" and event["type"] == "migration"]
    return sum("equal" in json.dumps(event) for event in migrations)
