"""The line to one S3 store: where it is, its key, one client a process, and an end to patience.

Obstore (extra `s3`) is imported when a store is first asked for something, and not before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from storage.errors import Unreachable
from storage.s3_answers import Silent, meaning, names_no_bucket, no_bucket

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Credential, S3CredentialProvider, S3Store

_CONNECT = timedelta(seconds=5)
_RETRIES = 6
_CONNECTING = Lock()
_ENVIRONMENT = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix in a bucket. `endpoint` and `region` are "" for what AWS_* variables and Amazon's defaults say.

    `keys` is the file with `access_key` and `secret_key`; where it is not there, AWS_* variables are asked, and no
    secret is held here. `patience` (seconds) bounds all tries of a request together; a silence of half of it ends one.
    `at_once` requests are under way together. `reads_back` has every upload read and compared, whatever the store's
    answer proves. `keeps_all` is why nothing can be deleted there, "" where it can.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    keys: Path | None = None
    patience: float = 120.0
    at_once: int = 16
    reads_back: bool = False
    keeps_all: str = ""

    @property
    def where(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


class Line:
    """`with line.asking() as client:` turns obstore's errors into ours, but for two whose meaning the caller knows:
    FileNotFoundError, and FileExistsError where something was to be created."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client: S3Store | None = None
        self._silence: Silent | None = None
        self._given_up_until = 0.0

    def __reduce__(self) -> tuple[type[Line], tuple[Place]]:
        return Line, (self.place,)  # a client stays in its process

    @contextmanager
    def asking(self) -> Iterator[S3Store]:
        """The client; raise NoRoom or Unreachable. A store that was silent is given up for as long as that took."""
        if self._silence and monotonic() < self._given_up_until:
            raise Silent(self.place.where, self._silence.why, self._silence.next)
        client = self._connected()
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            yield client
        except FileNotFoundError as error:
            if names_no_bucket(error):
                raise no_bucket(self.place.where) from error
            raise
        except AlreadyExistsError as error:
            raise FileExistsError(str(error)) from error
        except BaseError as error:
            told = meaning(error, self.place.where, self._keys())
            if isinstance(told, Silent):
                self._silence, self._given_up_until = told, monotonic() + self.place.patience
            raise told from error

    def _connected(self) -> S3Store:
        """This process's client. Threads that come at once wait for the first: one that imports obstore while another
        does finds half of it."""
        with _CONNECTING:
            if self._client is None:
                try:
                    self._client = _connect(self.place)
                except ImportError as error:
                    raise Unreachable(
                        self.place.where, "the package obstore is not installed", "pip install 'tianyi[s3]'"
                    ) from error
            return self._client

    def _keys(self) -> str:
        named = f"{self.place.keys.parent.name}/{self.place.keys.name}" if self.place.keys else ""
        if self.place.keys and self.place.keys.exists():
            return named
        return f"{_ENVIRONMENT}, or {named}" if named else _ENVIRONMENT


def _connect(place: Place) -> S3Store:
    from obstore.store import S3Store

    patience = timedelta(seconds=place.patience)
    client: ClientConfig = {"connect_timeout": min(_CONNECT, patience), "read_timeout": patience / 2}
    client["timeout"] = timedelta(days=1)  # of a whole answer, which may be a terabyte; what counts is each read
    if place.endpoint.startswith("http://"):
        client["allow_http"] = True
    said = {"endpoint": place.endpoint, "region": place.region}
    try:
        return S3Store(
            place.bucket,
            prefix=place.prefix or None,
            client_options=client,
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": patience,
                "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": _CONNECT, "base": 2},
            },
            credential_provider=_provider(place),
            config={name: value for name, value in said.items() if value},  # type: ignore[arg-type]  # its TypedDict
            checksum_algorithm="sha256",
            disable_bulk_delete=True,  # not every store knows it, and we delete one by one
        )
    except ValueError as error:
        raise Unreachable(place.where, str(error), "Correct its table in tianyi.toml.") from error


def _provider(place: Place) -> S3CredentialProvider | None:
    """What tells obstore the key; None where the environment has to."""
    if place.keys is None or not place.keys.exists():
        return None
    key = _read_keys(place.keys, place.where)
    return lambda: key


def _read_keys(file: Path, where: str) -> S3Credential:
    """The key in a file; raise Unreachable where it cannot be used, or where others may read it."""
    try:
        if file.stat().st_mode & 0o077:
            raise Unreachable(where, f"{file} can be read by others", f"chmod 600 {file}")
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        access_key, secret_key = str(said["access_key"]), str(said["secret_key"])
    except (OSError, ValueError, KeyError) as error:
        why = f"{file} cannot be used ({type(error).__name__}: {error})"
        raise Unreachable(where, why, 'It needs two lines: access_key = "…" and secret_key = "…".') from error
    return {"access_key_id": access_key, "secret_access_key": secret_key, "expires_at": None}
