"""Names are bytes: how any byte string becomes a path component that bags, JSON and XML can hold, and back.

A component stays as it is unless it is not UTF-8, holds a control character other than LF and CR, holds U+FFFE or
U+FFFF (which XML cannot), or begins with "=". Such a one is written as "=" followed by its text, in which each
offending byte and each "=" stands as "=XX" (two uppercase hexadecimal digits). `unescape` is the exact inverse.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 255  # bytes of one component on nearly every file system
_ESCAPED = re.compile(rb"=([0-9A-F]{2})")
_OFFENDING = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What bag, XML or JSON cannot hold (a surrogate stands for a byte that is not UTF-8)."""
_ESCAPING = re.compile(f"{_OFFENDING.pattern}|(?:^|/)=")
"""What a path holds of which a component has to be escaped."""


def escape(component: bytes) -> str:
    """One path component as text, reversibly."""
    text = component.decode("utf-8", "surrogateescape")
    if not text.startswith("=") and not _OFFENDING.search(text):
        return text
    return "=" + "".join(_escaped(c) if c in "=\n\r" or _OFFENDING.match(c) else c for c in text)


def unescape(text: str) -> bytes:
    """The bytes that `escape` made `text` from."""
    if not text.startswith("="):
        return text.encode("utf-8")
    return _ESCAPED.sub(lambda m: bytes.fromhex(m[1].decode()), text[1:].encode("utf-8"))


def escape_path(path: bytes) -> str:
    """A whole path, component by component: the form of paths in JSON and in PREMIS."""
    text = path.decode("utf-8", "surrogateescape")
    if not _ESCAPING.search(text):
        return text
    return "/".join(map(escape, path.split(b"/")))


def unescape_path(text: str) -> bytes:
    return b"/".join(map(unescape, text.split("/")))


def bag_component(component: bytes) -> str:
    """The name that a component has inside a bag: `escape`, or "==~" and its SHA-256 where that is over 255 bytes.

    The map of names gives the original back ("==~" begins no escaped name, as "=" is always followed by digits).
    """
    text = escape(component)
    if len(text.encode("utf-8")) <= LONGEST:
        return text
    return f"==~{hashlib.sha256(component).hexdigest()}"


def bag_path(path: bytes) -> str:
    if len(path) <= LONGEST:  # then so is every component that is not escaped
        text = path.decode("utf-8", "surrogateescape")
        if not _ESCAPING.search(text):
            return text
    return "/".join(map(bag_component, path.split(b"/")))


def portable_component(component: str) -> str:
    """A bag's name in the form that the `bagit` library can check: see docs/vault-format.md, "Portable names".

    Kept are names in NFC without "%", LF, CR and without a blank at either end; the others are escaped byte by byte.
    """
    if _portable(component):
        return component
    escaped = "=" + "".join(c if _plain(c) else _escaped(c) for c in component)
    if len(escaped) <= LONGEST:
        return escaped
    return f"==~{hashlib.sha256(component.encode('utf-8')).hexdigest()}"


def portable_path(path: str) -> str:
    return "/".join(map(portable_component, path.split("/")))


def _escaped(character: str) -> str:
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _plain(character: str) -> bool:
    return character.isascii() and character not in '=%\n\r\\:*?"<>|~ ' and character.isprintable()


def _portable(component: str) -> bool:
    whole = component == component.strip() and unicodedata.is_normalized("NFC", component)
    # str.splitlines, which readers of manifests use, also breaks at these
    return whole and not any(c in component for c in "%\n\r\u2028\u2029") and not component.startswith("~")
