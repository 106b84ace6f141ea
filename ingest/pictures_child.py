"""The picture tool: `convert SOURCE TARGET tiff|png` and `compare A B`, JSON on stdout, exit 1 with one line on stderr.

It runs alone in the sandbox (`python -I`) and imports Pillow and nothing of ours. Pillow is trusted with what it
decodes, not with what it passes over in silence: WHOLE holds the checks for that, and `lost` tells the rest.
"""

from __future__ import annotations

import hashlib
import json
import operator
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import groupby, zip_longest
from typing import IO, Any

import PIL.GifImagePlugin
import PIL.PcxImagePlugin
import PIL.PngImagePlugin
import PIL.TgaImagePlugin
import PIL.WebPImagePlugin
from PIL import BmpImagePlugin, Image, ImageFile, ImageOps, ImageSequence, TiffImagePlugin

Json = dict[str, object]

SOURCES = ("BMP", "GIF", "PCX", "TGA", "WEBP")
READABLE = (*SOURCES, "TIFF", "PNG")
EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})  # each is exact in RGBA
BAND = 1 << 20  # pixels compared at a time
ORIENTATION = 0x0112  # TIFF 6.0 and Exif

#: What Pillow raises for what it cannot decode. Warnings are errors here, so that a picture of more than
#: Image.MAX_IMAGE_PIXELS is one; MemoryError is the sandbox's limit.
UNDECODABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, TypeError, struct.error),
    *(Image.DecompressionBombError, Warning, MemoryError),
)


def convert(source: str, target: str, to: str) -> Json:
    """Write every frame of the source, each pixel as it is, into the target, which lies there empty."""
    write = {"tiff": write_tiff, "png": write_png}[to]
    with Image.open(source, formats=SOURCES) as picture, open(source, "rb") as file, open(target, "w+b") as made:
        WHOLE.get(picture.format or "", check_nothing)(file)
        facts: Json = {"format": picture.format, "mode": picture.mode, "size": picture.size}
        durations = write(picture, made, profile(picture, file))
        notes = [*timing(picture, durations), *lost(picture, file, to)]
    return {**facts, "frames": len(durations), "notes": notes, "tool": f"Pillow {PIL.__version__}"}


def write_tiff(picture: ImageFile.ImageFile, made: IO[bytes], icc: bytes | None) -> list[int]:
    """Write one page a frame, deflated; return the frames' durations in milliseconds.

    Page by page, since `save(save_all=True)` would hold every frame. Palettes are expanded: TIFF has no transparent
    colour, and Pillow writes 255 as 65280, which some programs read as 254.
    """
    tags = {ORIENTATION: orientation(picture)} if orientation(picture) != 1 else {}
    options: dict[str, Any] = {"compression": "tiff_adobe_deflate", "icc_profile": icc, "tiffinfo": tags}
    durations = []
    with TiffImagePlugin.AppendingTiffWriter(made, new=True) as pages:
        for frame in ImageSequence.Iterator(picture):
            expanded(frame).save(pages, "TIFF", **options, **resolution(picture))
            pages.newFrame()
            durations.append(frame.info.get("duration", 0))
    return durations


def write_png(picture: ImageFile.ImageFile, made: IO[bytes], icc: bytes | None) -> list[int]:
    """Write the only frame; return its duration."""
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise ValueError(f"it has {frames} frames, of which PNG would keep one; TIFF keeps all")
    options = resolution(picture)
    if "exif" in picture.info or orientation(picture) != 1:
        options["exif"] = picture.info.get("exif", picture.getexif())
    picture.save(made, "PNG", icc_profile=icc, **options)
    return [picture.info.get("duration", 0)]


def expanded(frame: Image.Image) -> Image.Image:
    """The same pixels without a palette and without a transparent colour."""
    if frame.mode in ("P", "PA"):
        return frame.convert("RGBA" if frame.has_transparency_data else "RGB")
    if "transparency" in frame.info:
        return frame.convert("LA" if frame.mode in ("1", "L") else "RGBA")
    return frame


def resolution(picture: Image.Image) -> dict[str, Any]:
    dpi = picture.info.get("dpi", (0, 0))
    return {"dpi": dpi} if min(dpi) > 0 else {}


def orientation(picture: Image.Image) -> int:
    """How it is to be turned when shown, 1 for not at all."""
    return int(picture.getexif().get(ORIENTATION, 1))


