"""The façade's verbs for formats: signatures, what they would tell otherwise, corrections, migration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from repository import holdings
from repository.agents import on_record
from repository.errors import UnknownFormat
from repository.facade_browse import Browsing
from storage.aip import stamp
from storage.canonical import Json
from storage.event import Event

if TYPE_CHECKING:
    from ingest.again import Drifted
    from ingest.droid import DroidSignatures
    from ingest.identify import Format
    from ingest.signatures import Signatures
    from repository.characterization import Due
    from repository.characterization import Planned as Asked
    from repository.characterize import Characterized
    from repository.corrections import Correction
    from repository.migration import Migration, Planned
    from repository.signatures import Imported, Known


class Formats(Browsing):
    """What tells formats, and what is done about them."""

    def signatures(self) -> Known:
        """The signatures in use: those imported last, else fido's own."""
        from repository import signatures

        if imported := signatures.in_force(self.catalogue):
            return signatures.known(self._converted(imported), imported.time)
        return signatures.known_to_fido()

    def import_signatures(self, signature_file: Path, container_file: Path) -> Known:
        """Tell formats by DROID's signatures from now on; raise NotSignatures or NoSuchPackage, and nothing is changed.

        Both files are kept in the vault as evidence; files that are in use already change nothing either.
        """
        from ingest.droid import convert
        from repository import evidence, signatures

        pair = signatures.read(signature_file, container_file)
        version, files = convert(*pair).table.version, signatures.digests(pair)
        before = signatures.in_force(self.catalogue)
        if before is None or before.files != files:
            first, second = (evidence.keep(self.committer, self._new_id, [data]) for data in pair)
            detail = {"version": version, "signature_file": str(first), "container_file": str(second)}
            self._note("signatures", self.settings.vault_id, "imported", detail)
        return self.signatures()

    def drift(self, files: tuple[Path, Path] | None = None) -> Iterator[Drifted]:
        """Yield what each file held is on record as and what it would be: by the signatures in use, or by two files of
        DROID's that are only tried. Nothing is changed. Raises NotSignatures or NoSuchPackage."""
        from ingest.droid import convert
        from repository import drift, identifiers, signatures
        from repository.scratch import scratch
        from repository.workers import workers

        if files is None:
            yield from drift.drift(self.catalogue, self.vault.copies, self.identifier(), workers, self.progress)
            return
        pair = signatures.read(*files)
        convert(*pair)
        work = self.settings.work
        with scratch(work, f"drift-{self._new_id()}") as [folder]:
            paths = signatures.lay_out(folder, signatures.digests(pair), lambda: pair, work)
            engine = partial(identifiers.imported, *paths, (folder,))
            yield from drift.drift(self.catalogue, self.vault.copies, engine, workers, self.progress)

    def correct(self, names: Sequence[str], puid: str, reason: str, *, aip: str = "") -> list[Correction]:
        """Say what files are: paths in an AIP, or digests. It is on record, and wins over what engines find.

        Raises UnknownFormat, NotFound or BadRequest; then nothing was said.
        """
        from repository import corrections

        why, known = on_record(reason), self._format(puid)
        with self.committer.lock():
            self.catalogue.follow(self.vault)
            said = corrections.named(self.catalogue, names, aip, puid, why)
            done = [self._note_correction(one, known) for one in said]
            self.catalogue.follow(self.vault)
        return done

    def _note_correction(self, said: Correction, known: Format) -> Correction:
        detail: dict[str, Json] = {
            "path": said.path, "sha256": said.digest.hexadecimal, "puid": known.puid, "format": known.name,
            "mime": known.mime, "was": list(said.was), "why": said.reason, "user": self.user,
        }  # fmt: skip
        time, agent = stamp(self.now()), self.agent
        event = Event(
            time=time, type="identification", agent=agent, object=said.aip, outcome="corrected", detail=detail
        )  # fmt: skip
        return replace(said, time=time, agent=agent, behind=self.committer.note_locked(event))

    def _format(self, puid: str) -> Format:
        """The format of that PUID; raise UnknownFormat where the signatures in use do not know it."""
        if found := self._formats().get(puid):
            return found
        raise UnknownFormat(puid, self._table().version)

    def _formats(self) -> Mapping[str, Format]:
        """The formats that the signatures in use know, by PUID."""
        from repository import signatures

        return signatures.formats(self._table())

    def _table(self) -> Signatures:
        from repository import signatures

        imported = signatures.in_force(self.catalogue)
        return self._converted(imported).table if imported else signatures.fidos_own()

    def _converted(self, imported: Imported) -> DroidSignatures:
        from ingest.droid import convert
        from repository import signatures

        return convert(*signatures.read(*self._laid_out(imported)))

    def characterize(self, names: Sequence[str] = ()) -> Iterator[Characterized]:
        """Ask format tools about the AIPs named, all files of each; else about all files that no tool was asked about.

        Yields what became of each, which is one new version, once it is committed. Raises what `show` raises before the
        first, and then what `repository.characterize` raises.
        """
        from repository import characterize

        self.catalogue.follow(self.vault)  # a run that failed may have made its version all the same
        if not (due := self._due(names)):
            return
        self.note_changes()
        setting, formats = self._setting(), self._formats()
        for wanted in due:
            done = characterize.carry_out(wanted, self.catalogue, setting, formats)
            self.catalogue.follow(self.vault)
            yield done

    def characterize_plan(self, names: Sequence[str] = ()) -> list[Asked]:
        """What `characterize` would ask; nothing is opened. Raises what `show` raises."""
        from repository import characterization

        return [characterization.plan(self.catalogue, self.policies().tools, wanted) for wanted in self._due(names)]

    def _due(self, names: Sequence[str]) -> list[Due]:
        from repository import characterization

        if not names:
            return characterization.due(self.catalogue)
        aips = dict.fromkeys(holdings.resolve(self.catalogue, name) for name in names)
        return [characterization.whole(self.catalogue, aip) for aip in aips]

    def migrate_plan(self) -> list[Planned]:
        """What the migration policy asks for and has not been done."""
        from repository import migration

        return migration.plan(self.catalogue, self.policies())

    def migrate(self) -> list[Migration]:
        """Carry the plan out: one new version at most for each AIP, every output proved equal before it is kept."""
        from repository import migrate, migration

        self.note_changes()
        setting = self._setting()
        done = []
        for some in migration.by_aip(self.migrate_plan()):
            done.extend(migrate.carry_out(some, self.catalogue, setting))
            self.catalogue.follow(self.vault)
        return done
