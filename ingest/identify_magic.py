"""libmagic's MIME as a second opinion beside any Identifier, where libmagic can be loaded.

pylibmagic brings the library; its import points LD_LIBRARY_PATH and MAGIC at itself, which every tool that we
start would inherit. So the environment is put back, and the database is named by hand.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any, Final, Literal, Protocol

from ingest.identify import UNKNOWN, Basis, Identification, Identifier, Sample

MIME: Final = re.compile(r"[a-zA-Z0-9][\w!#$&^.+-]*/[a-zA-Z0-9][\w!#$&^.+-]*", re.ASCII)  # RFC 6838 §4.2

_UNSURE: Final = (Basis.EXTENSION, Basis.NONE)


class Opines(Protocol):
    """Whoever has an opinion on the MIME of a file from its first bytes; "" when it has none."""

    @property
    def version(self) -> str: ...
    def mime(self, head: bytes) -> str: ...


class MagicOpinion:
    """libmagic's opinion. One a process: see `magic_opinion`."""

    def __init__(self, magic: Any, database: str | None) -> None:
        """Take the module `magic` and the path of its compiled database, None for the library's own."""
        number = magic.version()  # 541 is 5.41
        self.version: Final = f"libmagic {number // 100}.{number % 100:02}"
        self._magic, self._database = magic, database
        self._failure = magic.MagicException

    @cached_property
    def _reader(self) -> Any:
        """With the database, which takes its time: for the first file that is asked about."""
        return self._magic.Magic(mime=True, magic_file=self._database)

    def mime(self, head: bytes) -> str:
        """Return the MIME of these first bytes; "" for none, for libmagic's "data", and where it gave up."""
        reader = self._reader  # that there is none to be had is no opinion: it is raised
        try:
            said: str = reader.from_buffer(head) if head else ""
        except self._failure:  # python-magic's only error: libmagic met bytes that it could not get through
            return ""
        return said if said != UNKNOWN and MIME.fullmatch(said) else ""


Asked = Literal["unsure", "always", "never"]  # of which files libmagic is asked: policies.ingest says it


class SecondOpinion:
    """An Identifier that adds an opinion to another's answer, and its MIME where that has none.

    It takes a hundred times as long as the first: so by default it is asked of those files only where no bytes told the
    format, and none gave a MIME.
    """

    def __init__(self, inner: Identifier, second: Opines, *, always: bool = False) -> None:
        self.name: Final = inner.name
        self.version: Final = f"{inner.version}; {second.version}"
        self._inner = inner
        self._second = second
        self._always = always

    def identify(self, sample: Sample) -> Identification:
        """Return the inner identification, formats and basis untouched, with the opinion added where it is asked."""
        known = self._inner.identify(sample)
        if self._always or (known.basis in _UNSURE and known.mime == UNKNOWN):
            return known.heard(self._second.mime(sample.head))
        return known


@cache
def magic_opinion() -> MagicOpinion | None:
    """Return this process's own libmagic, loaded on first use; None where there is no libmagic."""
    try:
        return MagicOpinion(*_load())
    except ImportError:  # python-magic is not installed, or it found no library (magic.loader.load_lib)
        return None


def with_second_opinion(inner: Identifier, asked: Asked = "unsure") -> Identifier:
    """Return the identifier with libmagic beside it, or as it is where libmagic cannot be had or is never asked."""
    second = None if asked == "never" else magic_opinion()
    return SecondOpinion(inner, second, always=asked == "always") if second else inner


def _load() -> tuple[Any, str | None]:
    """Import pylibmagic first, so that python-magic finds its library; raise ImportError where there is none."""
    with _environment_kept():
        try:
            import pylibmagic

            database = str(pylibmagic.data / "magic.mgc")
        except ModuleNotFoundError:  # the system's own libmagic serves as well, with its own database
            database = None
        import magic

        return magic, database


@contextmanager
def _environment_kept() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
