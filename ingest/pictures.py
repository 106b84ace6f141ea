"""Pictures, converted and compared by Pillow in the sandbox: a decoder that fails takes only its own process along."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.errors import ConversionFailed
from ingest.sandbox import Limits, Ran, ending, room, run
from storage.digest import Digest

TOOL: Final = Path(__file__).with_name("pictures_child.py")


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made. `notes` are for PREMIS, one sentence each: what the new file does not tell of the old one."""

    tool: str  # "Pillow"
    version: str
    notes: tuple[str, ...]
    frames: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two files show the same: frames, sizes, each pixel with its alpha, ICC profile."""

    equal: bool
    why: str  # "" when equal
    pixels: int  # compared, over all frames
    frames: int  # of the longer one
    digest: Digest  # over mode, size and pixels of every frame of the first; the second's is the same when equal


def convert(source: Path, target: Path, to: str, scratch: Path, limits: Limits | None = None) -> Converted:
    """Write the picture (BMP, GIF, PCX, TGA or WebP) as "tiff" or "png" to `target`, a new file, losslessly.

    Raise ConversionFailed, and leave no target, for a file that is broken, too large or in need of what the target
    cannot hold (frames), and where the tool crashed or used up its limits; FileExistsError before all that.
    """
    target.touch(exist_ok=False)  # the only file outside its room that the tool may write
    try:
        rest = [str(target.absolute()), to]
        answer = _asked("convert", source, f"converted to {to}", rest, scratch, limits, [target])
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    tool, _, version = answer["tool"].partition(" ")
    return Converted(tool, version, tuple(answer["notes"]), answer["frames"])


def compare(a: Path, b: Path, scratch: Path, limits: Limits | None = None) -> Comparison:
    """Decode both anew and compare them; raise ConversionFailed where one cannot be decoded within the limits.

    What cannot be compared without loss (two depths, two colour models) is not equal, and `why` says so.
    """
    answer = _asked("compare", a, f"compared with {_name(b)}", [str(b.absolute())], scratch, limits)
    digest = Digest("sha256", answer["digest_a"])
    return Comparison(answer["equal"], answer["why"], answer["pixels"], answer["frames"], digest)


def _asked(
    verb: str,
    source: Path,
    wanted: str,
    rest: list[str],
    scratch: Path,
    limits: Limits | None,
    writes: Sequence[Path] = (),
) -> dict[str, Any]:
    """The tool's answer; it works in a folder of its own, which is gone afterwards."""
    limits = limits or Limits()
    with room(scratch) as folder:
        command = [sys.executable, "-I", "-B", str(TOOL), verb, str(source.absolute()), *rest]
        ran = run(command, folder, limits, writes)
    if ran.exit != 0:
        raise ConversionFailed(_name(source), wanted, _why(ran, limits))
    try:
        answer: dict[str, Any] = json.loads(ran.output)
    except ValueError as error:  # cut off after HEARD bytes: thousands of frames, no two of one duration
        raise ConversionFailed(_name(source), wanted, "the tool's answer cannot be read") from error
    return answer


def _why(ran: Ran, limits: Limits) -> str:
    """What the tool said when it refused (exit 1: its own sentence), else how it ended."""
    said = ran.errors.decode("utf-8", "replace").strip().splitlines()
    return said[-1].rstrip(".") if ran.exit == 1 and said else ending(ran, limits)


def _name(path: Path) -> str:
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")
