"""Ways from a format that is dying to one that lives: the door that migration goes through, whatever tool is behind.

Migration copies a blob to scratch, calls `convert`, identifies the output anew and requires one of `puids`, calls
`compare`, and only then commits; `Converted.notes` go into the PREMIS event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ingest import pictures
from ingest.errors import ConversionFailed
from ingest.pictures import Comparison, Converted
from ingest.sandbox import Limits

__all__ = ["PATHWAYS", "Comparison", "ConversionFailed", "Converted", "Pathway"]


class Pathway(Protocol):
    """One way to one target format. `suffix` has its dot; `puids` are what identification may say of the output."""

    @property
    def name(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def puids(self) -> frozenset[str]: ...

    def accepts(self, puid: str) -> bool:
        """Whether files of that format can go this way; a single one may still fail."""
        ...

    def convert(self, source: Path, target: Path, scratch: Path) -> Converted:
        """Write `target`, a new file, and work in `scratch`; raise ConversionFailed and leave no target."""
        ...

    def compare(self, a: Path, b: Path, scratch: Path) -> Comparison:
        """Prove that both show the same; raise ConversionFailed where one cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Pictures:
    """Raster pictures by Pillow."""

    name: str
    suffix: str
    puids: frozenset[str]
    sources: frozenset[str]
    limits: Limits = Limits()  # noqa: RUF009 - frozen

    def accepts(self, puid: str) -> bool:
        return puid in self.sources

    def convert(self, source: Path, target: Path, scratch: Path) -> Converted:
        return pictures.convert(source, target, self.name, scratch, self.limits)

    def compare(self, a: Path, b: Path, scratch: Path) -> Comparison:
        return pictures.compare(a, b, scratch, self.limits)


_STILL: Final = frozenset({
    *("fmt/115", "fmt/116", "fmt/117", "fmt/118", "fmt/119", "x-fmt/270"),  # BMP; not fmt/114, a device's own
    *("fmt/86", "fmt/87", "fmt/88", "fmt/89", "fmt/90"),  # PCX
    *("x-fmt/367", "fmt/402"),  # TGA
})  # fmt: skip
_MAYBE_MOVING: Final = frozenset({"fmt/3", "fmt/4", "fmt/566", "fmt/567", "fmt/568"})  # GIF, WebP

PATHWAYS: Final[Mapping[str, Pathway]] = {
    pathway.name: pathway
    for pathway in (
        Pictures("tiff", ".tif", frozenset({"fmt/353"}), _STILL | _MAYBE_MOVING),
        Pictures("png", ".png", frozenset({"fmt/11", "fmt/12", "fmt/13"}), _STILL | _MAYBE_MOVING),
    )
}
