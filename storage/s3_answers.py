"""What an S3 store's refusals mean, in our errors: each says what is wrong and what to do.

Obstore tells HTTP status, the store's own code (Amazon S3 API, "Error responses") and the kind of a broken connection
only in the text of its errors: that text is read here and nowhere else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from storage.errors import NoRoom, StorageError, Unreachable

_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_KIND = re.compile(r"kind: (Connect|Timeout)\b")
_RETRIED = re.compile(r", after \d+ retries")
_INSTANCE = "169.254.169.254"  # where a machine in Amazon's cloud asks for its key; elsewhere nobody answers
_FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"})


class Exhausted(Unreachable):
    """Asked again and again, for as long as patience lasts: asking once more would only take as long again."""


class Silent(Exhausted):
    """Not a word came back."""


class Changed(Unreachable):
    """The store saw that what arrived is not what was sent, and kept nothing of it."""


class _Meaning(NamedTuple):
    why: str
    next_step: str


_CHANGED = frozenset({"XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "BadDigest", "InvalidDigest"})
_ALLOW = _Meaning("its key may not do that", "Allow the key to list, read, write and delete in the bucket.")
_KEY = _Meaning("it refuses the key in {keys}", "Correct the key; mind its region and endpoint in tianyi.toml too.")
_CODES = {
    "AccessDenied": _ALLOW,
    "InvalidAccessKeyId": _KEY,
    "SignatureDoesNotMatch": _KEY,
    "ExpiredToken": _KEY,
    "InvalidToken": _KEY,
    "RequestTimeTooSkewed": _Meaning(
        "this machine's clock and the store's are too far apart", "Set the clock; let a time service keep it."
    ),
    "NoSuchBucket": _Meaning("there is no such bucket", "Make the bucket, or correct the url in tianyi.toml."),
    "PermanentRedirect": _Meaning("the bucket is in another region", "Name its region in tianyi.toml."),
    "AuthorizationHeaderMalformed": _Meaning("the bucket is in another region", "Name its region in tianyi.toml."),
}
_STATUSES = {401: _KEY, 403: _Meaning("it refuses the key in {keys}, or what was asked with it", _KEY.next_step)}
_AGAIN = "See that its server is up and can be reached from here, then try again."

_ENDPOINT = "Correct endpoint in tianyi.toml, or AWS_ENDPOINT_URL (with AWS_ALLOW_HTTP=true where it is http://)."


def no_bucket(where: str) -> Unreachable:
    return Unreachable(where, *_CODES["NoSuchBucket"])


def changed(where: str, what: str) -> Changed:
    why = f"{what} arrived there with other bytes"
    return Changed(where, why, "Look for a proxy, a network card or memory that changes data on the way.")


def names_no_bucket(error: Exception) -> bool:
    """Whether it is the bucket that was not found. The answer to HEAD has no body, and does not tell."""
    return "<Code>NoSuchBucket</Code>" in str(error)


def meaning(error: Exception, where: str, keys: str) -> StorageError:
    """Our error for one of obstore's; `keys` says where the key came from."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    kind_of = Exhausted if _RETRIED.search(text) else Unreachable
    if (code and code[1] in _FULL) or (status and status[1] in ("413", "507")):
        return NoRoom(where)
    if code and code[1] in _CHANGED:
        return changed(where, "what was sent")
    if code and code[1] in _CODES:
        return _of(_CODES[code[1]], where, keys)
    if _INSTANCE in text:
        return Unreachable(where, "no key was given", f"Write it to {keys}.")
    if status and int(status[1]) in _STATUSES:
        return _of(_STATUSES[int(status[1])], where, keys)
    if "builder error" in text:
        return Unreachable(where, "its endpoint cannot be used", _ENDPOINT)
    if "Received redirect" in text:
        return _of(_CODES["PermanentRedirect"], where, keys)
    if status:
        return kind_of(where, f"it answers {status[1]}{f' ({code[1]})' if code else ''}", _AGAIN)
    if kind := _KIND.search(text):
        why = {"Connect": "nobody answers there", "Timeout": "it took too long to answer"}[kind[1]]
        return Silent(where, why, _AGAIN)
    return kind_of(where, _first_sentence(text), _AGAIN)


def _of(known: _Meaning, where: str, keys: str) -> Unreachable:
    return Unreachable(where, known.why.format(keys=keys), known.next_step)


def _first_sentence(text: str) -> str:
    """What obstore says, without the structure that it prints below."""
    return " ".join(text.partition("\n\nDebug source")[0].split()).rstrip(".")
