"""What of a bag's fetch.txt may be fetched (RFC 8493 §2.2.3), and why the rest may not: decided before anybody is
asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest import member
from ingest.bagit_tags import Fetch
from ingest.fetch_rules import NotFetched, target
from ingest.finding import Finding, error, info
from ingest.sip_bag import Bag
from ingest.terms import one_line
from ingest.worklist import Worklist
from policies.ingest import IngestPolicy
from storage.names import escape_path

SHOWN = 500  # characters of a URL that a finding tells


@dataclass(slots=True)
class Room:
    """How many files and bytes may come still: as the policy says of what is fetched, and of the package as a whole."""

    files: int
    size: int

    @classmethod
    def of(cls, worklist: Worklist, policy: IngestPolicy) -> Room:
        files, size = worklist.totals()
        return cls(
            min(policy.fetching.files, policy.limits.files - files),
            min(policy.fetching.bytes, policy.limits.bytes - size),
        )

    def check(self, length: int | None) -> None:
        """Raise NotFetched where a file of so many bytes has no room."""
        if self.files <= 0:
            raise NotFetched("there are more files than the policy allows (fetching.files, limits.files)")
        if max(length or 0, 1) > self.size:
            raise NotFetched("there are more bytes than the policy allows (fetching.bytes, limits.bytes)")

    def take(self, size: int) -> None:
        self.files, self.size = self.files - 1, self.size - size


def name_of(fetch: Fetch, bag: Bag, worklist: Worklist) -> bytes:
    """The item of the package that a line means: of those that it may mean, the one that a manifest lists."""
    names = [bag.base + path for path in fetch.paths]
    return next((name for name in names if _is_listed(name, worklist)), names[0])


def check(name: bytes, fetch: Fetch, bag: Bag, worklist: Worklist, policy: IngestPolicy) -> None:
    """Raise NotFetched where a line's file may not be fetched, whatever its server would say."""
    target(fetch.url, policy.fetching)
    if not name.startswith(bag.base + b"data/"):
        raise NotFetched("it does not lie in data/")
    if not _is_listed(name, worklist):
        raise NotFetched("no payload manifest lists it")
    if wrong := _wrong(name, worklist):
        raise NotFetched(wrong)
    if name.count(b"/") > policy.limits.depth:
        raise NotFetched(f"it would lie deeper than {policy.limits.depth} folders (limits.depth)")


def foretold(bag: Bag, worklist: Worklist, policy: IngestPolicy) -> Iterator[Finding]:
    """Yield what would become of each line whose file did not come along; nobody is asked."""
    room = Room.of(worklist, policy)
    for fetch in bag.to_fetch:
        name = name_of(fetch, bag, worklist)
        if policy.fetch == "refuse":
            told = f"It would have to be fetched from {url(fetch)}; deliver it."
            yield error("rfc8493-2.2.3-fetch", told, shown(name, bag))
            continue
        try:
            check(name, fetch, bag, worklist, policy)
            room.check(fetch.length)
        except NotFetched as refused:
            yield failed(name, fetch, bag, refused)
            continue
        room.take(fetch.length or 0)
        size = "it is not said how many bytes" if fetch.length is None else f"{fetch.length} bytes"
        yield info("rfc8493-2.2.3-would-fetch", f"It would be fetched from {url(fetch)}: {size}.", shown(name, bag))


def failed(name: bytes, fetch: Fetch, bag: Bag, why: NotFetched) -> Finding:
    return error("rfc8493-2.2.3-fetch", f"It cannot be fetched from {url(fetch)}: {why}.", shown(name, bag))


def claimed(bag: Bag) -> int:
    """The bytes that are to be fetched, so far as fetch.txt tells."""
    return sum(fetch.length or 0 for fetch in bag.to_fetch)


def url(fetch: Fetch) -> str:
    """A URL for people: a password in it is not repeated."""
    text = one_line(fetch.url)
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"[:SHOWN]


def shown(name: bytes, bag: Bag) -> str:
    return escape_path(name.removeprefix(bag.base))


def _is_listed(name: bytes, worklist: Worklist) -> bool:
    query = "select 1 from claims where name = ? and origin glob 'manifest-*' limit 1"
    return next(worklist.select(query, name), None) is not None


def _wrong(name: bytes, worklist: Worklist) -> str:
    """Why nothing can have that name there, as of an archive's members; "" where it can."""
    if found := member.refusal(name) or next(member.crossings([name], worklist.solid), None):
        return f"{found.code}: {found.message[0].lower()}{found.message[1:].rstrip('.')}"
    taken = worklist.item(name) or next(worklist.below(name + b"/"), None)
    return "the package has something else of that name" if taken else ""
