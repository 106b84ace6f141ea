"""The other side: what a user would pick instead, each called the way its own manual says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import programs
from benchmarks.programs import own_bin, peers_bin
from benchmarks.sides import Argv, Folders, Side, a_line_a_file, copied, count, shell

HERE = Path(__file__).parent
PROCESSES = 2  # that every tool with a choice is given: as many as floor.py has


def python(script: Path, *arguments: Path | str) -> Argv:
    """Return the call of a script by the Python that has the peers."""
    return [str(peers_bin() / "python"), str(script), *map(str, arguments)]


def bagit(*arguments: Path | str) -> Argv:
    """Return a call of bagit's own command."""
    return python(peers_bin() / "bagit.py", "--quiet", "--processes", str(PROCESSES), *arguments)


def bag_of(folder: Path, source: Path) -> Sequence[Argv]:
    """Make a bag of a copy of the source."""
    return ["cp", "-a", f"{source}/.", str(folder)], bagit("--sha256", folder)


def restic(at: Folders, *arguments: Path | str) -> Argv:
    """Return a call of restic on the run's own repository, with a cache that is as new as it."""
    settings = ("RESTIC_PASSWORD=benchmark", f"RESTIC_CACHE_DIR={at.fresh / 'cache'}")
    return ["env", *settings, "restic", "--quiet", "-r", str(at.fresh / "restic"), *map(str, arguments)]


def digests(at: Folders) -> Argv:
    """Hash every file of the source; few files go one to a process, so that both processes have work."""
    batch = max(1, min(250, count(at.source) // (2 * PROCESSES)))
    return shell(
        'find "$1" -type f -print0 | xargs -0 -P "$2" -n "$3" openssl dgst -sha256',
        at.source,
        PROCESSES,
        batch,
    )


COPY = Side(
    "cp -a",
    programs.CP,
    lambda at: ["cp", "-a", str(at.source), str(at.out)],
    copies=1,
    check=copied,
)
COPY_DURABLY = Side(
    "cp -a, sync",
    programs.CP,
    lambda at: shell('cp -a "$1" "$2"; sync -f "$2"', at.source, at.out),
    copies=1,
    check=copied,
)
FLOOR = Side(
    "floor.py",
    programs.FLOOR,
    lambda at: [str(own_bin() / "python"), str(HERE / "floor.py"), str(at.source), str(at.out)],
    copies=1,
    check=lambda at, said: said.strip() == str(count(at.source)),
)
OPENSSL = Side(
    "openssl sha256",
    programs.OPENSSL,
    digests,
    check=a_line_a_file,
)
OPENSSL_COLD = replace(
    OPENSSL,
    label="openssl sha256, cold",
    before=lambda at: ([str(own_bin() / "python"), str(HERE / "cold.py"), str(at.source)],),
)
BAGIT_MAKE = Side(
    "bagit.py make",
    programs.BAGIT,
    lambda at: bagit("--sha256", at.fresh / "bag"),
    before=lambda at: (["cp", "-a", str(at.source), str(at.fresh / "bag")],),
    copies=1,
    check=lambda at, said: (at.fresh / "bag" / "tagmanifest-sha256.txt").is_file(),
)
SEQUENCE = Side(
    "cp -a, sync; siegfried; bagit.py",
    programs.SIEGFRIED,
    lambda at: shell(
        'cp -a "$1" "$2"; sync -f "$2"; "$3" "$4" siegfried "$2" "$6"; "$3" "$5" --sha256 --processes "$6" "$2"',
        at.source,
        at.out,
        peers_bin() / "python",
        HERE / "identify.py",
        peers_bin() / "bagit.py",
        PROCESSES,
    ),
    copies=1,
    check=lambda at, said: (at.out / "tagmanifest-sha256.txt").is_file(),
)
BAGIT_VALIDATE = Side(
    "bagit.py validate",
    programs.BAGIT,
    lambda at: bagit("--validate", at.kept / "bag"),
    once=lambda at: bag_of(at.kept / "bag", at.source),
    keeps=1,
)
RESTIC_BACKUP = Side(
    "restic backup",
    programs.RESTIC,
    lambda at: restic(at, "backup", at.source),
    before=lambda at: (restic(at, "init"),),
    copies=1,
)
RESTIC_CHECK = Side(
    "restic check --read-data",
    programs.RESTIC,
    lambda at: restic(at, "check", "--read-data"),
    before=lambda at: (restic(at, "init"), restic(at, "backup", at.source)),
    copies=1,
)
OCFL = Side(
    "ocfl-py create, sync",
    programs.OCFL,
    lambda at: shell(
        '"$1" "$2" create --digest sha256 --id urn:benchmark:1 --srcdir "$3" --objdir "$4"; sync -f "$4"',
        peers_bin() / "python",
        peers_bin() / "ocfl-object.py",
        at.source,
        at.out,
    ),
    copies=1,
    check=lambda at, said: (at.out / "inventory.json").is_file(),
)
FIDO = Side(
    "fido",
    programs.FIDO,
    lambda at: python(HERE / "identify.py", "fido", at.source),
    check=a_line_a_file,
)
SIEGFRIED = Side(
    "siegfried",
    programs.SIEGFRIED,
    lambda at: python(HERE / "identify.py", "siegfried", at.source),
    check=a_line_a_file,
)
