"""The pictures of the sample accession: a pavilion, a harbour, a book and a seal, drawn by us.

A scene is drawn four times too large, in a space 160 wide and 120 high, and then reduced, so that
its edges are smooth. Debian: fonts-wqy-microhei (Chinese characters). PyPI: pillow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

WIDTH, HEIGHT, SCALE = 160, 120, 4
CHINESE = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]

INK, RED, CREAM = (44, 40, 46), (164, 44, 38), (250, 243, 226)
TILE, STONE, TIMBER, LAMP = (58, 74, 84), (182, 172, 156), (134, 52, 40), (252, 214, 130)


def pavilion(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Return a library of two storeys at dusk, above its pool (RGB)."""
    upper = gradient((126, 160, 190), (252, 222, 176), 84)
    pen = Pen(upper)
    for x, y, radius in ((20, 96, 44), (140, 100, 52), (84, 110, 60)):
        pen.disc(x, y, radius, (150 - radius // 2, 160 - radius // 3, 168))
    storey(pen, 80, 58, 84, 92)
    storey(pen, 80, 34, 58, 68)
    pen.box(30, 78, 130, 84, STONE)
    return reduced(mirrored(upper), width, height)


def harbour(width: int = WIDTH, height: int = HEIGHT, boat: float = 62) -> Image.Image:
    """Return a junk under sail before a lighthouse, the junk `boat` from the left (RGB)."""
    image = gradient((70, 130, 150), (24, 66, 96), HEIGHT)
    image.paste(gradient((110, 168, 206), (246, 232, 204), 76))
    pen = Pen(image)
    pen.shape([(108, 80), (124, 68), (146, 66), (160, 74), (160, 82), (106, 82)], (96, 104, 90))
    pen.shape([(133, 68), (135, 34), (141, 34), (143, 68)], CREAM)
    pen.box(134, 28, 142, 34, LAMP)
    pen.shape([(132, 28), (138, 22), (144, 28)], RED)
    junk(pen, boat)
    for x, y in ((12, 92), (96, 88), (120, 100), (44, 108), (84, 112), (138, 114)):
        pen.line([(x, y), (x + 10, y)], (150, 190, 200))
    return reduced(image, width, height)


def book(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Return a thread-bound book in a blue cover, its title on a slip of paper (RGB)."""
    image = gradient((238, 228, 208), (206, 188, 160), HEIGHT)
    pen = Pen(image)
    pen.box(48, 12, 122, 112, (176, 160, 136))
    pen.box(44, 8, 118, 108, (36, 62, 104))
    pen.box(50, 16, 64, 82, CREAM)
    for number, character in enumerate("海港志稿"):
        pen.text(character, 57, 26 + 15 * number, 12, INK)
    for y in (14, 38, 62, 86, 102):
        pen.line([(110, y), (118, y)], CREAM)
    pen.line([(110, 8), (110, 108)], CREAM)
    return reduced(image, width, height)


def seal(width: int = 96, height: int = 96) -> Image.Image:
    """Return a red seal that fades upwards and is clear where it is cut (RGBA)."""
    ink = Image.new("L", (WIDTH * SCALE, WIDTH * SCALE), 0)
    pen = Pen(ink)
    pen.pen.rounded_rectangle([48, 48, 592, 592], 56, fill=235)
    pen.pen.rounded_rectangle([80, 80, 560, 560], 36, outline=0, width=10)
    for number, character in enumerate("天一之印"):
        pen.text(character, 106 - 52 * (number // 2), 54 + 52 * (number % 2), 48, 0)
    darker = [150 + level * 105 // 255 for level in range(256)]
    fading = Image.linear_gradient("L").resize(ink.size).point(darker)
    picture = Image.new("RGBA", (width, height), RED)  # also where nothing of it is seen
    picture.putalpha(reduced(ImageChops.multiply(ink, fading), width, height))
    return picture


def voyage(frames: int, width: int, height: int) -> list[Image.Image]:
    """Return the junk crossing the harbour from left to right, one picture a step."""
    return [harbour(width, height, 30 + 60 * step / frames) for step in range(frames)]


class Pen:
    """Draws on an image in units of the scene instead of pixels."""

    def __init__(self, image: Image.Image) -> None:
        self.pen = ImageDraw.Draw(image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def shape(self, points: Points, fill: Colour) -> None:
        self.pen.polygon(scaled(points), fill=fill)

    def line(self, points: Points, fill: Colour) -> None:
        self.pen.line(scaled(points), fill=fill, width=SCALE)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        self.pen.ellipse(scaled([(x - radius, y - radius), (x + radius, y + radius)]), fill=fill)

    def text(self, text: str, x: float, y: float, size: int, fill: Colour | int) -> None:
        font = ImageFont.truetype(CHINESE, size * SCALE, layout_engine=ImageFont.Layout.BASIC)
        self.pen.text((x * SCALE, y * SCALE), text, fill=fill, font=font, anchor="mm")


def storey(pen: Pen, middle: float, top: float, bottom: float, width: float) -> None:
    """Draw one storey: lit windows between red columns, and a roof with lifted eaves over them."""
    left, right = middle - width * 0.4, middle + width * 0.4
    pen.box(left, top, right, bottom, LAMP)
    for step in range(7):
        x = left + (right - left) * step / 6
        pen.box(x - 1.2, top, x + 1.2, bottom, TIMBER)
    for y in (top + 6, bottom - 6):
        pen.line([(left, y), (right, y)], TIMBER)
    pen.shape(roof(middle, top + 4, width), TILE)
    pen.box(middle - width * 0.3, top - 14, middle + width * 0.3, top - 11.5, INK)


def roof(middle: float, eaves: float, width: float) -> list[tuple[float, float]]:
    """Return the outline of a roof that falls in a curve and lifts at both ends."""
    fall = [(0.28 + 0.32 * t, -16 + 16 * (1 - (1 - t) ** 2) - 5 * t**6) for t in steps(12)]
    under = [(0.60 - 0.60 * t, -5 * (1 - t) ** 4 + 2 * (1 - t)) for t in steps(12)]
    side = [(middle + x * width, eaves + y) for x, y in fall + under]
    return side + [(2 * middle - x, y) for x, y in reversed(side)]


def junk(pen: Pen, x: float) -> None:
    """Draw a junk with two battened sails, its middle at `x`."""
    pen.shape([(x - 26, 84), (x - 20, 94), (x + 18, 94), (x + 28, 80), (x + 14, 86)], TIMBER)
    for mast, height, reach in ((x - 12, 34, 15), (x + 8, 44, 19)):
        top, foot = 86 - height, 82
        pen.line([(mast, top - 3), (mast, 88)], INK)
        sail = [(-3, top), (reach * 0.6, top + 6), (reach, foot), (-4, foot)]
        pen.shape([(mast + x, y) for x, y in sail], CREAM)
        for part in (0.25, 0.5, 0.75):
            y = top + (foot - top) * part
            pen.line([(mast - 3, y), (mast + reach * (0.6 + 0.35 * part), y + 3)], (176, 130, 88))


def gradient(top: Colour, bottom: Colour, height: int) -> Image.Image:
    """Return a smooth fall of colour, as wide as the scene and `height` high."""
    ramp = Image.linear_gradient("L").resize((WIDTH * SCALE, height * SCALE))
    return ImageOps.colorize(ramp, top, bottom)


def mirrored(upper: Image.Image) -> Image.Image:
    """Return the scene with a pool below it, which holds a dim and rippled image of the scene."""
    depth = HEIGHT * SCALE - upper.height
    image = Image.new("RGB", (upper.width, HEIGHT * SCALE))
    image.paste(upper)
    deep = Image.blend(ImageOps.flip(upper), Image.new("RGB", upper.size, (38, 70, 92)), 0.5)
    for y in range(depth):
        shift = round(8 * math.sin(y / 9) * y / depth)
        row = ImageChops.offset(deep.crop((0, y, deep.width, y + 1)), shift, 0)
        image.paste(row, (0, upper.height + y))
    return image


def reduced(image: Image.Image, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.LANCZOS)


def scaled(points: Points) -> list[tuple[float, float]]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def steps(count: int) -> list[float]:
    return [step / count for step in range(count + 1)]
