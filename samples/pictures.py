"""The kinds of picture: each function returns the bytes of a whole file, the same on each run.

PyPI: pillow (with its libtiff, OpenJPEG and libwebp).
"""

from __future__ import annotations

import io
import struct

import drawings
import words
from PIL import Image
from PIL.PngImagePlugin import PngInfo

TAKEN = "1993:06:01 12:00:00"
DENSITY = {0x011A: 72, 0x011B: 72, 0x0128: 2, 0x0213: 1}
COLOURS = {0x9101: b"\1\2\3\0", 0xA000: b"0100", 0xA001: 1}
WHERE = {0: b"\2\3\0\0", 1: "N", 2: (29.0, 52.0, 30.0), 3: "E", 4: (121.0, 33.0, 0.0)}


def picture(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as Pillow writes it in the format `kind`."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette(image: Image.Image, colours: int = 64) -> Image.Image:
    """Return the image with a palette of its own."""
    return image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def bmp_with_alpha(image: Image.Image) -> bytes:
    """Return a BMP of 32 bits, whose BITMAPV5HEADER names a mask for the alpha channel."""
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    start, metre = 14 + 124, 2835  # where the pixels begin; pixels in a metre
    file = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    size = struct.pack("<IiiHHIIiiII", 124, *image.size, 1, 32, 3, len(pixels), metre, metre, 0, 0)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    colours = struct.pack("<4s48xIIII", b"BGRs", 4, 0, 0, 0)  # sRGB, meant as a picture
    return file + size + masks + colours + pixels


def gif_with_clear_ground() -> bytes:
    """Return the seal as a GIF in which one colour of the palette stands for nothing."""
    seal = drawings.seal()
    on_white = Image.alpha_composite(Image.new("RGBA", seal.size, "white"), seal)
    shown = palette(on_white.convert("RGB"), 31)
    shown.paste(31, mask=seal.getchannel("A").point([255] * 40 + [0] * 216))
    return picture(shown, "GIF", transparency=31)


def gif_that_moves() -> bytes:
    """Return the voyage as a GIF that repeats for ever."""
    first, *rest = [palette(frame, 32) for frame in drawings.voyage(12, 96, 72)]
    return picture(first, "GIF", save_all=True, append_images=rest, duration=120, loop=0)


def tiff(image: Image.Image, title: str, **options: object) -> bytes:
    """Return a TIFF with its description (tag 270), date (306), artist (315) and rights (33432)."""
    tags = {270: title, 306: TAKEN, 315: words.OFFICE, 33432: words.RIGHTS}
    return picture(image, "TIFF", tiffinfo=tags, dpi=(150, 150), **options)


def tiff_of_pages() -> bytes:
    """Return a TIFF of three pages: black and white, grey, and colour."""
    rest = [drawings.book().convert("L"), drawings.harbour()]
    pages = {"save_all": True, "append_images": rest, "compression": "tiff_adobe_deflate"}
    return tiff(drawings.pavilion().convert("1"), "Three pages", **pages)


def jpeg_with_exif() -> bytes:
    """Return a JPEG that tells when, by whom and where it was made (Exif 2.31)."""
    image, exif = drawings.harbour(), Image.Exif()
    exif.update({270: "The mole, from the quay", 315: words.OFFICE, 33432: words.RIGHTS, **DENSITY})
    size = {0xA002: image.width, 0xA003: image.height}
    exif.get_ifd(0x8769).update({0x9000: b"0231", 0x9003: TAKEN, 0x9011: "+08:00", **COLOURS, **size})
    exif.get_ifd(0x8825).update(WHERE)
    return picture(image, "JPEG", quality=85, exif=exif)


def png_with_text() -> bytes:
    """Return a PNG with an alpha channel, a Latin-1 `tEXt` chunk and a Unicode `iTXt` chunk."""
    text = PngInfo()
    text.add_text("Author", words.OFFICE)
    text.add_itxt("Title", "天一之印", lang="zh", tkey="题名")
    return picture(drawings.seal(), "PNG", pnginfo=text, optimize=True)
