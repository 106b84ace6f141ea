#!/usr/bin/env python3
"""Check a proof of Tianyi's without Tianyi: Python 3.9 or later, its standard library, and `cryptography` 42 or later.

  python3 verify_proof.py PROOF.json                     what it claims, and what was checked of that
  python3 verify_proof.py PROOF.json --key KEY           hold it against the archive's key, known from elsewhere
  python3 verify_proof.py PROOF.json --checkpoint FILE   and against a checkpoint that a witness has kept
  python3 verify_proof.py PROOF.json --bag DIR           and a bag against it: is this what was logged?
  python3 verify_proof.py PROOF.json --files DIR         the same of plain files; the bag's tag files lie beside PROOF
  python3 verify_proof.py PROOF.json --tsa-ca FILE       time stamps against the roots in FILE (PEM)

It ends with 0 where nothing failed, else with 1; --json prints the same for machines. What it relies on, from below:
no two things have one SHA-256; the log is a Merkle tree (RFC 9162), whose root the archive signed (Ed25519;
c2sp.org/signed-note, tlog-checkpoint); each entry given is in that tree; an entry names a version's record by digest,
the record names the bag by the digest of its tag manifest, and that names every file. Time stamps are RFC 3161.

A proof is canonical JSON (RFC 8785) and a line feed, and each of its bytes is under one of these checks: what was
changed in it, wherever it was, does not pass.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
except ImportError as error:
    print(f"{error}: get it by `python3 -m pip install cryptography`. Nothing was checked.", file=sys.stderr)
    sys.exit(2)

OK, FAILED, NOTE = "ok", "failed", "note"
MANIFEST, TAG_MANIFEST, PORTABLE = "manifest-sha256.txt", "tagmanifest-sha256.txt", "portable-names.jsonl"
ORIGINAL = "data/representations/original/data/"
CHUNK = 1 << 20
UTC = timezone.utc  # noqa: UP017  # Python 3.9 knows no datetime.UTC


class Refused(Exception):
    """A check that failed; the text says why."""


class Check(NamedTuple):
    """One line of the answer: what was checked, how that ended, and in words."""

    check: str
    result: str
    said: str


class Options(NamedTuple):
    """What the proof is held against, beside itself. `now` is for what has expired."""

    key: str = ""
    checkpoint: str = ""
    bag: str = ""
    files: str = ""
    tsa_ca: bytes = b""
    beside: str = "."
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)


# ── the proof as a whole ────────────────────────────────────────────────────────────────────────────────────────────


def verify(data: bytes, options: Options) -> Iterator[Check]:
    """Yield what was checked of a proof, in order; the first failure is the last line."""
    name = "form"
    try:
        proof = parsed(data)
        yield Check(name, OK, f"a proof of {proof['aip']}")
        name = "key"
        yield check_key(proof, options.key)
        for name, check in CHECKS.items():
            yield from (Check(name, *told) for told in check(proof, options))
    except Refused as refused:
        yield Check(name, FAILED, str(refused))


def parsed(data: bytes) -> dict[str, Any]:
    """The proof, every member of its kind; raise Refused where a byte differs from its canonical form."""
    try:
        proof: dict[str, Any] = json.loads(data)
        same = canonical(proof) + b"\n" == data
    except (ValueError, RecursionError) as error:
        raise Refused("this is no JSON") from error
    if not same:
        raise Refused("this is not in canonical form: it was changed, or is cut off")
    conforms(proof, PROOF, "the proof")
    if proof["proof"] != "1":
        raise Refused(f"this verifier knows proofs of the form 1, not {proof['proof']}")
    return proof


def canonical(value: Any) -> bytes:
    """RFC 8785, for what proofs hold: no fractions, names in ASCII."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


