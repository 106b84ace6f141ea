"""Signatures made ready for matching, and kept ready for the next time.

Making them takes half a second and 90 MB, what was kept a tenth of that. It is kept in folders that the caller names,
under a name that says what it was made of, and looked for in each; what is broken there is made anew.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ingest.identify_pronom import PronomIdentifier
from ingest.look import looks
from ingest.matcher import LiteralMatcher
from ingest.needs import needed, wanted
from ingest.prepared import Prepared, from_bytes, to_bytes
from ingest.signatures import Signatures
from storage import durable
from storage.errors import StorageError

try:
    from ingest.finder_hyperscan import compiled, finder, machine
except ImportError:  # there is none for this platform
    from ingest.finder import compiled, finder, machine

READ: Final = (
    "*.py", "conf/versions.xml", "conf/formats-*.xml", "conf/format_extensions.xml", "conf/container-signature-*.xml",
)  # fmt: skip  # of fido
_own: Final[dict[str, PronomIdentifier]] = {}  # this process's


def fido_identifier(kept: Sequence[Path] = ()) -> PronomIdentifier:
    """Return this process's own with fido's signatures; workers call this instead of being sent one.

    The folders are of use for the first call only; without any nothing is kept.
    """
    if "fido" not in _own:
        signatures, matcher = ready(_fido_digest(), _fido_signatures, kept)
        _own["fido"] = PronomIdentifier("fido", signatures, matcher, looks(signatures))
    return _own["fido"]


def ready(digest: str, load: Callable[[], Signatures], kept: Sequence[Path] = ()) -> tuple[Signatures, LiteralMatcher]:
    """Return the signatures that `load` reads from what has this digest, and what matches them."""
    paths = [folder / _name(digest) for folder in kept]
    made = next(filter(None, map(_read, paths)), None)
    if made is None:
        made = _made(load())
        for path in paths:
            _write(path, made)
    find = finder(wanted(made.needs), made.database)
    gc.freeze()  # it stays: looking through so much for what could go costs a tenth of the time
    return made.signatures, LiteralMatcher(made.signatures, made.needs, find)


def _made(signatures: Signatures) -> Prepared:
    every = needed(signatures)
    return Prepared(signatures, every, compiled(wanted(every)))


def _name(digest: str) -> str:
    """Signatures, machine and code: any change to this package makes anew, which only an upgrade does."""
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return sha256(b"\0".join([digest.encode(), machine().encode(), *code])).hexdigest() + ".signatures"


def _read(path: Path) -> Prepared | None:
    try:
        return from_bytes(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, made: Prepared) -> None:
    """By a name of its own and a rename: several processes may do so at once."""
    with suppress(OSError, StorageError):
        durable.publish(durable.DISK, path, to_bytes(made), path.parent, exclusive=False, mode=0o644)


def _fido_signatures() -> Signatures:
    from ingest.identify_fido import load_signatures  # only now: fido brings a client for the network along

    return load_signatures()


def _fido_digest() -> str:
    """Of the data and the program, without importing it, nor what would tell its version."""
    spec = find_spec("fido")
    folder = Path(*(spec.submodule_search_locations or ()) if spec else ())
    files = sorted(path for pattern in READ for path in folder.glob(pattern))
    return sha256(b"".join([path.read_bytes() for path in files])).hexdigest()
