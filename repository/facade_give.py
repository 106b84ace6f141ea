"""The façade's verbs for giving out: DIPs, and drills that restore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.terms import one_line
from repository import holdings
from repository.dip_contents import Link
from repository.errors import BadRequest, NothingSigned
from repository.facade_browse import Browsing
from storage.canonical import Json
from storage.digest import Digest
from storage.errors import Damaged

if TYPE_CHECKING:
    from repository.dip import Dip
    from repository.drill import Drilled, Wanted
    from repository.proving import Proof
    from storage.aip import Record

FORMS = ("bag", "rocrate", "folder", "ocfl")


class Giving(Browsing):
    """What goes out."""

    def export(
        self, aip: str, dest: Path, form: str, *, version: int | None = None, portable: bool = True,
        link: Link = Link.NONE,
    ) -> Dip:  # fmt: skip
        """Give out a version (the newest by default) as a bag, an RO-Crate or a folder, or it and those before it as an
        OCFL object, which a storage root at `dest` gets besides what it has; raise NotEmpty, NotFound, NotOcfl.

        A bag or a folder may `link` its files to the vault's where both are on one file system; raise CannotLink.
        """
        from repository import copies, dip, dip_bag, dip_folder, dip_proof
        from repository.dip import Dip
        from repository.dip_unfinished import left_behind
        from repository.workers import GIVING, get_ready, workers

        if form not in FORMS:
            raise BadRequest(f"{form!r} is not a form of DIP.", f"Choose one of: {', '.join(FORMS)}.")
        copies.check_outside(dest, self.settings)
        if link and form not in ("bag", "folder"):
            raise BadRequest(
                f"{form} shares no bytes with the vault.", "Leave --link out, or export a bag or a folder."
            )
        urn = holdings.resolve(self.catalogue, aip)
        record = self._version(urn, version)
        get_ready(record.files, record.size, GIVING)
        if form == "ocfl":
            with self._by_name(urn):
                return self._export_ocfl(record, dest)
        proof = self._proof(urn, record.version)
        exact = form == "folder" or (form == "bag" and not portable)  # nothing else may be in it
        if proof and exact:
            dip_proof.make_room(dest.absolute())
        self.progress.begin("Exporting", record.files, record.size)
        with self._by_name(urn), dip.writing(self.vault, dest.absolute(), self.progress, workers, link) as out:
            if form == "bag":
                dip_bag.write(out, record, portable=portable, proof=proof)
            elif form == "folder":
                dip_folder.write(out, record)
            else:
                from repository import dip_rocrate  # its library takes a tenth of a second to import

                files = {file.path: file for file in holdings.files(self.catalogue, urn, record.version)}
                dip_rocrate.write(out, record, holdings.aip(self.catalogue, urn), files, proof)
            if proof and exact:
                dip_proof.write_beside(out, record, proof, dest.absolute())
        self.progress.end()
        self._note_given(urn, {"form": form, "version": record.version, "files": out.files})
        place = dip_proof.place(dest, form, proof, exact) if proof else None
        return Dip(dest, form, out.files, out.size, place, left_behind(dest.absolute()), out.findings)

    @contextmanager
    def _by_name(self, urn: str) -> Iterator[None]:
        """What an AIP's blob is damaged or lost of is told by the file's name, too."""
        try:
            yield
        except Damaged as lost:
            behind = self.behind(lost.what)
            if not behind.files:
                raise
            file = next((one for one in behind.files if one.aip == urn), behind.files[0])
            told = f"{one_line(file.original_name or file.path)} of {file.accession} ({lost.what})"
            raise Damaged(told, lost.expected, lost.found) from lost

    def prove(self, aip: str, to: Path = Path()) -> tuple[Proof, Path]:
        """Write the proof of an AIP and the program that checks it into a folder; return the proof and its place.

        Raises NothingSigned where no signed checkpoint covers its commit, and as `show` does.
        """
        from repository import copies, dip_proof, proving

        copies.check_outside(to, self.settings)
        urn = holdings.resolve(self.catalogue, aip)
        proof = proving.prove(self.catalogue, self.vault, self.settings.vault_id, urn)
        to.mkdir(parents=True, exist_ok=True)
        for name, data in dip_proof.parts(proof).items():
            (to / name).write_bytes(data)
        return proof, to / proof.name

    def _proof(self, urn: str, version: int) -> Proof | None:
        """The proof that goes with a DIP; None where nothing that is signed covers it."""
        from repository import proving  # cryptography takes a twentieth of a second to import

        with suppress(NothingSigned):
            return proving.prove(self.catalogue, self.vault, self.settings.vault_id, urn, version)
        return None

    def _export_ocfl(self, last: Record, dest: Path) -> Dip:
        from repository import dip_ocfl
        from repository.dip_unfinished import left_behind

        records = self.vault.records(last.uuid)[: last.version]
        made = dip_ocfl.write(self.vault, records, dest.absolute(), self.policies().ingest, self.progress)
        self.progress.end()
        self._note_given(last.aip, {"form": "ocfl", "version": last.version, "files": made.files})
        return replace(made, leftovers=left_behind(dest.absolute()))

    def _note_given(self, urn: str, detail: Mapping[str, Json]) -> None:
        """Write down what was given out; where nothing may be written (`changed`) it is given out all the same."""
        if not self.changed:
            self._note("export", urn, "success", detail)

    def drill_restore(self, copy: str = "", *, sample: int = 10, seed: int = 0, largest: int | None = None) -> Drilled:
        """Restore that many AIPs, chosen by the seed, from one copy alone (by default the last), and compare them.

        Those that are larger than so many bytes are not chosen. Raises UnknownCopy, Unreachable or NoRoom.
        """
        from repository import drill
        from repository.scratch import scratch

        stores, _ = self._named(copy)
        if not stores:
            raise BadRequest(f"{copy} keeps packages; a drill restores from a copy of the vault.", "Name another copy.")
        store = stores[-1]
        small = [one.aip for one in self.aips() if largest is None or (one.bytes or 0) <= largest]
        chosen = drill.sample(small, sample, seed)
        self.progress.begin(f"Restoring from {store.name}", 0, 0)
        with scratch(self.settings.work, f"drill-{self._new_id()}") as [folder]:
            done = drill.restore(store, map(self._wanted, chosen), folder, self.progress)
        self.progress.end()
        detail: dict[str, Json] = {
            "aips": done.aips, "identical": done.aips - done.different, "different": done.different, "seed": seed,
        }  # fmt: skip
        if done.differences:
            detail["findings"] = str(self._watch().keep_list(map(asdict, done.differences)))
        self._note("drill", store.name, "fail" if done.differences else "pass", detail)
        return done

    def _wanted(self, urn: str) -> Wanted:
        """The newest version of an AIP and its files, as the catalogue knows them."""
        from repository.drill import Wanted

        row = self.catalogue.one("select version, record from versions where aip = ? order by version desc", urn)
        assert row is not None  # the catalogue has named the AIP
        files = holdings.files(self.catalogue, urn, everything=True)
        known = ((file.path, Digest.parse(file.digest)) for file in files)
        return Wanted(urn, row["version"], Digest.parse(row["record"]), known)
