"""The folder of intents: what is about to be done under the commit lock, so that a crash can be finished."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from storage import durable
from storage.durable import Disk, told
from storage.intent import Intent


class Intents:
    """The files in `work/intents/`, one for what is under way. Call under the commit lock."""

    def __init__(self, work: Path, disk: Disk) -> None:
        self._work, self._disk = work, disk
        self._folders = durable.Folders(work.parent)

    def declare(self, name: str, intent: Intent) -> Path:
        """Write an intent down, durable on return."""
        target = self._work / "intents" / name
        with told(str(self._work)):
            durable.publish(
                self._disk, target, intent.to_bytes(), self._work / "scratch", exclusive=False, folders=self._folders
            )
        return target

    def forget(self, intent: Path) -> None:
        """It is done, or will never be."""
        with suppress(OSError):  # it is looked into again when the repository is opened
            self._disk.unlink(str(intent))

    def left(self) -> list[Path]:
        """What crashes left, by name; versions of one AIP in their order."""
        return sorted((self._work / "intents").iterdir(), key=lambda path: (len(path.name), path.name))