def profile(picture: Image.Image, file: IO[bytes]) -> bytes | None:
    """The ICC profile; of a BMP ([MS-WMF] 2.2.2.5, BITMAPV5HEADER) it is read here, since Pillow does not."""
    if picture.format != "BMP" or colour_space(file) != b"DEBM":
        return picture.info.get("icc_profile")
    file.seek(14 + 112)
    start, size = struct.unpack("<II", file.read(8))
    file.seek(14 + start)
    if len(icc := file.read(size)) < size:
        raise ValueError("the BMP breaks off before the end of its ICC profile")
    return icc


def colour_space(file: IO[bytes]) -> bytes:
    """What a BMP of version 4 or 5 says, "BGRs" (that is sRGB) for one that says nothing."""
    file.seek(14)
    header = file.read(60)
    return header[56:60] if header[0] in (108, 124) else b"BGRs"


def timing(picture: Image.Image, durations: list[int]) -> Iterator[str]:
    """What pages cannot tell of an animation."""
    if len(durations) > 1:
        runs = ", ".join(f"{len(list(run))} × {length}" for length, run in groupby(durations))
        loop = picture.info.get("loop")
        times = "once" if loop is None else "for ever" if loop == 0 else f"{loop} times"
        yield f"animation: durations in ms {runs}; played {times}; each page is a whole frame, as shown"


def lost(picture: Image.Image, file: IO[bytes], to: str) -> Iterator[str]:
    """What the new file does not tell of the old one, once all frames were read."""
    for name in ("comment", "id_section"):
        if told := picture.info.get(name):
            yield f"not carried over: {name} {told[:500]!r}"
    for name in ("exif", "xmp"):
        if name in picture.info and (name, to) != ("exif", "png"):
            yield f"not carried over: {name}"
    yield from {"BMP": lost_of_bmp, "TGA": lost_of_tga}.get(picture.format or "", nothing_lost)(file)
    if picture.info.get("extension", (b"NETSCAPE2.0",))[0][:11] not in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
        yield f"not carried over: GIF application extension {picture.info['extension'][0][:11]!r}"


def nothing_lost(file: IO[bytes]) -> Iterator[str]:
    return iter(())


def lost_of_tga(file: IO[bytes]) -> Iterator[str]:
    """What lies behind its pixels: author, date, gamma and the like (Truevision TGA 2.0, extension area)."""
    file.seek(max(0, file.seek(0, 2) - 26))
    footer = file.read()
    if footer.endswith(b"TRUEVISION-XFILE.\0") and any(footer[:8]):
        yield "not carried over: the TGA's extension or developer area"


def lost_of_bmp(file: IO[bytes]) -> Iterator[str]:
    if colour_space(file) not in (b"BGRs", b" niW", b"DEBM"):
        yield "not carried over: the BMP header's own colour space"
    file.seek(28)
    if struct.unpack("<HI", file.read(6)) == (32, 0):  # bits a pixel, BI_RGB
        with with_fourth_byte(file) as again:
            if again.getchannel("A").getextrema() not in ((0, 0), (255, 255)):
                yield "not carried over: the unused fourth byte of each pixel, which some programs took for alpha"


def with_fourth_byte(file: IO[bytes]) -> ImageFile.ImageFile:
    """The BMP once more, with that byte as its alpha."""
    BmpImagePlugin.USE_RAW_ALPHA = True
    try:
        return Image.open(file, formats=["BMP"])
    finally:
        BmpImagePlugin.USE_RAW_ALPHA = False


def check_nothing(file: IO[bytes]) -> None: ...


def check_gif(file: IO[bytes]) -> None:
    """Walk the blocks to the trailer (GIF89a §27): Pillow takes a file cut between two frames for whole."""
    file.seek(10)
    file.seek(13 + table(file.read(1)))
    while (kind := file.read(1)) != b";":
        if kind == b"\0":  # some writers leave it between blocks
            continue
        if kind not in (b",", b"!"):
            raise ValueError("the GIF breaks off before its end")
        skipped = table(file.read(9)[8:]) if kind == b"," else 0
        file.seek(skipped + 1, 1)
        while (size := file.read(1)) not in (b"", b"\0"):
            file.seek(size[0], 1)


def table(flags: bytes) -> int:
    """How many bytes of colours follow, by the flags of a screen or an image."""
    return 3 << ((flags[0] & 7) + 1) if flags >= b"\x80" else 0


def check_pcx(file: IO[bytes]) -> None:
    """See that a picture of 256 colours has its palette: Pillow takes one without for grey."""
    header = file.read(128)
    if (header[3], header[65]) == (8, 1):
        file.seek(-769, 2)
        if file.read(1) != b"\x0c":
            raise ValueError("the PCX lacks the palette at its end")


