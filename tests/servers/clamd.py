"""A real clamd of the tests, with signatures of our own: `apt-get install --no-install-recommends clamav-daemon`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0  # seconds
INFECTED = bytes(reversed(b"erutangis-tset-s'iynaiT:KO-ton"))  # turned round: no file of ours has it as it stands
NAME = "Tianyi.Test.UNOFFICIAL"
STREAM_MAX = 2 << 20  # bytes of a file that it takes; it opens archives down to the third

_CONF = """\
DatabaseDirectory {folder}/signatures
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
LogFile {folder}/clamd.log
TemporaryDirectory {folder}
StreamMaxLength {limit}
MaxRecursion 3
AlertExceedsMax {tells}
Foreground yes
"""


@dataclass
class Running:
    """A clamd in `folder`, that can be ended, and started again."""

    folder: Path
    port: int
    tells: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/clamd.sock"

    @property
    def tcp(self) -> str:
        return f"tcp:127.0.0.1:{self.port}"

    def start(self) -> None:
        conf = self.folder / "clamd.conf"
        tells = "yes" if self.tells else "no"
        conf.write_text(_CONF.format(folder=self.folder, port=self.port, limit=STREAM_MAX, tells=tells))
        program = shutil.which("clamd", path=_path())
        assert program
        with (self.folder / "output").open("wb") as log:
            self._process = subprocess.Popen([program, "-c", str(conf)], stdout=log, stderr=log)
        self._wait()

    def stop(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        (self.folder / "clamd.sock").unlink(missing_ok=True)

    def learn(self, name: str, body: bytes) -> None:
        """Add a signature; it is known from the next start."""
        (self.folder / "signatures" / f"{name}.ndb").write_text(f"{name}:0:*:{body.hex()}\n")

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as one:
                    one.connect(str(self.folder / "clamd.sock"))
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process
                if self._process.poll() is not None or time.monotonic() > end:
                    raise
            time.sleep(0.02)


def is_installed() -> bool:
    return shutil.which("clamd", path=_path()) is not None


@contextmanager
def running(folder: Path, port: int, *, tells: bool = True) -> Iterator[Running]:
    """Clamd in `folder`, whose path is short enough for a socket; on leaving, it has ended."""
    (folder / "signatures").mkdir()
    made = Running(folder, port, tells)
    made.learn("Tianyi.Test", INFECTED)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _path() -> str:
    return f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
