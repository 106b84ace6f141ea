"""The façade's questions: what is held, what happened to it, and what is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from repository import holdings
from repository.errors import ListLost
from repository.facade import Opened
from repository.holdings import Aip, Behind, Happened, HeldFile, Version
from repository.unread import Unread, unread
from storage.aip import Record, parse_aip
from storage.digest import Digest
from storage.errors import Damaged, NotFound

if TYPE_CHECKING:
    from repository.accession import Accession
    from repository.corrections import Correction
    from repository.disposal import Hold, Request


class Browsing(Opened):
    """What is held, and what happened."""

    def aips(self) -> Iterator[Aip]:
        """Yield every AIP by accession number."""
        return holdings.aips(self.catalogue)

    def show(self, aip: str) -> tuple[Aip, list[Version]]:
        """An AIP, by identifier or accession number, and its versions; raise BadIdentifier or NotFound."""
        urn = holdings.resolve(self.catalogue, aip)
        return holdings.aip(self.catalogue, urn), holdings.versions(self.catalogue, urn)

    def files(self, aip: str, *, everything: bool = False) -> Iterator[HeldFile]:
        """Yield an AIP's files by path: its content, or everything in its bag; raise ListLost, and as `show` does."""
        urn = holdings.resolve(self.catalogue, aip)
        self._check_read(urn)
        return holdings.files(self.catalogue, urn, everything=everything)

    def _check_read(self, urn: str) -> None:
        """Raise ListLost where it is not known what is in an AIP as it is now."""
        last = holdings.versions(self.catalogue, urn)[-1].version
        for one in unread(self.catalogue, urn):
            if one.version == last:
                raise ListLost(*one)

    def unread(self) -> list[Unread]:
        """The versions of which it is not known what is in them, by AIP and version."""
        return unread(self.catalogue)

    def judged(self, aip: str) -> Mapping[str, int]:
        """How many of an AIP's files format tools call well-formed and malformed, and how many they have not checked;
        raises as `show` does."""
        return holdings.judged(self.catalogue, holdings.resolve(self.catalogue, aip))

    def search(self, words: str) -> Iterator[Aip]:
        return holdings.search(self.catalogue, words)

    def events(self, aip: str = "") -> Iterator[Happened]:
        """Yield what happened to the repository, or to one AIP or accession, in order of time."""
        return holdings.events(self.catalogue, holdings.subject(self.catalogue, aip) if aip else "")

    def behind(self, key: str) -> Behind:
        """The files and AIPs that a key of the vault is for."""
        return holdings.behind(self.catalogue, key)

    def _version(self, urn: str, wanted: int | None) -> Record:
        row = self.catalogue.one(
            "select version, record from versions where aip = ? and version = coalesce(?, version)"
            " order by version desc",
            urn, wanted,
        )  # fmt: skip
        if row is None:
            raise NotFound(f"Version {wanted} of {urn}", "this repository", "`tianyi show` lists its versions.")
        try:
            return self.vault.record(parse_aip(urn), row["version"], Digest.parse(row["record"]))
        except NotFound as lost:  # it was committed, and no copy has its record
            raise Damaged(lost.what) from lost

    def accessions(self) -> Iterator[Accession]:
        """Yield every accession that ever got a number, in their order."""
        from repository import accessions

        return accessions.accessions(self.catalogue, self.settings.work)

    def corrections(self, aip: str) -> list[Correction]:
        """What officers said of an AIP's files, by path."""
        from repository import corrections

        return corrections.corrections(self.catalogue, holdings.resolve(self.catalogue, aip))

    def requests(self) -> Iterator[Request]:
        """Yield every request to delete that was ever made, in order."""
        from repository import requests

        return requests.requests(self.catalogue)

    def open_request(self, aip: str) -> Request | None:
        """The request to delete an AIP that waits for something, where there is one."""
        from repository import requests

        return requests.open_request(self.catalogue, aip)

    def holds(self) -> list[Hold]:
        """The legal holds in force, in order."""
        from repository import requests

        return requests.holds(self.catalogue)

    def unchecked(self) -> dict[str, int]:
        """The copies that did not answer their last audit, and how many keys of each were not checked."""
        return self._watch().unchecked()
