"""Raster pictures by Pillow: every frame is decoded, every checksum that the format has is checked."""

from __future__ import annotations

import importlib
import re
import struct
import warnings
from typing import IO

import PIL
from PIL import Image, ImageSequence, UnidentifiedImageError

Looked = tuple[list[str], dict[str, str], str]
#: Of what Pillow does not know it speaks in these words; all else that it raises is about broken bytes.
UNKNOWN = re.compile(r"unsupported|not supported|unknown|unrecogni[sz]ed|not (available|implemented)|cannot handle")
BROKEN = (OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, TypeError, KeyError, struct.error)


MARKED = ("PNG", "GIF", "JPEG", "JPEG2000", "TIFF", "BMP", "WEBP", "ICO", "PSD", "PPM")  # they begin as no other does
UNMARKED = ("PCX", "TGA")


class Unknown(Exception):
    """It is of a kind that Pillow does not read."""


UNCHECKED = (Unknown,)


def version() -> str:
    return PIL.__version__


def look(path: str) -> Looked:
    """What is wrong with it, by Pillow, and what it says of itself."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # large plans are none of our business: memory is bounded
    with open(path, "rb") as file:
        try:
            whole(file)
            with opened(file) as picture:
                told = properties(picture)
                told["frames"] = str(sum(frame.load() is not None for frame in ImageSequence.Iterator(picture)))
            with opened(file) as picture:
                picture.verify()
        except BROKEN as error:
            why = str(error) or type(error).__name__
            if UNKNOWN.search(why):
                raise Unknown(f"Pillow does not read it: {why}") from error
            return [why], {}, ""
    return [], told, ""


def whole(file: IO[bytes]) -> None:
    """What Pillow passes over in silence."""
    if file.read(6) in (b"GIF87a", b"GIF89a"):
        importlib.import_module("pictures_child").check_gif(file)


def opened(file: IO[bytes]) -> Image.Image:
    """The picture, by the reader that knows its first bytes, so that what that one says is heard."""
    Image.init()
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    for name in MARKED:
        factory, accepts = Image.OPEN[name]
        if accepts and accepts(head):
            return factory(file, "")
    try:
        return Image.open(file, formats=UNMARKED)
    except UnidentifiedImageError as error:
        raise ValueError("it begins as no picture does that Pillow knows") from error


def properties(picture: Image.Image) -> dict[str, str]:
    told = {"format": str(picture.format), "width": str(picture.width), "height": str(picture.height)}
    told["colour mode"] = picture.mode
    if compression := picture.info.get("compression"):
        told["compression"] = str(compression)
    if dpi := picture.info.get("dpi"):
        told["resolution (dpi)"] = " × ".join(f"{float(one):g}" for one in dpi)
    told["ICC profile"] = "yes" if picture.info.get("icc_profile") else "no"
    return told
