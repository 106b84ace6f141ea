"""The picture tool: every mode that its formats hold comes out as it went in, and what is broken is refused.

Most cases call the tool's functions in this process, a few go through the sandbox as the repository does.
"""

import io
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ingest import pictures_child as tool
from ingest.pictures import ConversionFailed, compare, convert
from ingest.sandbox import Limits

SIZE = (19, 11)
RAMP = Image.linear_gradient("L").resize(SIZE)
COLOUR = Image.merge("RGB", (RAMP, RAMP.rotate(90), RAMP.rotate(180)))
CLEAR = COLOUR.copy()
CLEAR.putalpha(RAMP.rotate(270))
INDEXED = COLOUR.quantize(20)
FRAMES = [COLOUR.rotate(9).quantize(30), COLOUR.rotate(50).quantize(30)]
TGA_2 = b"TRUEVISION-XFILE.\0"
MOVING = {"save_all": True, "duration": [100, 100, 40], "loop": 0}


def indexed_with_alpha() -> Image.Image:
    image = INDEXED.copy()
    image.putpalette(bytes(part for i in range(20) for part in (i * 6, 255 - i, 7, i * 5)), "RGBA")
    return image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bmp(bits: int, pixels: bytes, palette: bytes = b"", masks: bytes = b"", icc: bytes = b"") -> bytes:
    """A BMP 8 × 2 by hand: BITMAPINFOHEADER, or BITMAPV5HEADER where there are masks."""
    header = 124 if masks else 40
    start = 14 + header + len(palette)
    size = struct.pack("<IiiHHIIiiII", header, 8, 2, 1, bits, 3 if masks else 0, len(pixels), 2835, 2835, 0, 0)
    space = struct.pack("<4s48xIIII", b"DEBM" if icc else b"BGRs", 4, start - 14 + len(pixels), len(icc), 0)
    head = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + size
    return head + (masks + space if masks else b"") + palette + pixels + icc


MASKS = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
SIXTEEN = b"".join(bytes((i * 3, i * 5, i * 7, 0)) for i in range(16))
SMALL = {
    "4 bits": lambda: bmp(4, bytes(range(1, 17, 2)), SIXTEEN),
    "32 bits, alpha": lambda: bmp(32, bytes(range(64)), masks=MASKS),
    "32 bits, profile": lambda: bmp(32, bytes(range(64)), masks=MASKS, icc=b"profile"),
}
STILL: dict[str, Callable[[], bytes]] = {
    **{f"BMP {name}": make for name, make in SMALL.items()},
    "BMP 1": lambda: saved(RAMP.convert("1"), "BMP"),
    "BMP L": lambda: saved(RAMP, "BMP"),
    "BMP P": lambda: saved(INDEXED, "BMP", dpi=(300, 300)),
    "BMP RGB": lambda: saved(COLOUR, "BMP"),
    "BMP 32 bits": lambda: saved(COLOUR.convert("RGBA"), "BMP"),
    "GIF P": lambda: saved(INDEXED, "GIF"),
    "GIF P, one colour clear": lambda: saved(INDEXED, "GIF", transparency=3),
    "GIF L, one level clear": lambda: saved(Image.linear_gradient("L"), "GIF", transparency=100),
    "PCX 1": lambda: saved(RAMP.convert("1"), "PCX"),
    "PCX L": lambda: saved(RAMP, "PCX"),
    "PCX P": lambda: saved(INDEXED, "PCX"),
    "PCX RGB": lambda: saved(COLOUR, "PCX"),
    "TGA L, 21 bytes": lambda: saved(RAMP.resize((3, 1)), "TGA")[:21],
    "TGA 1": lambda: saved(RAMP.convert("1"), "TGA"),
    "TGA L": lambda: saved(RAMP, "TGA"),
    "TGA LA": lambda: saved(CLEAR.convert("LA"), "TGA"),
    "TGA P": lambda: saved(INDEXED, "TGA", compression="tga_rle"),
    "TGA P, alpha": lambda: saved(indexed_with_alpha(), "TGA"),
    "TGA RGB": lambda: saved(COLOUR, "TGA", compression="tga_rle"),
    "TGA RGBA": lambda: saved(CLEAR, "TGA", compression="tga_rle"),
    "WebP RGB": lambda: saved(COLOUR, "WEBP", icc_profile=b"profile"),
    "WebP RGBA": lambda: saved(CLEAR, "WEBP", lossless=True, exact=True),
}
ANIMATED: dict[str, Callable[[], bytes]] = {
    "GIF": lambda: saved(INDEXED, "GIF", append_images=FRAMES, disposal=2, **MOVING),
    "WebP": lambda: saved(CLEAR, "WEBP", append_images=FRAMES, lossless=True, **MOVING),
}