PROOF: dict[str, Any] = {
    "proof": str, "aip": str, "checkpoint": str, "key": str,
    "entries": [{"index": int, "entry": {
        "v": int, "time": str, "type": str, "agent": str, "object": str, "outcome": str, "detail": dict,
    }, "inclusion": [bytes]}],
    "records": [{
        "record": str, "aip": str, "version": int, "accession": str, "created": str, "agent": str, "reason": str,
        "files": int, "size": int, "tagmanifest": str, "previous": (str, type(None)), "digest": str,
    }],
    "earlier": [{"size": int, "root": bytes, "consistency": [bytes]}],
    "time_stamps": [{"entry": int, "checkpoint": str, "token": bytes, "certificates": str, "revocation": str}],
}  # fmt: skip


def conforms(value: Any, shape: Any, where: str) -> None:
    """Hold a value against a shape: an object has these members and no others; `bytes` is text in base64."""
    if isinstance(shape, dict):
        if not isinstance(value, dict) or set(value) != set(shape):
            raise Refused(f"{where} does not have the members {', '.join(sorted(shape))}, and no others")
        for name, inner in shape.items():
            conforms(value[name], inner, f"{where}, {name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Refused(f"{where} is no list")
        for number, inner in enumerate(value):
            conforms(inner, shape[0], f"{where} {number}")
    elif shape is bytes:
        decoded(value, where)
    elif not isinstance(value, shape) or isinstance(value, bool):
        raise Refused(f"{where} is not of the kind that it has to be")


def decoded(text: Any, where: str) -> bytes:
    """The bytes of base64, written in the one way that they can be."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError) as error:
        raise Refused(f"{where} is not base64") from error
    if not isinstance(text, str) or base64.b64encode(data).decode() != text:
        raise Refused(f"{where} is not base64")
    return data


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


# ── the log's key and its signed checkpoint ─────────────────────────────────────────────────────────────────────────


class Checkpoint(NamedTuple):
    """The tree that a log had: its name, the number of entries, and the root over them; `body` is what is signed."""

    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: list[str]


def check_key(proof: dict[str, Any], known: str) -> Check:
    verifier_key(proof["key"])
    changes = [one for one in proof["entries"] if one["entry"]["type"] == "key"]
    if changes and changes[-1]["entry"]["detail"].get("key") != proof["key"]:
        raise Refused("the key is not the one that the log tells of last")
    if not known:
        told = f"signed by the key in the proof itself; compare it with the archive's: {proof['key']}"
        return Check("key", NOTE, told)
    if known.strip() == proof["key"]:
        return Check("key", OK, "the key is the one that you named")
    if followed(known.strip(), changes) != proof["key"]:
        raise Refused(f"the key in this proof is another than yours: {proof['key']}")
    return Check("key", OK, f"your key was changed for others, each signed for by the one before: {proof['key']}")


def followed(key: str, changes: list[Any]) -> str:
    """The key that a key became, by entries that the one before and the new one have signed."""
    for one in changes:
        entry, detail = one["entry"], one["entry"]["detail"]
        if detail.get("before") != key:
            continue
        if entry["outcome"] != "rotated":
            raise Refused(f"your key was given up as lost in entry {one['index']}: ask the archive which is right")
        text = {name: value for name, value in detail.items() if name != "signatures"}
        body = canonical({**text, "vault": entry["object"]}) + b"\n"
        for signer in (key, detail.get("key")):
            check_signed(verifier_key(str(signer)), detail.get("signatures"), body)
        key = str(detail["key"])
    return key


def check_signed(key: tuple[str, bytes, ed25519.Ed25519PublicKey], lines: Any, body: bytes) -> None:
    """One of the signature lines is by that key, and right."""
    name, identifier, public = key
    for line in lines if isinstance(lines, list) else []:
        signer, _, encoded = str(line).removeprefix("\u2014 ").rpartition(" ")
        signature = decoded(encoded, "the signature")
        if (signer, signature[:4]) == (name, identifier):
            try:
                return public.verify(signature[4:], body)
            except InvalidSignature as error:
                raise Refused("a signature is wrong") from error
    raise Refused(f"{name} has not signed")


def verifier_key(text: str) -> tuple[str, bytes, ed25519.Ed25519PublicKey]:
    """Name, id and public key of `<name>+<id in 8 hexadecimal digits>+<base64>` (c2sp.org/signed-note)."""
    name, _, rest = text.partition("+")
    identifier, _, encoded = rest.partition("+")
    key = decoded(encoded, "the key")
    if not name or any(c.isspace() for c in name) or len(key) != 33 or key[0] != 1:
        raise Refused("the key is not an Ed25519 verifier key")
    wanted = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if identifier != wanted.hex():
        raise Refused("the key's id is not its own")
    return name, wanted, ed25519.Ed25519PublicKey.from_public_bytes(key[1:])


def parse_checkpoint(text: str) -> Checkpoint:
    """A signed note whose body is origin, size and root, and perhaps further lines (c2sp.org/tlog-checkpoint)."""
    body, gap, signatures = text.rpartition("\n\n")
    lines = f"{body}\n".split("\n")[:-1]
    if not gap or len(lines) < 3 or not lines[0] or not re.fullmatch("0|[1-9][0-9]{0,15}", lines[1]):
        raise Refused("the checkpoint is not origin, size and root")
    root = decoded(lines[2], "the checkpoint's root")
    if len(root) != 32 or not re.fullmatch("(\u2014 [^\n]+\n)+", signatures):
        raise Refused("the checkpoint is not origin, size, root and signatures")
    return Checkpoint(lines[0], int(lines[1]), root, f"{body}\n".encode(), signatures.split("\n")[:-1])


def check_checkpoint(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """The archive's signature, and no other line, is on the checkpoint: what is not checked has no place here."""
    checkpoint = parse_checkpoint(proof["checkpoint"])
    if len(checkpoint.signatures) != 1:
        raise Refused("the checkpoint has other signatures than the one of the key")
    check_signed(verifier_key(proof["key"]), checkpoint.signatures, checkpoint.body)
    yield OK, f"{checkpoint.origin} has signed its {checkpoint.size} entries"
    if options.checkpoint:
        yield check_witnessed(proof, checkpoint, parse_checkpoint(options.checkpoint))


def check_witnessed(proof: dict[str, Any], ours: Checkpoint, kept: Checkpoint) -> tuple[str, str]:
    """A checkpoint that somebody else has kept is this one, or one that this one goes on from."""
    known = {ours.size: ours.root, **{one["size"]: decoded(one["root"], "") for one in proof["earlier"]}}
    if kept.origin != ours.origin:
        raise Refused(f"the checkpoint that you hold is of another log: {kept.origin}")
    if kept.size not in known:
        raise Refused(f"this proof does not tell of the checkpoint over {kept.size} entries; ask for one that does")
    if known[kept.size] != kept.root:
        raise Refused(f"the checkpoint that you hold has another root over {kept.size} entries: the log was changed")
    return OK, f"it goes on from the checkpoint over {kept.size} entries that you hold"


# ── the Merkle tree (RFC 9162 §2.1) ─────────────────────────────────────────────────────────────────────────────────


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def includes(entry: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Whether the entry is number `index` of the tree (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for other in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node(other, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node(found, other)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root


def continues(first: int, before: bytes, second: int, after: bytes, path: list[bytes]) -> bool:
    """Whether the tree `after` of `second` entries began as `before`, of `first` (§2.1.4.2)."""
    if first == second:
        return not path and before == after
    if not 0 < first < second or not path:
        return False
    hashed = list(path) if first & (first - 1) else [before, *path]
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashed[0]
    for other in hashed[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node(other, old), node(other, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node(new, other)
        position, last = position >> 1, last >> 1
    return last == 0 and old == before and new == after


def check_entries(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """Each entry is in the signed tree, and of a kind that belongs here."""
    checkpoint = parse_checkpoint(proof["checkpoint"])
    indices = [one["index"] for one in proof["entries"]]
    if indices != sorted(set(indices)):
        raise Refused("the entries are not in their order, each once")
    for one in proof["entries"]:
        path = [decoded(text, "a hash") for text in one["inclusion"]]
        if not includes(canonical(one["entry"]), one["index"], checkpoint.size, path, checkpoint.root):
            raise Refused(f"entry {one['index']} is not in the log that was signed")
        if one["entry"]["type"] not in ("commit", "key", "time-stamp"):
            raise Refused(f"entry {one['index']} is about something else")
    yield OK, f"{_counted(len(indices), 'entry', 'entries')} of that log: {', '.join(map(str, indices))}"


def check_earlier(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """Each earlier checkpoint is how the signed log began."""
    checkpoint = parse_checkpoint(proof["checkpoint"])
    sizes = [one["size"] for one in proof["earlier"]]
    if sizes != sorted(set(sizes)):
        raise Refused("the earlier checkpoints are not in their order, each once")
    for one in proof["earlier"]:
        path = [decoded(text, "a hash") for text in one["consistency"]]
        root = decoded(one["root"], "a root")
        if len(root) != 32 or not continues(one["size"], root, checkpoint.size, checkpoint.root, path):
            raise Refused(f"the log does not go on from the checkpoint over {one['size']} entries")
    if sizes:
        yield OK, f"the log goes on from what it was at {', '.join(map(str, sizes))} entries"


# ── what the entries say: versions of an AIP, and their bags ────────────────────────────────────────────────────────


def check_records(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """Each version's record is the one that its entry names, and each entry of a version has its record."""
    commits = [one["entry"] for one in proof["entries"] if one["entry"]["type"] == "commit"]
    named = [(entry["object"], entry["detail"].get("version"), entry["detail"].get("record")) for entry in commits]
    given = [(proof["aip"], record["version"], record["digest"]) for record in proof["records"]]
    if not given or sorted(map(repr, named)) != sorted(map(repr, given)):
        raise Refused("the records are not those that the entries name")
    before: dict[str, Any] = {}
    for record in proof["records"]:
        members = {name: value for name, value in record.items() if name != "digest"}
        if record["aip"] != proof["aip"] or sha256(canonical(members)) != record["digest"]:
            raise Refused(f"the record of version {record['version']} is not what its digest says")
        if before and (record["version"] <= before["version"]):
            raise Refused("the versions are not in their order")
        if before and record["version"] == before["version"] + 1 and record["previous"] != before["digest"]:
            raise Refused(f"version {record['version']} does not go on from the version before it")
        before = record
    for entry in commits:
        yield OK, f"version {entry['detail']['version']}, {entry['time']} by {entry['agent']}"


def check_bag(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """A bag holds what a version's record says: every file is read, the AIP's manifests are made again from that."""
    if not options.bag:
        return
    folder = os.fsencode(options.bag)
    names = portable_names(folder)
    listed = []
    for digest, path in manifest_lines(os.path.join(folder, MANIFEST.encode())):
        hold(folder, path, digest)
        listed.append((names.get(path, path), digest))
    there = {os.path.relpath(path, folder) for path in files_below(os.path.join(folder, b"data"))}
    if extra := there - {path.encode() for _, path in manifest_lines(os.path.join(folder, MANIFEST.encode()))}:
        raise Refused(f"the bag holds a file that its manifest does not list: {os.fsdecode(min(extra))}")
    manifest = "".join(f"{digest}  {encoded_path(path)}\n" for path, digest in sorted(listed)).encode()
    version = logged_version(proof, folder, manifest)
    yield OK, f"the bag is version {version}: {_counted(len(listed), 'file', 'files')}, every byte read"


def check_files(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """Plain files are files of a version, whose tag files lie beside the proof."""
    if not options.files:
        return
    beside = os.fsencode(options.beside)
    version = logged_version(proof, beside, read(os.path.join(beside, MANIFEST.encode())))
    logged = list(manifest_lines(os.path.join(beside, MANIFEST.encode())))
    known, original = {digest for digest, _ in logged}, {digest for digest, path in logged if path.startswith(ORIGINAL)}
    found = set()
    for path in files_below(os.fsencode(options.files)):
        found.add(digest := digest_of(path))
        if digest not in known:
            raise Refused(f"{os.fsdecode(path)} is no file of version {version}")
    yield OK, f"every file there is one of version {version}: every byte read"
    if original - found:
        yield NOTE, f"{_counted(len(original - found), 'file', 'files')} of that version as received are not among them"


def logged_version(proof: dict[str, Any], folder: bytes, manifest: bytes) -> int:
    """The version whose tag manifest lists this manifest and the tag files in a folder."""
    tags = [(name, digest_of(os.path.join(folder, name.encode()))) for name in ("bag-info.txt", "bagit.txt")]
    tags.append((MANIFEST, hashlib.sha256(manifest).hexdigest()))
    digest = sha256("".join(f"{digest}  {name}\n" for name, digest in sorted(tags)).encode())
    for record in proof["records"]:
        if record["tagmanifest"] == digest:
            return int(record["version"])
    raise Refused("these files are not what was logged: no version has their manifest, bagit.txt and bag-info.txt")


def manifest_lines(path: bytes) -> Iterator[tuple[str, str]]:
    """Digest and path of each line (RFC 8493 §2.1.3)."""
    for line in read(path).split(b"\n")[:-1]:
        match = re.fullmatch("([0-9a-f]{64})  (.+)", line.decode("utf-8", "replace"), re.DOTALL)
        if not match:
            raise Refused(f"{os.fsdecode(path)} has a line that is not a digest and a path")
        yield match[1], re.sub("%(0A|0D|25)", lambda m: chr(int(m[1], 16)), match[2])


def encoded_path(path: str) -> str:
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def portable_names(folder: bytes) -> dict[str, str]:
    """Where names in a bag were made portable: the name here → the path in the AIP."""
    path = os.path.join(folder, PORTABLE.encode())
    if not os.path.lexists(path):
        return {}
    try:
        lines = [json.loads(line) for line in read(path).split(b"\n")[:-1]]
        return {str(line["here"]): str(line["aip"]) for line in lines}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(f"{PORTABLE} cannot be read") from error


def hold(folder: bytes, path: str, digest: str) -> None:
    if not path.startswith("data/") or ".." in path.split("/"):
        raise Refused(f"the manifest lists {path!r}, which is not below data/")
    if digest_of(os.path.join(folder, path.encode())) != digest:
        raise Refused(f"{path} is not what the manifest says")


def digest_of(path: bytes) -> str:
    hashing = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while data := file.read(CHUNK):
                hashing.update(data)
    except (OSError, ValueError) as error:
        raise Refused(f"{os.fsdecode(path)} cannot be read") from error
    return hashing.hexdigest()


def read(path: bytes) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Refused(f"{os.fsdecode(path)} cannot be read: {error.strerror}") from error


def files_below(folder: bytes) -> Iterator[bytes]:
    for where, _, names in os.walk(folder):
        for name in names:
            if not os.path.islink(os.path.join(where, name)):
                yield os.path.join(where, name)


# ── time stamps (RFC 3161, in CMS: RFC 5652) ────────────────────────────────────────────────────────────────────────


class Der(NamedTuple):
    """One value in DER (X.690): its tag, its content, and all of it."""

    tag: int
    content: bytes
    whole: bytes


class Stamp(NamedTuple):
    """What a token says: when, over which digest, in answer to which number, signed by which certificate."""

    time: datetime
    algorithm: str
    imprint: bytes
    nonce: int
    signer: x509.Certificate
    chain: list[x509.Certificate]


SEQUENCE, SET, OCTETS, INTEGER, OID, TIME = 0x30, 0x31, 0x04, 0x02, 0x06, 0x18
TST_INFO, SIGNED_DATA = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.7.2"
CONTENT_TYPE, DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNER = {"1.2.840.113549.1.9.16.2.12": "sha1", "1.2.840.113549.1.9.16.2.47": "sha256"}  # RFC 5816
DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512",
}  # fmt: skip
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
UNREADABLE = (
    ValueError, LookupError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension,
    x509.InvalidVersion, x509.UnsupportedGeneralNameType,
)  # fmt: skip
PLAIN = {
    "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
    "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4", "1.3.101.112",
}  # fmt: skip  # RSA (PKCS #1 v1.5), ECDSA and Ed25519


def check_time_stamps(proof: dict[str, Any], options: Options) -> Iterator[tuple[str, str]]:
    """Each token is the one that its entry names, over a checkpoint that the log goes on from."""
    entries = {one["index"]: one["entry"] for one in proof["entries"] if one["entry"]["type"] == "time-stamp"}
    if sorted(entries) != [one["entry"] for one in proof["time_stamps"]]:
        raise Refused("the time stamps are not those of the entries")
    kept = [
        (one, hold_time_stamp(proof, one, entries[one["entry"]]["detail"], options)) for one in proof["time_stamps"]
    ]
    versions = [one["index"] for one in proof["entries"] if one["entry"]["type"] == "commit"]
    for one, stamp in kept:
        size = parse_checkpoint(one["checkpoint"]).size
        covered = sum(index < size for index in versions)
        yield OK, f"{stamp.time:%Y-%m-%dT%H:%M:%SZ} by {_name(stamp.signer)}: {covered} of {len(versions)} versions"
        if not options.tsa_ca:
            yield NOTE, "its certificate was not checked against a root (--tsa-ca FILE)"
        if (ends := stamp.signer.not_valid_after_utc) < options.now:
            renewed = any(parse_checkpoint(c["checkpoint"]).size > one["entry"] and s.time < ends for c, s in kept)
            told = "a later time stamp took it in before" if renewed else "nothing has renewed it before"
            yield NOTE, f"its certificate ended on {ends:%Y-%m-%d}; {told}"


def hold_time_stamp(proof: dict[str, Any], given: dict[str, Any], detail: dict[str, Any], options: Options) -> Stamp:
    token, text = decoded(given["token"], "a token"), given["checkpoint"]
    parts = {"token": token, "checkpoint": text.encode(), "certificates": given["certificates"].encode()}
    parts["revocation"] = given["revocation"].encode()
    for name, data in parts.items():
        if detail.get(name, sha256(b"")) != sha256(data):
            raise Refused(f"the {name} of the time stamp in entry {given['entry']} is another")
    checkpoint, known = parse_checkpoint(text), {one["size"]: one["root"] for one in proof["earlier"]}
    if known.get(checkpoint.size) != base64.b64encode(checkpoint.root).decode():
        raise Refused("a time stamp is over a checkpoint that the log does not go on from")
    return check_token(token, text.encode(), given["certificates"], given["revocation"], options.tsa_ca)


def check_token(token: bytes, message: bytes, certificates: str, revocation: str, roots: bytes = b"") -> Stamp:
    """What a token over `message` says, its signature checked; raise Refused."""
    try:
        stamp = parse_token(token, certificates)
        if hashlib.new(stamp.algorithm, message).digest() != stamp.imprint:
            raise Refused("a time stamp is over something else")
        check_valid(stamp.signer, stamp.time)
        if roots:
            check_chain(stamp, x509.load_pem_x509_certificates(roots))
        check_revocation(stamp, revocation)
    except InvalidSignature as error:
        raise Refused("a time stamp's signature is wrong") from error
    except UNREADABLE as error:
        raise Refused(f"a time stamp cannot be read ({error})") from error
    return stamp


def parse_token(token: bytes, certificates: str) -> Stamp:
    """ContentInfo → SignedData → one SignerInfo → TSTInfo (RFC 5652 §3, §5; RFC 3161 §2.4.2), the signature checked."""
    kind, wrapped = members(one_value(token))
    version, _, content, *rest = members(one_value(wrapped.content))
    [signer] = members(rest[-1])
    if oid(kind) != SIGNED_DATA or rest[-1].tag != SET or version.tag != INTEGER:
        raise ValueError("no signed data")
    content_kind, content_wrapped = members(content)
    info = one_value(content_wrapped.content)
    if oid(content_kind) != TST_INFO or info.tag != OCTETS:
        raise ValueError("no time stamp")
    chain = x509.load_pem_x509_certificates(certificates.encode())
    certificate = check_signer(signer, info.content, chain)
    _, _, imprint, _, time, *rest = members(one_value(info.content))
    algorithm, digest = members(imprint)
    nonce = next((int.from_bytes(one.content, "big") for one in rest if one.tag == INTEGER), 0)
    return Stamp(moment(time), DIGESTS[oid(members(algorithm)[0])], digest.content, nonce, certificate, chain)


def check_signer(signer: Der, content: bytes, chain: list[x509.Certificate]) -> x509.Certificate:
    """The certificate that signed: named by the signed attributes (RFC 5035), for time stamps, its signature right."""
    _, who, algorithm, attributes, method, signature, *_ = members(signer)
    digest = DIGESTS[oid(members(algorithm)[0])]
    signed = {oid(one[0]): members(one[1]) for one in map(members, members(attributes))}
    if (
        attributes.tag != 0xA0
        or oid(signed[CONTENT_TYPE][0]) != TST_INFO
        or signed[DIGEST][0].content != hashlib.new(digest, content).digest()
    ):
        raise ValueError("the signature is of something else")
    issuer, serial = members(who)
    number = int.from_bytes(serial.content, "big", signed=True)
    found = [one for one in chain if one.serial_number == number and one.issuer.public_bytes() == issuer.whole]
    if not found or not is_named(found[0], signed):
        raise ValueError("the certificate that signed is not there")
    usage = found[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("the certificate is not for time stamps")
    if oid(members(method)[0]) not in PLAIN:
        raise ValueError("the signature is of a kind that this verifier does not know")
    check_signature(found[0], signature.content, b"\x31" + attributes.whole[1:], digest)
    return found[0]


def is_named(certificate: x509.Certificate, signed: dict[str, list[Der]]) -> bool:
    """Whether the attribute SigningCertificate names it, by the digest of its DER."""
    whole = certificate.public_bytes(x509_encoding())
    for attribute, name in SIGNER.items():
        if attribute in signed:
            first = members(members(members(signed[attribute][0])[0])[0])
            if first[0].tag == SEQUENCE:
                name, first = DIGESTS[oid(members(first[0])[0])], first[1:]
            return hashlib.new(name, whole).digest() == first[0].content
    return False


def check_signature(certificate: x509.Certificate, signature: bytes, data: bytes, digest: str) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), HASHES[digest])
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(HASHES[digest]))
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)
    else:
        raise ValueError("a key of a kind that this verifier does not know")


def check_chain(stamp: Stamp, roots: list[x509.Certificate]) -> None:
    """From the certificate that signed up to a root, each valid at the time of the stamp, each allowed to issue."""
    one, length = stamp.signer, 0
    while True:
        check_valid(one, stamp.time)
        if one in roots:
            return
        above = [issuer for issuer in [*roots, *stamp.chain] if issuer.subject == one.issuer and issues(issuer, one)]
        if not above or (length := length + 1) > 10:
            raise Refused(f"the certificate of {_name(stamp.signer)} does not lead to one of the roots that you named")
        one = above[0]


def check_valid(certificate: x509.Certificate, time: datetime) -> None:
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise Refused(f"the certificate of {_name(certificate)} was not valid at the time of the stamp")


def issues(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
        return bool(issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False


def check_revocation(stamp: Stamp, revocation: str) -> None:
    """No certificate of the chain was revoked before the stamp, by the lists that were kept with it."""
    lists = re.findall("-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", revocation, re.DOTALL)
    for listed in (x509.load_pem_x509_crl(text.encode()) for text in lists):
        signed = [one for one in stamp.chain if one.subject == listed.issuer and is_by(listed, one)]
        for one in stamp.chain:
            entry = listed.get_revoked_certificate_by_serial_number(one.serial_number)
            if signed and entry is not None and one.issuer == listed.issuer and entry.revocation_date_utc <= stamp.time:
                raise Refused(f"the certificate of {_name(one)} had been revoked when the stamp was made")


def is_by(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)):
        return listed.is_signature_valid(key)
    return False


def one_value(data: bytes) -> Der:
    value, rest = first_value(data)
    if rest:
        raise ValueError("something stands behind its end")
    return value


def members(value: Der) -> list[Der]:
    found, rest = [], value.content
    while rest:
        member, rest = first_value(rest)
        found.append(member)
    return found


def first_value(data: bytes) -> tuple[Der, bytes]:
    """The first value, and what stands behind it; lengths are definite, and in their shortest form (X.690 §10.1)."""
    tag, length, start = data[0], data[1], 2
    if tag & 0x1F == 0x1F or length == 0x80:
        raise ValueError("not DER")
    if length > 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
        if length < 0x80 or data[2] == 0:
            raise ValueError("not DER")
    if len(data) < start + length:
        raise ValueError("cut off")
    return Der(tag, data[start : start + length], data[: start + length]), data[start + length :]


def oid(value: Der) -> str:
    if value.tag != OID or not value.content:
        raise ValueError("no object identifier")
    numbers, number = [], 0
    for byte in value.content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def moment(value: Der) -> datetime:
    """GeneralizedTime as RFC 3161 §2.4.2 wants it: UTC, with or without a fraction."""
    text = value.content.decode("ascii")
    if value.tag != TIME or not re.fullmatch(r"[0-9]{14}(\.[0-9]+)?Z", text):
        raise ValueError("no time")
    return datetime.strptime(text[:14] + "+0000", "%Y%m%d%H%M%S%z")


def x509_encoding() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


CHECKS = {
    "checkpoint": check_checkpoint, "entries": check_entries, "earlier": check_earlier, "records": check_records,
    "time stamps": check_time_stamps, "bag": check_bag, "files": check_files,
}  # fmt: skip


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", help="the proof")
    parser.add_argument("--key", default="", help="the archive's verifier key, as you know it from elsewhere")
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint that a witness has kept")
    parser.add_argument("--bag", metavar="DIR", default="", help="a BagIt bag that the archive gave out")
    parser.add_argument("--files", metavar="DIR", default="", help="a folder or the data/ of an RO-Crate")
    parser.add_argument("--tsa-ca", metavar="FILE", help="certificates of roots, PEM")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        data = read(os.fsencode(given.proof))
        kept = read(os.fsencode(given.checkpoint)).decode("utf-8", "replace") if given.checkpoint else ""
        roots = read(os.fsencode(given.tsa_ca)) if given.tsa_ca else b""
    except Refused as refused:
        parser.error(str(refused))
    now = datetime.now(UTC)
    beside = os.path.dirname(os.path.abspath(given.proof))
    options = Options(given.key, kept, given.bag, given.files, roots, beside, now)
    checks = list(verify(data, options))
    valid = all(check.result != FAILED for check in checks)
    if given.json:
        print(json.dumps({"valid": valid, "checks": [check._asdict() for check in checks]}, ensure_ascii=False))
    else:
        for check in checks:
            print(f"{check.result:6}  {check.check}: {check.said}")
        print("The proof holds." if valid else "THE PROOF DOES NOT HOLD.")
    return 0 if valid else 1


if __name__ == "__main__":
    sys.exit(main())
