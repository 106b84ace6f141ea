"""Signed notes and checkpoints as others write them: known vectors, and every way in which one can be none."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import Checkpoint, parse_checkpoint
from storage.merkle import EMPTY
from storage.signed_note import COSIGNATURE, Note, SigningKey, VerifierKey, parse_key, parse_note

# The key and the note of golang.org/x/mod/sumdb/note, whose format the specification is of.
SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
COSIGNED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # c2sp.org/tlog-cosignature


@pytest.fixture
def key() -> SigningKey:
    return SigningKey("PeterNeumann", Ed25519PrivateKey.from_private_bytes(b64decode(SECRET)[1:]))


def test_a_known_note_is_made_to_the_byte(key: SigningKey) -> None:
    assert key.verifier.text == PUBLIC
    assert Note(TEXT).signed(key).to_bytes() == f"{TEXT}\n{LINE}\n".encode()


def test_a_known_note_is_verified_and_nothing_else() -> None:
    verifier = parse_key(PUBLIC)
    note = parse_note(f"{TEXT}\n{LINE}\n".encode())
    assert verifier.has_signed(note)
    assert not verifier.has_signed(Note(TEXT.replace("your", "my"), note.signatures))
    assert not parse_key(SUMDB).has_signed(note)


def test_signatures_of_unknown_keys_are_kept(key: SigningKey) -> None:
    data = COSIGNED.encode()
    note = parse_note(data)
    assert note.to_bytes() == data
    more = note.signed(key)
    assert parse_note(more.to_bytes()).signatures[:-1] == note.signatures
    assert key.verifier.has_signed(more)


def test_a_witness_cosigns() -> None:
    """By the words of c2sp.org/tlog-cosignature, without our code."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    time, text = (1_679_315_147).to_bytes(8), COSIGNED.partition("\n\n")[0] + "\n"
    made = private.sign(b"cosignature/v1\ntime 1679315147\n" + text.encode())
    identity = sha256(b"witness.example.com/w1\n\x04" + public).digest()[:4]
    line = f"\u2014 witness.example.com/w1 {b64encode(identity + time + made).decode()}\n"
    witness = VerifierKey("witness.example.com/w1", public, COSIGNATURE)
    assert parse_key(witness.text) == witness
    assert witness.has_signed(parse_note((COSIGNED + line).encode()))
    assert not witness.has_signed(parse_note((COSIGNED.replace("20852163", "20852164") + line).encode()))


@pytest.mark.parametrize(
    "data",
    ["", "text\n", "text\n\n", TEXT + "\n" + LINE, f"{TEXT}\nno signature\n", f"{TEXT}\n\u2014 a b AAAA\n",
     f"{TEXT}\n\u2014 name x08g\n", f"{TEXT}\n{LINE[:-1]}\n", f"a\tb\n\n{LINE}\n", f"{TEXT}\n{LINE}\n\n"],
)  # fmt: skip
def test_what_is_no_note(data: str) -> None:
    with pytest.raises(ValueError, match="not"):
        parse_note(data.encode())


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+AAAA", PUBLIC.replace("c74f20a3", "c74f20a4"), PUBLIC + "="]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        parse_key(text)


def test_checkpoints(key: SigningKey) -> None:
    found, note = parse_checkpoint(COSIGNED.encode())
    assert (found.origin, found.size, found.extensions) == ("example.com/behind-the-sofa", 20852163, ())
    assert Note(found.text, note.signatures).to_bytes() == COSIGNED.encode()
    more = Checkpoint("o", 0, EMPTY, ("an extension", "another"))
    assert parse_checkpoint(Note(more.text).signed(key).to_bytes())[0] == more


@pytest.mark.parametrize(
    "text",
    ["o\n1\n", "o\n01\n{root}\n", "o\n-1\n{root}\n", "\n1\n{root}\n", "o\n1\nAAAA\n", "o\n1\n{root}=\n",
     "o\n1\n{root}\n\nx\n"],
)  # fmt: skip
def test_what_is_no_checkpoint(text: str, key: SigningKey) -> None:
    with pytest.raises(ValueError, match="not"):
        parse_checkpoint(Note(text.format(root=b64encode(EMPTY).decode())).signed(key).to_bytes())
