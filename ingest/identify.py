"""What format is this file? The question as values; the engines that answer it lie beside this module.

A format is named by its PUID, the key of The National Archives' PRONOM registry. Engines get a `Sample`, which the
one pass over a file leaves behind, so that no engine reads a file again except to look into a container.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import BinaryIO, Final, NamedTuple, Protocol

HEAD: Final = 128 * 1024  # bytes of either end that signatures may look at: fido.fido.defaults["bufsize"]
UNKNOWN: Final = "application/octet-stream"  # RFC 2046 §4.5.1: what a body of unknown kind is called


class Sample(NamedTuple):
    """What one pass over a file leaves behind. A file of up to HEAD bytes is whole in `head` and `tail`."""

    name: bytes  # the last component of its path, as the file system or the producer wrote it
    size: int  # bytes
    head: bytes  # the first min(size, HEAD) bytes
    tail: bytes  # the last min(size, HEAD) bytes; may overlap the head
    opens: Callable[[], BinaryIO]  # the whole stream again, seekable; the caller closes it; for what the head lacks


class Basis(StrEnum):
    """What an identification rests on: bytes, members of a container, or no more than the file's name."""

    SIGNATURE = "signature"
    CONTAINER = "container"
    EXTENSION = "extension"
    NONE = "none"


class Format(NamedTuple):
    """A format as PRONOM names it; `version` and `mime` are "" where PRONOM has none."""

    puid: str  # "fmt/40", "x-fmt/111"; fido adds a few of its own, "fido-fmt/…"
    name: str
    version: str
    mime: str  # the first that PRONOM lists


class Identification(NamedTuple):
    """Every format that fits, each once, in the engine's stable order; none when the basis is NONE."""

    formats: tuple[Format, ...]
    basis: Basis
    mime: str  # of the first format, else the opinion, else application/octet-stream
    opinion: str = ""  # libmagic's MIME; "" where it was not asked or could not say

    @classmethod
    def of(cls, formats: tuple[Format, ...], basis: Basis) -> "Identification":
        """Return the identification as these formats; without any, its basis is NONE whatever was tried."""
        mime = formats[0].mime if formats else ""
        return cls(formats, basis if formats else Basis.NONE, mime or UNKNOWN)

    @property
    def puids(self) -> tuple[str, ...]:
        """Return the PUIDs of the formats, in their order."""
        return tuple(found.puid for found in self.formats)

    def heard(self, opinion: str) -> "Identification":
        """Return this with a second opinion, whose MIME stands where the first format has none."""
        mime = self.formats[0].mime if self.formats else ""
        return self._replace(opinion=opinion, mime=mime or opinion or UNKNOWN)


class Identifier(Protocol):
    """An engine. `name` and `version` (of program and signatures) go into the PREMIS agent."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def identify(self, sample: Sample) -> Identification:
        """Return what the sample is, whatever bytes it holds; raise OSError only when `opens` cannot read.

        Bounded in time: nothing of a file that keeps the engine busy for longer.
        """
        ...