def converted(data: bytes, folder: Path, to: str) -> tuple[tool.Json, tool.Json]:
    """What the tool says of a conversion of these bytes into `folder`/new, and of the comparison."""
    (folder / "old").write_bytes(data)
    (folder / "new").unlink(missing_ok=True)
    said = tool.convert(str(folder / "old"), str(folder / "new"), to)
    return said, tool.compare(str(folder / "old"), str(folder / "new"))


@pytest.mark.parametrize("to", ["tiff", "png"])
@pytest.mark.parametrize("name", STILL)
def test_every_mode_comes_out_as_it_went_in(name: str, to: str, tmp_path: Path) -> None:
    said, proof = converted(STILL[name](), tmp_path, to)
    assert (proof["equal"], proof["why"], said["notes"]) == (True, "", [])
    with Image.open(tmp_path / "old") as old, Image.open(tmp_path / "new") as new:
        assert new.format == to.upper()
        assert new.convert("RGBA").tobytes() == old.convert("RGBA").tobytes()


@pytest.mark.parametrize(("name", "image"), [("BMP 4 bits", None), ("TGA RGBA", CLEAR), ("WebP RGBA", CLEAR)])
def test_pixels_are_those_that_were_drawn(name: str, image: Image.Image | None, tmp_path: Path) -> None:
    converted(STILL[name](), tmp_path, "tiff")
    with Image.open(tmp_path / "new") as new:
        if image is not None:
            assert new.convert("RGBA").tobytes() == image.tobytes()
        else:  # the last row of the file is the first of the picture: index 9, then 0, 11, …
            assert new.tobytes()[:6] == bytes((0, 0, 0, 9 * 7, 9 * 5, 9 * 3))


@pytest.mark.parametrize("to", ["tiff", "png"])
def test_resolution_and_profile_are_kept(to: str, tmp_path: Path) -> None:
    for name in ("BMP P", "BMP 32 bits, profile", "WebP RGB"):
        converted(STILL[name](), tmp_path, to)
        with Image.open(tmp_path / "new") as new:
            assert new.info.get("icc_profile") == (None if name == "BMP P" else b"profile")
            if name == "BMP P":
                assert new.info["dpi"] == pytest.approx((300, 300), abs=0.02)


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_becomes_pages_and_its_times_become_a_note(kind: str, tmp_path: Path) -> None:
    said, proof = converted(ANIMATED[kind](), tmp_path, "tiff")
    assert (proof["equal"], proof["frames"], proof["pixels"]) == (True, 3, 3 * 19 * 11)
    assert said["notes"] == [
        "animation: durations in ms 2 × 100, 1 × 40; played for ever; each page is a whole frame, as shown"
    ]
    with pytest.raises(ValueError, match="it has 3 frames, of which PNG would keep one"):
        converted(ANIMATED[kind](), tmp_path, "png")


