"""Time stamps of checkpoints (RFC 3161): ask for one, keep what it takes to check it later, check those that are kept.

Each new one is over a checkpoint whose log names the token of the one before: so it renews that (as RFC 4998 §5 means
it) where it is made while the earlier certificate is still valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.errors import VerificationError

from fixity.proof import Stamped
from fixity.verify_proof import Refused, Stamp, check_token, members, one_value
from fixity.web import ask
from fixity.witness import NotGiven
from storage import merkle
from storage.aip import stamp
from storage.checkpoint import parse_checkpoint
from storage.merkle import Nodes

_QUERY = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_GRANTED = 0
_CERTIFICATES = 0xA0


@dataclass(frozen=True, slots=True)
class Token:
    """A time stamp as it is kept: DER, and in PEM its certificates and the lists of what was revoked. `missing` tells
    of such lists that are not there, mostly by their address; `time` and `until` as in Stamped."""

    token: bytes
    certificates: str
    revocation: str
    missing: tuple[str, ...]
    time: str
    until: str
    authority: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something about a kept time stamp, by a code and in words; `grave` unless it is only late."""

    code: str
    what: str
    grave: bool = True


def obtain(url: str, checkpoint: bytes, roots: bytes) -> Token:
    """A time stamp over a checkpoint, by an authority whose certificate leads to one of the roots (PEM) where there are
    any. Raises NotGiven where none comes, or one that cannot be relied on."""
    request = TimestampRequestBuilder().data(checkpoint).build()  # SHA-512: it has to last
    answer = ask(url, request.as_bytes(), _QUERY)
    if answer.status != 200:
        raise NotGiven(f"the time-stamping authority answers {answer.status}")
    try:
        token = granted(answer.body)
        known = _ordered([*embedded(token), *_loaded(roots)])
        made = check_token(token, checkpoint, _pem(known), "", roots)
        if made.nonce != request.nonce:
            raise Refused("it is the answer to another question")
        if roots:
            _second_opinion(answer.body, checkpoint, roots, made)
    except (ValueError, LookupError, Refused, VerificationError) as error:
        raise NotGiven(f"the time stamp cannot be relied on: {error}") from error
    return _kept(token, made, known)


def granted(response: bytes) -> bytes:
    """The token of a TimeStampResp (RFC 3161 §2.4.2); raise Refused where there is none, ValueError or LookupError
    where it cannot be read. Not by the library, which takes no token with its certificates in another order than DER
    has sets in; OpenSSL's are so."""
    status, *token = members(one_value(response))
    if int.from_bytes(members(status)[0].content) != _GRANTED or not token:
        raise Refused("the time-stamping authority does not grant it")
    return token[0].whole


def embedded(token: bytes) -> list[x509.Certificate]:
    """The certificates that a token carries; raise ValueError or LookupError."""
    _, wrapped = members(one_value(token))
    found = [one for one in members(one_value(wrapped.content))[3:-1] if one.tag == _CERTIFICATES]
    return [x509.load_der_x509_certificate(one.whole) for part in found for one in members(part)]


def _second_opinion(response: bytes, checkpoint: bytes, roots: bytes, made: Stamp) -> None:
    """Another implementation's, where it can read the answer; raise VerificationError."""
    try:
        decoded = decode_timestamp_response(response)
    except ValueError:
        return
    builder = VerifierBuilder()
    for root in _loaded(roots):
        builder = builder.add_root_certificate(root)
    for one in made.chain:
        builder = builder.add_intermediate_certificate(one)
    builder.build().verify_message(decoded, checkpoint)


def _kept(token: bytes, made: Stamp, known: Sequence[x509.Certificate]) -> Token:
    chain = _chain(made.signer, known)
    lists, missing = _revocation(chain)
    return Token(
        token, _pem(chain), lists, tuple(missing), stamp(made.time), stamp(made.signer.not_valid_after_utc),
        made.signer.subject.rfc4514_string(),
    )  # fmt: skip


def _chain(signer: x509.Certificate, known: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The certificates that are above one by their names, up to a root."""
    chain = [signer]
    while above := [one for one in known if one.subject == chain[-1].issuer and one not in chain]:
        chain.append(above[0])
    return chain


def _revocation(chain: Sequence[x509.Certificate]) -> tuple[str, list[str]]:
    """The lists of what was revoked that certificates name, as they are now, and what cannot be had."""
    lists, silent = [], [one for one in chain if one.issuer != one.subject and not _addresses(one)]
    missing = [f"none is named for {one.subject.rfc4514_string()}" for one in silent]
    for url in dict.fromkeys(url for one in chain for url in _addresses(one)):
        try:
            listed = _list(ask(url).body)
            lists.append(listed.public_bytes(Encoding.PEM).decode())
        except (NotGiven, ValueError):
            missing.append(url)
    return "".join(lists), missing


def _list(data: bytes) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(data) if data.startswith(b"-----") else x509.load_der_x509_crl(data)


def _addresses(certificate: x509.Certificate) -> list[str]:
    """Where lists of what its issuer has revoked are to be had by HTTP (RFC 5280 §4.2.1.13)."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    names = [name.value for point in points for name in point.full_name or ()]
    return [name for name in names if isinstance(name, str) and re.match("https?://", name)]


def _loaded(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem) if pem.strip() else []


def _ordered(certificates: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """Each once, in an order that is the same each time, so that what is kept is the same blob."""
    return sorted(set(certificates), key=lambda one: one.public_bytes(Encoding.DER))


def _pem(certificates: Iterable[x509.Certificate]) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def due(last: Stamped | None, grown: bool, every: timedelta, renew: timedelta, now: datetime) -> str:
    """Why it is time for a new time stamp, "" where it is not; `grown` is whether the log has since.

    Renewal does not ask for growth: the entry of the last time stamp is what there is to cover. It waits like any
    other: an authority may go on with a certificate that is about to end.
    """
    if last is None:
        return "there is none yet"
    if now < datetime.fromisoformat(last.time) + every:
        return ""
    if now + renew >= datetime.fromisoformat(last.until):
        return f"the certificate of the last one ends on {last.until}"
    return f"the last one was made on {last.time}" if grown else ""


def check(stamps: Sequence[Stamped], nodes: Nodes, size: int, roots: bytes, now: datetime) -> list[Wrong]:
    """What is wrong with time stamps, by entry; the log has `size` entries, `nodes` are its tree's.

    `roots` (PEM) may be b"", then chains are not looked at.
    """
    return [wrong for one in stamps for wrong in (*_checked(one, nodes, size, roots), *_late(one, stamps, now))]


def _checked(one: Stamped, nodes: Nodes, size: int, roots: bytes) -> Iterable[Wrong]:
    where = f"The time stamp in entry {one.entry.index}"
    try:
        then, _ = parse_checkpoint(one.checkpoint.encode())
        if not 0 < then.size <= size or merkle.root(then.size, nodes) != then.root:
            yield Wrong("time-stamp-contradicts", f"{where} is over {then.size} entries that the log does not have.")
        check_token(one.token, one.checkpoint.encode(), one.certificates, one.revocation, roots)
    except (ValueError, Refused) as error:
        yield Wrong("time-stamp-wrong", f"{where} does not hold: {error}.")


def _late(one: Stamped, stamps: Sequence[Stamped], now: datetime) -> Iterable[Wrong]:
    renewed = any(other.size > one.entry.index and other.time < one.until for other in stamps)
    if not renewed and stamp(now) >= one.until:
        told = (
            f"The certificate of the time stamp in entry {one.entry.index} ended on {one.until}; no other renewed it."
        )
        yield Wrong("time-stamp-late", told, grave=False)
