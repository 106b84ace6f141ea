"""A time-stamping authority on loopback (RFC 3161): openssl makes its certificates, its tokens and its list of what was
revoked."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_CONFIG = """\
[tsa]
default_tsa = here
[here]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = {names}
[ca]
default_ca = us
[us]
database = index.txt
serial = certificates
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[leaf]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, timeStamping
crlDistributionPoints = URI:http://127.0.0.1:{port}/list.crl
"""


@dataclass
class Authority:
    """`url` takes questions; `roots` is a file with the root; `asked` counts questions."""

    folder: Path
    port: int
    asked: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/tsa"

    @property
    def roots(self) -> Path:
        return self.folder / "ca.pem"

    def openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def certify(self, days: int = 365, key: str = "ec") -> None:
        """Give the authority a new certificate."""
        kind = ["rsa:2048"] if key == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", "tsa.key", "-subj", "/CN=Tests TSA",
                     "-out", "tsa.csr")  # fmt: skip
        self.openssl("ca", "-batch", "-config", "config", "-extensions", "leaf", "-days", str(days), "-in", "tsa.csr",
                     "-out", "tsa.pem", "-notext")  # fmt: skip

    def revoke(self) -> None:
        self.openssl("ca", "-config", "config", "-revoke", "tsa.pem")
        self.publish()

    def publish(self) -> None:
        self.openssl("ca", "-config", "config", "-gencrl", "-out", "list.crl")

    def answer(self, query: bytes) -> bytes:
        self.asked += 1
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "config", "-section", "here", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()


@contextmanager
def authority(folder: Path, key: str = "ec", names: str = "sha256") -> Iterator[Authority]:
    """One that serves until the block ends, and names its certificate in tokens by that digest.

    Skips the test where there is no openssl, which CI has to have.
    """
    if not shutil.which("openssl"):
        assert os.environ.get("CI") != "true", "openssl is not installed"
        pytest.skip("openssl is not installed")
    folder.mkdir()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            self._send(made.answer(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self._send((folder / "list.crl").read_bytes())

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Authority(folder, server.server_address[1])
        (folder / "config").write_text(_CONFIG.replace("{port}", str(made.port)).replace("{names}", names))
        (folder / "index.txt").touch()
        for name in ("serial", "certificates"):
            (folder / name).write_text("01\n")
        made.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config",
                     "config", "-extensions", "root", "-keyout", "ca.key", "-subj", "/CN=Tests Root", "-days", "3650",
                     "-out", "ca.pem")  # fmt: skip
        made.certify(key=key)
        made.publish()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
