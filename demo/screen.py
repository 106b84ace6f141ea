"""What the demo shows: headings, a narrator's sentences, commands with their output and time, claims that came true.

All of it goes to the terminal; parts of it, shortened, also to a picture.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

WIDEST = 100  # columns; prose and pictures are no wider
PICTURED = 6  # lines of one command's output in a picture
COLUMN = 12.2  # the width of one in rich's pictures
_LENGTH = re.compile(r'(textLength=")[0-9.]+"([^>]*)>([^<]*)<')
_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture must not fetch anything


class Screen:
    """One story, told to people. `picture` says whether it is being painted as well."""

    def __init__(self, *, picture: bool = False) -> None:
        self._live = Console(highlight=False, emoji=False)
        self.width = self._live.width = min(self._live.width, WIDEST) if self._live.is_terminal else WIDEST
        self.colours = picture or (self._live.is_terminal and not self._live.no_color)
        self._canvas = _canvas() if picture else None
        self.framed = False  # whether what comes now is in the picture
        self._begun = False
        self._plainer: list[tuple[str, str]] = []

    def shorten(self, path: str, shown: str) -> None:
        """In the picture, show a path of this machine as another."""
        self._plainer.append((path, shown))

    @contextmanager
    def off_picture(self, off: bool) -> Iterator[None]:
        """Leave what comes in the block out of the picture, if `off`."""
        framed, self.framed = self.framed, self.framed and not off
        try:
            yield
        finally:
            self.framed = framed

    def heading(self, text: str) -> None:
        rule = Rule(Text(text, style="bold"), align="left", style="cyan")
        self._live.print()
        self._live.print(rule)
        if self._canvas and self.framed:
            self._canvas.print(*[""] * self._begun, rule, sep="\n")
            self._begun = True

    def say(self, text: str) -> None:
        """A sentence of the narrator."""
        self._live.print(Text(text, style="italic"))
        if self._canvas and self.framed:
            self._canvas.print(Text(text, style="italic"))

    def command(self, command: str) -> None:
        """A command that begins now."""
        text = Text.assemble(("$ ", "bold green"), (command, "bold"))
        self._live.print(text, end="", soft_wrap=True)
        if self._canvas and self.framed:
            self._canvas.print(text, no_wrap=True, overflow="ellipsis")

    def took(self, command: str, seconds: float) -> None:
        """How long it took, at the right end of its line where there is room."""
        told = f"{seconds:.1f} s"
        room = self.width - cell_len(command) - 2 - len(told)
        self._live.print(Text(" " * max(room, 2) + told, style="dim"), soft_wrap=True)

    def output(self, text: str, *, most: int, last: bool = False) -> None:
        """What the command printed, its first (or last) lines."""
        lines = text.rstrip("\n").split("\n") if text.strip() else []
        for line in cut(lines, most, last=last):
            self._live.print(Text("  ").append_text(line), soft_wrap=True)
        if self._canvas and self.framed:
            for line in cut([self._plain(line) for line in lines], min(most, PICTURED), last=last):
                self._canvas.print(Text("  ").append_text(line), no_wrap=True, overflow="ellipsis")

    def claim(self, text: str) -> None:
        """Something that was checked and is so."""
        told = Text.assemble(("✓ ", "bold green"), text)
        self._live.print(told, soft_wrap=True)
        if self._canvas and self.framed:
            self._canvas.print(told, no_wrap=True, overflow="ellipsis")

    def failed(self, text: str) -> None:
        self._live.print(Text.assemble("\n", ("✗ The demo broke: ", "bold red"), text), soft_wrap=True)

    def closing(self, text: str) -> None:
        self._live.print(Text.assemble("\n", (text, "bold")), soft_wrap=True)

    def paint(self, file: Path) -> None:
        """Write the picture."""
        assert self._canvas is not None  # the caller asked for one
        svg = self._canvas.export_svg(title="make demo", unique_id="tianyi")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(tidied(svg), encoding="utf-8")

    def _plain(self, text: str) -> str:
        for path, shown in self._plainer:
            text = text.replace(path, shown)
        return text


def cut(lines: list[str], most: int, *, last: bool) -> Iterator[Text]:
    """At most so many of the lines, from either end, with a word on how many were left out."""
    left = len(lines) - most
    if left <= 1:
        yield from map(Text.from_ansi, lines)
        return
    told = Text(f"… {left} more lines", style="dim")
    if last:
        yield told
        yield from map(Text.from_ansi, lines[-most:])
    else:
        yield from map(Text.from_ansi, lines[:most])
        yield told


def tidied(svg: str) -> str:
    """The picture without fonts from elsewhere, with blanks that every reader keeps, and lengths that are right for
    Chinese, whose characters take two columns."""
    svg = _REMOTE_FONT.sub("", svg).replace("&#160;", " ").replace("<svg ", '<svg xml:space="preserve" ', 1)
    return _LENGTH.sub(lambda m: f'{m[1]}{cell_len(unescape(m[3])) * COLUMN:g}"{m[2]}>{m[3]}<', svg)


def _canvas() -> Console:
    return Console(
        record=True, file=io.StringIO(), width=WIDEST, force_terminal=True, color_system="truecolor", highlight=False,
        emoji=False,
    )  # fmt: skip
