"""How a good file becomes a hostile one: small changes of bytes, and of the tokens that text formats are made of.

A change is a value, so that hypothesis can draw and shrink it and a campaign can make it at random.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

WHOLE = 1 << 16
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|<[^<>]*>|[A-Za-z_][\w-]*|-?\d+|[^\s\w]|\n')
WORDS = (
    b"null", b"true", b"{}", b"[]", b"[[]]", b'""', b'"x"', b'"\\ud800"', b'"\\u0000"', b'"../../x"', b'"/etc/x"',
    b'{"a":1}', b"0", b"-1", b"1e999", b"NaN", b"2.5", b"18446744073709551616", b"9" * 5_000,
    b"99999999999999999999.1", b"[" * 5_000, b"<a>" * 300, b"</a>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", b"&b;", b"<?x?>", b"<!--", b"..", b"../../etc/passwd",
    b"/", b"//", b"./", b"\\", b"~root", b"C:\\x", b"%00", b"%0A", b"%2e%2e/", b"%zz", b"file:///x", b"\0", b"\r",
    b"\r\n", b"\n\n", b",", b";", b'"', b"'", b"\t", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80",
    b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8", "\u0660".encode(), "\u00b2".encode(), "\ufdfa".encode(), b"cafe\xcc\x81",
    b"9999-99-99", b"0000-01-01", b"0001-01-01T00:00:00+23:59", b"utf-16", b"idna", b"rot13", b"hex", b"P" * 300,
)  # fmt: skip
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


class Change(NamedTuple):
    """`kind` is one of CHANGES; `where` and `other` lie between 0 and WHOLE, as parts of the whole; `pick` chooses."""

    kind: str
    where: int
    other: int
    pick: int


def changed(data: bytes, changes: Iterable[Change]) -> bytes:
    """The bytes after all changes, one after another."""
    for change in changes:
        data = CHANGES[change.kind](data, change)
    return data


def _at(data: bytes, part: int) -> int:
    return len(data) * part // WHOLE


def _flip(data: bytes, change: Change) -> bytes:
    at = _at(data, change.where)
    return data[:at] + bytes(byte ^ (1 << change.pick % 8) for byte in data[at : at + 1]) + data[at + 1 :]


def _number(data: bytes, change: Change) -> bytes:
    """An integer field of 1, 2, 4 or 8 bytes at the edge of what it can hold."""
    at, width = _at(data, change.where), (1, 2, 4, 8)[change.other % 4]
    number = NUMBERS[change.pick % len(NUMBERS)] % (1 << 8 * width)
    return data[:at] + number.to_bytes(width, "little" if change.other & 4 else "big") + data[at + width :]


def _cut(data: bytes, change: Change) -> bytes:
    return data[: _at(data, change.where)]


def _drop(data: bytes, change: Change) -> bytes:
    at = _at(data, change.where)
    return data[:at] + data[at + 1 + change.pick % 64 :]


def _insert(data: bytes, change: Change) -> bytes:
    at = _at(data, change.where)
    return data[:at] + WORDS[change.pick % len(WORDS)] + data[at:]


def _copy(data: bytes, change: Change) -> bytes:
    """A piece of it once more, elsewhere."""
    at, there = _at(data, change.where), _at(data, change.other)
    return data[:at] + data[there : there + 1 + change.pick % 512] + data[at:]


def _word(data: bytes, change: Change) -> bytes:
    """One token becomes another."""
    return _at_token(data, change, lambda token: WORDS[change.pick % len(WORDS)])


def _text(data: bytes, change: Change) -> bytes:
    """What stands in quotes, or a word, becomes another; the quotes stay."""
    word = WORDS[change.pick % len(WORDS)]
    return _at_token(data, change, lambda token: b'"%s"' % word if token.startswith(b'"') else word)


def _attribute(data: bytes, change: Change) -> bytes:
    """A tag loses its attributes, or all tags of an element come twice."""
    return _at_token(data, change, lambda token: token + token if change.pick % 2 else token.split(b" ")[0] + b">")


def _swap(data: bytes, change: Change) -> bytes:
    """One token takes the place of another."""
    found = list(_TOKEN.finditer(data))
    if not found:
        return data
    other = found[change.other * len(found) // WHOLE][0]
    return _at_token(data, change, lambda token: other)


def _at_token(data: bytes, change: Change, becomes: Callable[[bytes], bytes]) -> bytes:
    found = list(_TOKEN.finditer(data))
    if not found:
        return data
    one = found[change.where * len(found) // WHOLE]
    return data[: one.start()] + becomes(one[0]) + data[one.end() :]


CHANGES: dict[str, Callable[[bytes, Change], bytes]] = {
    "flip": _flip, "number": _number, "cut": _cut, "drop": _drop, "insert": _insert, "copy": _copy,
    "word": _word, "text": _text, "attribute": _attribute, "swap": _swap,
}  # fmt: skip
