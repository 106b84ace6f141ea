"""The façade: one method a verb, a few lines each. The command line, and whatever comes later, is a thin user of it.

from repository import Repository

with Repository.open(Path("archive")) as repository:
    receipt = repository.ingest(Path("accession"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from repository import config, founding, in_force
from repository.facade import default_agent, new_id, utc_now
from repository.facade_delete import Deleting
from repository.facade_formats import Formats
from repository.facade_give import Giving
from repository.facade_ingest import Ingesting
from repository.facade_jobs import Scheduling
from repository.facade_ledger import Recording
from repository.facade_repair import Repairing
from storage.aip import stamp
from storage.progress import SILENT, Progress

if TYPE_CHECKING:
    from repository.copies import Promoted
    from repository.doctor_check import Check
    from repository.doctor_drill import Drill


class Repository(Scheduling, Ingesting, Formats, Repairing, Giving, Deleting, Recording):
    """A repository folder, opened, with every verb. What a crash left half-done is finished first."""

    @classmethod
    def init(cls, folder: Path, others: Sequence[str] = (), *, agent: str = "") -> Repository:
        """Make a repository with its first copy in `folder`/vault and others at paths or file: URLs.

        Raises NotEmpty, NotAVault or UnsupportedCopy; then nothing was made.
        """
        made = founding.make(folder, others, new_id(utc_now), stamp(utc_now()), agent or default_agent())
        return cls(made, agent=agent)

    @classmethod
    def open(
        cls, folder: Path, *, agent: str = "", user: str = "", progress: Progress = SILENT,
        now: Callable[[], datetime] = utc_now, patience: float = 60.0,
    ) -> Repository:  # fmt: skip
        """Open a repository; `agent` acts, as the system's `user`, by default whoever runs this. Raises NoRepository,
        BadConfig, NotAVault or Unreachable."""
        settings = config.load(folder.absolute())
        return cls(settings, agent=agent, user=user, progress=progress, now=now, patience=patience)

    @classmethod
    def promote_copy(cls, folder: Path, name: str, *, agent: str = "") -> Promoted:
        """Make a copy the first, also where the first one is lost; raise what `copies.promote` raises."""
        from repository import copies

        done = copies.promote(folder, name)
        with cls.open(folder, agent=agent) as repository:
            told = {**done.told(), "settings": in_force.of_file(repository.settings)}
            repository._note("configuration", name, "promoted", told)
        return done

    @staticmethod
    def doctor(folder: Path) -> list[Check]:
        """What is installed, and whether disks keep their promises: of the repository there, which need not open."""
        from repository import doctor

        return doctor.examine(folder)

    @staticmethod
    def doctor_drill(folder: Path) -> Drill:
        """Damage and heal a tiny repository on the disks of the one there, which need not open; raise NoRepository."""
        from repository import doctor_drill  # it makes repositories of its own

        return doctor_drill.drill(config.load(folder))
