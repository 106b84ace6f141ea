"""Text between the tags of XML. The library's own functions for it bring along a client for the web."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text as XML has it between tags (XML 1.0 §2.4); CR by reference, else parsers make a line feed of it (§2.11)."""
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;").replace("\r", "&#13;")


def unescaped(text: str) -> str:
    """The text of which `escaped` made this."""
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&#13;", "\r").replace("&amp;", "&")
