"""Who may be asked for a file of fetch.txt: URLs, hosts and addresses held against the policy."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.fetch_rules import NotFetched, Target, permitted, redirected, target
from policies.document import defaults
from policies.fetching import Fetching


def rules(*hosts: str, **said: Any) -> Fetching:
    return Fetching.model_validate({**defaults("ingest")["fetching"], "hosts": hosts, **said})


LISTED = rules("example.org", "*.example.net", "example.org:8443", "192.0.2.1", "[2001:db8::1]:8080")


@pytest.mark.parametrize(("url", "authority", "path", "exact"), [
    ("https://example.org", "example.org", "/", True),
    ("HTTPS://EXAMPLE.org.:443/a%20b?c=d#e", "example.org", "/a%20b?c=d", True),
    ("https://a.b.example.net/x", "a.b.example.net", "/x", False),
    ("https://example.org:8443/x", "example.org:8443", "/x", True),
    ("https://192.0.2.1/x", "192.0.2.1", "/x", True),
    ("https://[2001:DB8:0::1]:8080/x", "[2001:db8::1]:8080", "/x", True),
])  # fmt: skip
def test_what_is_listed_may_be_asked(url: str, authority: str, path: str, exact: bool) -> None:
    found = target(url, LISTED)
    assert (found.authority, found.path, found.exact) == (authority, path, exact)


@pytest.mark.parametrize("url", [
    "https://example.com/", "https://example.org.evil.com/", "https://notexample.org/", "https://example.net/",
    "https://evilexample.net/", "https://example.org:22/", "https://a.example.net:8443/", "http://example.org/",
    "ftp://example.org/", "file:///etc/passwd", "//example.org/", "example.org", "https:///x", "https://",
    "https://user@example.org/", "https://user:word@example.org/", "https://@example.org/",
    "https://evil.com\\@example.org/", "https://example.org\\.evil.com/", "https://example.org/a\tb",
    "https://example.org/\r\nHost: a", "https://ex\u00e4mple.org/", "https://example.org:99999/",
    "https://example.org:x/", "https://[2001:db8::1/", "https://[fe80::1%25eth0]/", "https://2001:db8::1/",
    "https://*.example.net/", "https://" + "a." * 200 + "example.net/", "https://example.org/" + "a" * 9_000,
])  # fmt: skip
def test_what_is_not_listed_is_asked_for_nothing(url: str) -> None:
    with pytest.raises(NotFetched):
        target(url, LISTED)
    with pytest.raises(NotFetched):
        target(url, rules())


PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%1", "fc00::1",
    "ff0e::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "::127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_needs_the_hosts_own_name_and_leave(address: str) -> None:
    exact, by_pattern = (
        Target("https", "a.example.net", 443, "/", True),
        Target("https", "a.example.net", 443, "/", False),
    )
    assert not permitted(address, exact, rules())
    assert not permitted(address, by_pattern, rules(private="true"))
    assert permitted(address, exact, rules(private="true"))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_public_network_may_be_asked(address: str) -> None:
    assert permitted(address, Target("https", "a.example.net", 443, "/", False), rules())


def test_where_an_answer_points_to() -> None:
    asked = target("https://example.org/a/b?key", LISTED)
    assert redirected(asked, "../c?d") == "https://example.org/c?d"
    assert redirected(asked, "//evil.com/x") == "https://evil.com/x"
    assert asked.shown == "https://example.org/a/b"
    for nowhere in ("", "https://[x"):
        with pytest.raises(NotFetched, match="no URL"):
            redirected(asked, nowhere)