@pytest.mark.parametrize("to", ["tiff", "png"])
def test_a_picture_that_is_to_be_turned_is_turned_still(to: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[tool.ORIENTATION] = 6
    said, proof = converted(saved(COLOUR, "WEBP", exif=exif), tmp_path, to)
    assert (proof["equal"], proof["pixels"]) == (True, 19 * 11)
    assert said["notes"] == (["not carried over: exif"] if to == "tiff" else [])


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (saved(CLEAR, "BMP"), "fourth byte"),
        (saved(INDEXED, "GIF", comment=b"by Lin"), "comment b'by Lin'"),
        (saved(COLOUR, "TGA", id_section=b"quay"), "id_section b'quay'"),
        (saved(COLOUR, "TGA")[:-26] + bytes(495) + struct.pack("<II", 645, 0) + TGA_2, "extension"),
        (saved(COLOUR, "WEBP", xmp=b"<x/>"), "xmp"),
    ],
)
def test_what_is_not_carried_over_is_told(data: bytes, note: str, tmp_path: Path) -> None:
    said, _ = converted(data, tmp_path, "tiff")
    assert note in " ".join(map(str, said["notes"]))  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["BMP RGB", "GIF P", "PCX P", "PCX RGB", "TGA RGBA", "WebP RGB", "WebP RGBA"])
def test_a_file_that_breaks_off_is_refused(name: str, tmp_path: Path) -> None:
    data = STILL[name]()
    for length in (0, 1, 17, 40, len(data) // 2, len(data) * 9 // 10, len(data) - 32):
        with pytest.raises(tool.UNDECODABLE):
            converted(data[:length], tmp_path, "tiff")


def test_an_animation_that_breaks_off_anywhere_is_refused(tmp_path: Path) -> None:
    data = ANIMATED["GIF"]()
    for length in range(0, len(data), 23):
        with pytest.raises(tool.UNDECODABLE):
            converted(data[:length], tmp_path, "tiff")


def test_pcx_without_its_palette_is_not_taken_for_grey(tmp_path: Path) -> None:
    data = STILL["PCX P"]()
    with pytest.raises(ValueError, match="lacks the palette"):
        converted(data[:-769] + bytes(769), tmp_path, "tiff")


@given(x=st.integers(0, 18), y=st.integers(0, 10), band=st.integers(0, 3), change=st.integers(1, 255))
@settings(max_examples=30)
def test_one_pixel_is_a_difference(x: int, y: int, band: int, change: int) -> None:
    other = CLEAR.copy()
    pixel = list(CLEAR.getpixel((x, y)))  # type: ignore[arg-type]
    pixel[band] = (pixel[band] + change) % 256
    other.putpixel((x, y), tuple(pixel))
    with tempfile.TemporaryDirectory() as folder:
        CLEAR.save(f"{folder}/a.tga")
        other.save(f"{folder}/b.tiff")
        proof = tool.compare(f"{folder}/a.tga", f"{folder}/b.tiff")
    assert (proof["equal"], proof["why"], proof["differences"]) == (False, "1 of 209 pixels differ", 1)
    assert proof["digest_a"] != proof["digest_b"]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (saved(COLOUR, "PNG"), saved(COLOUR.crop((0, 0, 19, 10)), "PNG"), "RGBA 19×11 against RGBA 19×10"),
        (saved(COLOUR, "PNG"), saved(COLOUR.convert("CMYK"), "TIFF"), "RGBA 19×11 against CMYK 19×11"),
        (saved(COLOUR, "PNG"), saved(RAMP.convert("I;16"), "PNG"), "RGBA 19×11 against I;16 19×11"),
        (ANIMATED["GIF"](), STILL["GIF P"](), "frame 2 is not comparable: RGBA 19×11 against no frame"),
        (saved(COLOUR, "PNG"), saved(COLOUR, "PNG", icc_profile=b"x"), "the ICC profiles differ"),
    ],
)
def test_what_is_not_alike_is_told(one: bytes, other: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(one)
    (tmp_path / "other").write_bytes(other)
    proof = tool.compare(str(tmp_path / "one"), str(tmp_path / "other"))
    assert proof["equal"] is False
    assert why in str(proof["why"])


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "CMYK"])
def test_other_depths_are_compared_as_they_are(mode: str, tmp_path: Path) -> None:
    for name, value in (("a", 0), ("b", 0), ("c", 1)):
        image = COLOUR.convert("CMYK") if mode == "CMYK" else RAMP.convert(mode)
        image.putpixel((3, 3), (value, 0, 0, 0) if mode == "CMYK" else value)
        image.save(tmp_path / name, "TIFF")
    assert tool.compare(str(tmp_path / "a"), str(tmp_path / "b"))["equal"] is True
    assert tool.compare(str(tmp_path / "a"), str(tmp_path / "c"))["differences"] == 1