WHOLE = {"GIF": check_gif, "PCX": check_pcx}


def compare(a: str, b: str) -> Json:
    """Compare frames, sizes, every pixel with its alpha, and the ICC profile; the digests are over all `bands`."""
    tally = Tally()
    with Image.open(a, formats=READABLE) as one, Image.open(b, formats=READABLE) as other:
        with open(a, "rb") as first, open(b, "rb") as second:
            if profile(one, first) != profile(other, second):
                tally.why.append("the ICC profiles differ")
        try:
            for pair in zip_longest(shown(one), shown(other)):
                tally.add(*pair)
        except NotComparable as error:
            tally.why.append(f"not comparable: {error}")
    return tally.told()


class NotComparable(Exception):
    """To compare them, Pillow would have to lose something first."""


class Tally:
    """What a comparison has seen so far."""

    def __init__(self) -> None:
        self.why: list[str] = []
        self.frames = self.pixels = self.differences = 0
        self.sums = hashlib.sha256(), hashlib.sha256()

    def add(self, one: Image.Image | None, other: Image.Image | None) -> None:
        """Take in the next frame of each, None after the last; pixels count where mode and size are the same."""
        self.frames += 1
        heads = head(one), head(other)
        if heads[0] != heads[1]:
            self.why.append(f"frame {self.frames} is not comparable: {heads[0]} against {heads[1]}")
        elif one is not None:
            self.pixels += one.width * one.height
        for parts in zip_longest(bands(one), bands(other), fillvalue=b""):
            for total, part in zip(self.sums, parts, strict=True):
                total.update(part)
            if heads[0] == heads[1] and parts[0] != parts[1]:
                self.differences += unlike(*parts, width=pixel_width(one))

    def told(self) -> Json:
        why = [*self.why[:3], *([f"{self.differences} of {self.pixels} pixels differ"] if self.differences else [])]
        counts = {"frames": self.frames, "pixels": self.pixels, "differences": self.differences}
        digests = {f"digest_{name}": total.hexdigest() for name, total in zip("ab", self.sums, strict=True)}
        return {"equal": not why, "why": "; ".join(why), **counts, **digests}


def shown(picture: ImageFile.ImageFile) -> Iterator[Image.Image]:
    """Each frame in turn, upright; raise NotComparable where Pillow would read 16 bits a channel as 8."""
    for frame in ImageSequence.Iterator(picture):
        raw = " ".join(str(tile.args) for tile in picture.tile)
        if picture.format in ("TIFF", "PNG") and ";16" in raw and not frame.mode.startswith("I"):
            raise NotComparable(f"Pillow reads only 8 of its 16 bits a channel ({frame.mode})")
        frame.load()
        turned = picture.format != "TIFF" and orientation(frame) != 1  # Pillow turns a TIFF by itself
        yield ImageOps.exif_transpose(frame) if turned else frame


def head(frame: Image.Image | None) -> str:
    """The mode that it is compared in, and its size."""
    if frame is None:
        return "no frame"
    return f"{'RGBA' if frame.mode in EIGHT_BITS else frame.mode} {frame.width}×{frame.height}"


def common(part: Image.Image) -> Image.Image:
    """The same pixels in the mode that they are compared in."""
    return part.convert("RGBA") if part.mode in EIGHT_BITS else part


def bands(frame: Image.Image | None) -> Iterator[bytes]:
    """A line that tells mode and size, then the pixels, from the top, some rows at a time."""
    if frame is not None:
        yield f"{head(frame)}\n".encode()
        rows = max(1, BAND // frame.width)
        for top in range(0, frame.height, rows):
            yield common(frame.crop((0, top, frame.width, min(top + rows, frame.height)))).tobytes()


def pixel_width(frame: Image.Image | None) -> int:
    return len(common(frame.crop((0, 0, 1, 1))).tobytes()) if frame else 1


def unlike(one: bytes, other: bytes, width: int) -> int:
    """How many pixels of `width` bytes differ."""
    return sum(map(operator.ne, struct.iter_unpack(f"{width}s", one), struct.iter_unpack(f"{width}s", other)))


VERBS: dict[str, Callable[..., Json]] = {"convert": convert, "compare": compare}


def main(arguments: list[str]) -> int:
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        answer = VERBS[arguments[0]](*arguments[1:])
    except UNDECODABLE as error:
        sys.stderr.write(f"{str(error) or type(error).__name__}\n")
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
