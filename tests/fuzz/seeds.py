"""Good files, small: what hostile ones are made from. Every reader gets at least one that it reads to its end."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
import sys
import tarfile
import zipfile
from bz2 import compress as bzip2
from functools import cache
from hashlib import md5, sha512
from pathlib import Path
from tempfile import TemporaryDirectory

import py7zr

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from storage import bundle, premis
from storage.aip import Record
from storage.digest import sha256
from storage.event import Event
from storage.intent import Intent
from storage.namemap import Kind, Named, format_line
from storage.tombstone import Tombstone
from tests.ingest import droid_files, eark_package

SAMPLES = Path(__file__).parents[2] / "samples"
UUID = "0190a0a0-0000-7000-8000-000000000001"
TOMBSTONE = f"tombstones/{UUID}.json"
TIME = "2026-03-01T12:00:00Z"
_TEXT = b"text\n"
_NAMES = ("a.txt", "folder/b.txt", "caf\u00e9", "天一")


@cache
def zips() -> list[bytes]:
    return [_zip(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)]


def _zip(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name in (*_NAMES, "empty/"):
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.extra = method, struct.pack("<HHBi", 0x5455, 5, 1, 1_700_000_000)
            package.writestr(entry, b"" if name.endswith("/") else _TEXT)
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        package.writestr(link, "a.txt")
    return file.getvalue()


@cache
def tars() -> list[bytes]:
    return [_tar(form) for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)]


def _tar(form: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as package:
        for name in (*_NAMES, *(["long" * 40] if form != tarfile.USTAR_FORMAT else [])):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(_TEXT), 1_700_000_000
            package.addfile(entry, io.BytesIO(_TEXT))
        for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("folder", tarfile.DIRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "a.txt"
            package.addfile(entry)
    return file.getvalue()[: -tarfile.RECORDSIZE + 2_048]


@cache
def packed_tars() -> list[bytes]:
    plain = tars()[0]
    return [gzip.compress(plain, mtime=0), bzip2(plain), lzma.compress(plain), zstd.compress(plain)]


@cache
def sevens() -> list[bytes]:
    """Without a packed header, so that changes reach it."""
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", header_encryption=False) as package:
        package.set_encoded_header_mode(False)
        for name in _NAMES:
            package.writestr(_TEXT, name)
    return [file.getvalue()]


def bag() -> dict[str, bytes]:
    return {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "data/a.txt": _TEXT,
        "data/folder/caf\u00e9": _TEXT, "manifest-md5.txt": manifests()[0], "bag-info.txt": infos()[0],
    }  # fmt: skip


def manifests() -> list[bytes]:
    names = ("data/a.txt", "data/folder/caf\u00e9")
    return ["".join(f"{md5(_TEXT).hexdigest()}  {name}\n" for name in names).encode(),
            "".join(f"{sha256(_TEXT).hexadecimal}  {name}\n" for name in names).encode()]  # fmt: skip


def fetches() -> list[bytes]:
    return [b"https://example.org/a 5 data/a.txt\nhttps://example.org/b - data/b%0Ab.txt\n"]


def http_answers() -> list[bytes]:
    return [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ntext\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntext\n\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 302 Found\r\nLocation: https://example.org/b?c#d\r\n\r\n",
    ]


def infos() -> list[bytes]:
    return [
        b"Payload-Oxum: 10.2\nBagging-Date: 2026-01-01\nSource-Organization: The\n library\nExternal-Description: x\n"
    ]


def profiles() -> list[bytes]:
    return [json.dumps({
        "BagIt-Profile-Info": {"BagIt-Profile-Identifier": "https://example.org/p.json", "Version": "1"},
        "Bag-Info": {"Source-Organization": {"required": True, "values": ["The library"], "repeatable": False}},
        "Manifests-Required": ["md5"], "Manifests-Allowed": ["md5", "sha256"], "Allow-Fetch.txt": False,
        "Serialization": "optional", "Accept-Serialization": ["application/zip"], "Accept-BagIt-Version": ["1.0"],
        "Tag-Files-Required": ["bag-info.txt"], "Tag-Files-Allowed": ["*.txt", "[a-z]*"], "Data-Empty": False,
    }).encode()]  # fmt: skip


def folder() -> dict[str, bytes]:
    return {"a.txt": _TEXT, "folder/b.txt": _TEXT, "objects/c.txt": _TEXT}


def digest_lists() -> list[bytes]:
    digest = md5(_TEXT).hexdigest().encode()
    return [digest + b"  a.txt\n" + digest + b" *folder/b.txt\n\\" + digest + b"  a\\nb\n",
            b"MD5 (a.txt) = " + digest + b"\n" + digest + b"\n"]  # fmt: skip


def digest_tables() -> list[bytes]:
    digest = sha256(_TEXT).hexadecimal.encode()
    return [b"path,sha256,md5\na.txt," + digest + b",\n", b'file;algorithm;digest\n"a.txt";SHA-256;' + digest + b"\n"]


def tables() -> list[bytes]:
    return [
        b'filename,dc.title,dc.creator,note\nobjects,A title,"Who, ever",n\na.txt,B,,\n',
        b"parts,dc:title\n.,Whole\n",
    ]


@cache
def eark() -> dict[str, bytes]:
    with TemporaryDirectory() as there:
        package = eark_package.made(Path(there))
        return {str(path.relative_to(package)): path.read_bytes() for path in package.rglob("*") if path.is_file()}


def mets() -> list[bytes]:
    return [eark()[eark_package.ROOT]]


def eark_with_ead() -> dict[str, bytes]:
    return {**eark(), "METS.xml": eark()["METS.xml"].replace(b'MDTYPE="DC"', b'MDTYPE="EAD"')}


def described() -> list[bytes]:
    ead = "<ead><eadheader><filedesc><titlestmt><titleproper>T</titleproper></titlestmt></filedesc></eadheader>"
    did = "<archdesc><did><unittitle>Old <x>books</x></unittitle><unitid>1</unitid></did></archdesc></ead>"
    return [eark()["metadata/descriptive/dc.xml"], (ead + did).encode()]


def crates() -> list[bytes]:
    graph = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
        {"@id": "./", "@type": "Dataset", "name": "N", "description": "D", "datePublished": "2026-01-01",
         "license": {"@id": "#l"}, "hasPart": [{"@id": "a.txt"}, {"@id": "folder/"}],
         "keywords": ["k", {"@value": "v"}]},
        {"@id": "a.txt", "@type": ["File"], "contentSize": "5", "sha256": sha256(_TEXT).hexadecimal},
        {"@id": "folder/", "@type": "Dataset", "name": "F"}, {"@id": "#l", "@type": "CreativeWork", "name": "L"},
    ]  # fmt: skip
    return [json.dumps({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}).encode()]


def ocfl() -> dict[str, bytes]:
    [data, *_] = inventories()
    found = {"0=ocfl_object_1.1": b"ocfl_object_1.1\n", "v1/content/a": _TEXT, "v2/content/b": _TEXT}
    return found | {f"{place}inventory.json{end}": what for place in ("", "v1/", "v2/")
                    for end, what in (("", data), (".sha512", sidecars()[0]))}  # fmt: skip


def inventories() -> list[bytes]:
    digest = sha512(_TEXT).hexdigest()
    version = {"created": TIME, "message": "m", "user": {"name": "A", "address": "mailto:a@example.org"}}
    return [json.dumps({
        "id": "urn:example:1", "type": "https://ocfl.io/1.1/spec/#inventory", "digestAlgorithm": "sha512", "head": "v2",
        "contentDirectory": "content", "manifest": {digest: ["v1/content/a", "v2/content/b"]},
        "fixity": {"md5": {md5(_TEXT).hexdigest(): ["v1/content/a"]}},
        "versions": {"v1": {**version, "state": {digest: ["a"]}}, "v2": {**version, "state": {digest: ["a", "b/c"]}}},
    }).encode()]  # fmt: skip


def sidecars() -> list[bytes]:
    return [f"{sha512(inventories()[0]).hexdigest()} inventory.json\n".encode()]


def core_json() -> list[bytes]:
    return [(SAMPLES / "dc.json").read_bytes(), b'{"title": "a", "dc.creator": ["b", 1]}']


def core_csv() -> list[bytes]:
    return [b'title,creator\n"a, b",c\n', b"element,value\ndc.title,a\ndcterms:creator,b\n"]


def droid_signatures() -> bytes:
    return droid_files.signature_file()


def droid_containers() -> bytes:
    return droid_files.CONTAINERS.encode()


@cache
def containers() -> list[bytes]:
    """Documents whose kind is told by what lies in them: OLE2 and zip."""
    found = [path for path in sorted((SAMPLES / "accession").rglob("*")) if path.suffix in (".doc", ".docx", ".epub")]
    return [path.read_bytes() for path in found]


def answers() -> list[bytes]:
    return [b"1: stream: OK\0", b"1: stream: Eicar-Test FOUND\0", b"1: ClamAV 1.4.1/27000/Mon Jan  5 10:00:00 2026\0",
            b"stream: Eicar FOUND", b"ClamAV 1.4.1/27000/Mon Jan  5 10:00:00 2026",
            b"1: INSTREAM size limit ERROR\0"]  # fmt: skip


def names_maps() -> list[bytes]:
    entry = Named(kind=Kind.FILE, name=b"caf\xe9", path="data/caf=E9", mode=0o644, mtime=1_700_000_000_000_000_000)
    return [format_line(entry) + format_line(Named(kind=Kind.LINK, name=b"l", target=b"../x"))]


def _event() -> Event:
    return Event(time=TIME, type="commit", agent="tianyi", object=UUID, outcome="success",
                 detail={"record": "sha256:00", "version": 1, "copies": ["a", None]})  # fmt: skip


def entries() -> list[bytes]:
    return [_event().to_bytes()]


def bundles() -> list[bytes]:
    return [bundle.encode([_event().to_bytes()] * 3)]


def _record() -> Record:
    return Record(aip=f"urn:uuid:{UUID}", version=2, accession="2026-0001", created=TIME, agent="a", reason="migration",
                  files=3, size=10, tagmanifest=sha256(b"t"), previous=sha256(b"p"))  # fmt: skip


def records() -> list[bytes]:
    return [_record().to_bytes()]


def tombstones() -> list[bytes]:
    return [Tombstone(aip=f"urn:uuid:{UUID}", accession="2026-0001", request="1", reason="r", requested=TIME,
                      requested_by="a", approved=TIME, approved_by="b", deleted=TIME, policy="",
                      versions={1: sha256(b"1")}).to_bytes()]  # fmt: skip


def intents() -> list[bytes]:
    return [Intent(_event(), 3, frozenset({"second"}), _record()).to_bytes()]


def premis_files() -> list[premis.File]:
    known = (premis.FormatName("Plain Text", "", "x-fmt/111"),)
    return [premis.File(path="data/a", size=5, digests=(sha256(_TEXT),), formats=known, mime="text/plain",
                        basis="extension", original_name="a")]  # fmt: skip


def preservation() -> list[bytes]:
    event = premis.Happening(id=UUID, type="ingestion end", time=TIME, detail="d", outcome="success", note="n",
                             agents=("tianyi",), objects=("", "data/a"))  # fmt: skip
    agents = [premis.Agent(id="tianyi", name="Tianyi", kind="software", version="1")]
    return [b"".join(part) for part in premis.segments(f"urn:uuid:{UUID}", premis_files(), [event], agents)]
