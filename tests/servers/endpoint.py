"""An S3 server of the tests as its users see it: where it is, whose key it takes, and what a test puts there itself."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

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
        self._put(bucket, "", b"")

    def keep_versions(self, bucket: str) -> None:
        self._put(bucket, "versioning=", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")

    def _put(self, bucket: str, query: str, body: bytes) -> None:
        """A request about a bucket, for which obstore has no verb, signed by hand (AWS Signature Version 4)."""
        host, day = urlsplit(self.url).netloc, datetime.now(UTC)
        scope = f"{day:%Y%m%d}/{REGION}/s3/aws4_request"
        headers = {"host": host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": f"{day:%Y%m%dT%H%M%SZ}"}
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        asked = f"PUT\n/{bucket}\n{query}\n{lines}\n{';'.join(headers)}\nUNSIGNED-PAYLOAD"
        signed = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (*scope.split("/"), signed):
            key = hmac.digest(key, part.encode(), "sha256")
        told = f"Credential={self.access_key}/{scope}, SignedHeaders={';'.join(headers)}, Signature={key.hex()}"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 {told}"
        with urlopen(Request(f"{self.url}/{bucket}?{query}", body, headers, method="PUT")) as answer:
            assert answer.status == 200

    def keys(self, file: Path, secret: str = "") -> Path:
        """A file with this server's key, or with a wrong one."""
        file.write_text(f'access_key = "{self.access_key}"\nsecret_key = "{secret or self.secret_key}"\n')
        file.chmod(0o600)
        return file

    def place(self, bucket: str, prefix: str, keys: Path, **said: Any) -> Place:
        return replace(Place(bucket, prefix, self.url, REGION, keys, patience=10.0), **said)
