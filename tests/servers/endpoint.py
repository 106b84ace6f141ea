"""An S3 server of the tests as its users see it: where it is, whose key it takes, and what a test puts there itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import obstore
from obstore.store import S3Store

from storage.s3_line import Place

REGION = "us-east-1"


@dataclass(frozen=True)
class Endpoint:
    url: str
    access_key: str
    secret_key: str

    def client(self, bucket: str, prefix: str = "") -> S3Store:
        """A client of its own, so that a test sees what is there without asking what it tests."""
        return S3Store(
            bucket, prefix=prefix or None, endpoint=self.url, region=REGION, access_key_id=self.access_key,
            secret_access_key=self.secret_key, client_options={"allow_http": True},
        )  # fmt: skip

    def make_bucket(self, bucket: str) -> None:
        """Obstore has no verb for it: a signed request by hand."""
        where = obstore.sign(self.client(bucket), "PUT", "", timedelta(minutes=1))
        with urlopen(Request(where, data=b"", method="PUT")) as answer:
            assert answer.status == 200

    def keys(self, file: Path, secret: str = "") -> Path:
        """A file with this server's key, or with a wrong one."""
        file.write_text(f'access_key = "{self.access_key}"\nsecret_key = "{secret or self.secret_key}"\n')
        file.chmod(0o600)
        return file

    def place(self, bucket: str, prefix: str, keys: Path, **said: Any) -> Place:
        return replace(Place(bucket, prefix, self.url, REGION, keys, patience=10.0), **said)
