"""Who may be asked for a file of fetch.txt, pure: URLs and addresses held against what the policy lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from policies.fetching import Fetching

_PORTS = {"https": 443, "http": 80}
_URL = re.compile(r"[!-\[\]-~]{1,8000}")  # RFC 3986 §2: ASCII that can be seen; some readers take "\" for "/"
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:.]{2,45}")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1


class NotFetched(Exception):
    """Why a file was not fetched, in words. `passing`: another try may go better."""

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked: `path` with its query. `exact`: the policy lists this very host, not a pattern."""

    scheme: str
    host: str
    port: int
    path: str
    exact: bool

    @property
    def authority(self) -> str:
        """Host and port, as the header Host has them (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL without its query, which may be a key that was made for us alone."""
        return f"{self.scheme}://{self.authority}{self.path.partition('?')[0]}"


def target(url: str, rules: Fetching) -> Target:
    """What a URL asks for; raise NotFetched where the policy does not list it, or where it is none."""
    parts, port = _split(url)
    if parts.scheme not in rules.schemes:
        raise NotFetched(f"the policy lists no {parts.scheme or 'URL without a scheme'} (fetching.schemes)")
    if "@" in parts.netloc:
        raise NotFetched("its URL holds a user's name or password")
    host = _plain(parts.hostname or "")
    if not _HOST.fullmatch(host):
        raise NotFetched("its URL has no host")
    exact = _is_listed(host, port or _PORTS[parts.scheme], _PORTS[parts.scheme], rules.hosts)
    if exact is None:
        told = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
        raise NotFetched(f"the policy does not list {told} (fetching.hosts)")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, exact)


def redirected(asked: Target, location: str) -> str:
    """The URL that an answer points to (RFC 9110 §10.2.2); raise NotFetched where it points nowhere."""
    try:
        if location:
            return urljoin(f"{asked.scheme}://{asked.authority}{asked.path}", location)
    except ValueError:
        pass
    raise NotFetched("it is redirected to no URL")


def permitted(address: str, asked: Target, rules: Fetching) -> bool:
    """Whether a host's address may be asked: what is not of the public network only where the policy names that very
    host, and says `private: true`."""
    return (rules.private and asked.exact) or all(map(_is_public, _meant(ip_address(address))))


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        if _URL.fullmatch(url):
            parts = urlsplit(url)
            return parts, parts.port
    except ValueError:
        pass
    raise NotFetched("its URL is none (RFC 3986)")


def _plain(host: str) -> str:
    """A host in one spelling: an address as it is written shortest, a name without the root's dot."""
    try:
        return str(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return host.removesuffix(".")


def _is_listed(host: str, port: int, usual: int, hosts: tuple[str, ...]) -> bool | None:
    """Whether it is listed as it stands (True) or by a pattern (False); None where it is not."""
    by_pattern = None
    for entry in hosts:
        name, number = _entry(entry)
        if (number or usual) != port:
            continue
        if _plain(name) == host:
            return True
        if name.startswith("*.") and host.endswith(name[1:]):
            by_pattern = False
    return by_pattern


def _entry(text: str) -> tuple[str, int | None]:
    """Host and port of one that the policy lists; an address of IPv6 stands in brackets."""
    found = re.fullmatch(r"(\[.*\]|[^:]*)(?::([0-9]+))?", text)
    return (found[1], int(found[2]) if found[2] else None) if found else (text, None)


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses that are asked in truth: those of IPv4 that one of IPv6 carries too."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped or address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield from (address, *filter(None, (address.sixtofour, *(address.teredo or ()))))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    odd = address.is_multicast or address.is_reserved or address.is_link_local
    return address.is_global and not odd and not getattr(address, "is_site_local", False)