def test_sixteen_bits_a_channel_are_not_compared_as_eight(tmp_path: Path) -> None:
    """A PNG 1 × 1 of three times 16 bits, which Pillow would read as eight."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    data = head + chunk(b"IDAT", zlib.compress(bytes(7))) + chunk(b"IEND", b"")
    (tmp_path / "a").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    proof = tool.compare(str(tmp_path / "a"), str(tmp_path / "a"))
    assert (proof["equal"], proof["pixels"]) == (False, 0)
    assert proof["why"] == "not comparable: Pillow reads only 8 of its 16 bits a channel (RGB)"


class TestInTheSandbox:
    """The caller's side."""

    @pytest.fixture
    def scratch(self, tmp_path: Path) -> Path:
        (tmp_path / "scratch").mkdir()
        return tmp_path / "scratch"

    def test_convert_and_compare(self, tmp_path: Path, scratch: Path) -> None:
        source, target = tmp_path / "a \udcff.gif", tmp_path / "a.tif"
        source.write_bytes(ANIMATED["GIF"]())
        made = convert(source, target, "tiff", scratch)
        assert (made.tool, made.frames, len(made.notes)) == ("Pillow", 3, 1)
        proof = compare(source, target, scratch)
        assert (proof.equal, proof.why, proof.pixels, proof.frames) == (True, "", 627, 3)
        assert compare(target, source, scratch).digest == proof.digest
        assert list(scratch.iterdir()) == []

    def test_a_broken_file_leaves_no_target(self, tmp_path: Path, scratch: Path) -> None:
        source = tmp_path / "a.bmp"
        source.write_bytes(STILL["BMP RGB"]()[:-100])
        with pytest.raises(ConversionFailed, match=r"a\.bmp could not be converted to png: .*truncated") as caught:
            convert(source, tmp_path / "a.png", "png", scratch)
        assert caught.value.next.startswith("The original is as it was.")
        assert not (tmp_path / "a.png").exists()
        with pytest.raises(ConversionFailed, match=r"a\.bmp could not be compared with a\.bmp"):
            compare(source, source, scratch)
        assert list(scratch.iterdir()) == []

    def test_an_existing_target_is_not_touched(self, tmp_path: Path, scratch: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"mine")
        with pytest.raises(FileExistsError):
            convert(tmp_path / "a.bmp", tmp_path / "a.png", "png", scratch)
        assert (tmp_path / "a.png").read_bytes() == b"mine"

    def test_a_bomb_is_refused_before_it_takes_memory(self, tmp_path: Path, scratch: Path) -> None:
        bomb = bytearray(bmp(24, bytes(48)))
        struct.pack_into("<ii", bomb, 18, 60_000, 60_000)
        (tmp_path / "bomb.bmp").write_bytes(bomb)
        with pytest.raises(ConversionFailed, match="could be decompression bomb"):
            convert(tmp_path / "bomb.bmp", tmp_path / "a.tif", "tiff", scratch, Limits(memory=1 << 28))

    def test_limits_are_told(self, tmp_path: Path, scratch: Path) -> None:
        source = tmp_path / "a.tga"
        source.write_bytes(saved(Image.new("RGB", (6000, 6000)), "TGA", compression="tga_rle"))
        with pytest.raises(ConversionFailed, match=r"it was stopped after 0\.1 seconds"):
            convert(source, tmp_path / "a.tif", "tiff", scratch, Limits(seconds=0.1))
        with pytest.raises(ConversionFailed, match="MemoryError"):
            convert(source, tmp_path / "a.tif", "tiff", scratch, Limits(memory=100 << 20))
        assert not (tmp_path / "a.tif").exists()
