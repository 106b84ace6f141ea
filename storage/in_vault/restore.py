#!/usr/bin/env python3
"""Restore packages from this vault with Python's standard library alone (3.9 or later).

  python3 restore.py                                    list the packages: identifier, accession, …, title
  python3 restore.py AIP DEST [--version N]             write the package as a BagIt bag and check it
  python3 restore.py AIP DEST [--version N] --as-received   write the tree as it came

AIP is the identifier (urn:uuid:… or the bare UUID). DEST must not exist. Every byte is compared with its SHA-256
as it is copied; the first difference ends the run with exit code 3 and says which file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

VAULT = os.path.dirname(os.path.abspath(__file__))
MANIFEST, TAGMANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
NAMES = re.compile(r"data/metadata/preservation/names-v(\d+)-(\d+)\.jsonl")
CHUNK = 1 << 20
Lines = list[tuple[bytes, dict[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("aip", nargs="?", help="the package's identifier; without it, a list")
    parser.add_argument("dest", nargs="?", help="a folder to make")
    parser.add_argument("--version", type=int, help="default: the newest")
    parser.add_argument("--as-received", action="store_true", help="the tree as it came, not the bag")
    options = parser.parse_args()
    if options.aip and not options.dest:
        parser.error("DEST is missing")
    try:
        restore(options) if options.aip else listing()
    except Damaged as error:
        fail(3, f"{error} Try another copy of this vault.")
    except BrokenPipeError:  # `restore.py | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Damaged(Exception):
    """Something of this copy is not what it was; the text says what."""


def restore(options: argparse.Namespace) -> None:
    record = find_record(options.aip, options.version)
    dest = os.fsencode(options.dest)
    if os.path.lexists(dest):
        fail(2, f"{options.dest} exists already; name a folder that does not.")
    os.makedirs(dest)
    count = (as_received if options.as_received else as_bag)(record, dest)
    print(f"{record['aip']} version {record['version']}: {count} files written to {options.dest}, every byte checked.")


def listing() -> None:
    """One line for each package, also where another one's record is damaged; that is told at the end."""
    damaged = []
    for folder, _, names in sorted(os.walk(os.path.join(VAULT, "aips"))):
        versions = [int(n[1:-5]) for n in names if re.fullmatch(r"v\d+\.json", n)]
        try:
            if versions and not tombstone(os.path.basename(folder)):
                show(read_record(os.path.join(folder, f"v{max(versions)}.json")), len(versions))
        except Damaged as error:
            damaged.append(str(error))
    if damaged:
        raise Damaged("\n".join(damaged))


def show(record: dict[str, Any], versions: int) -> None:
    told = f"{record['aip']}  {record['accession']}  versions: {versions}  files: {record['files']}  "
    told += f"bytes: {record['size']}  {title(record)}"
    encoding = sys.stdout.encoding or "ascii"  # a terminal that lacks the signs is no reason to stop
    print(told.encode(encoding, "backslashreplace").decode(encoding))


def title(record: dict[str, Any]) -> str:
    """What bag-info.txt calls the package."""
    try:
        found = dict(manifest(record["tagmanifest"].partition(":")[2]))["bag-info.txt"]
        info = re.search(r"^External-Description: (.*)$", read_blob(found).decode("utf-8"), re.MULTILINE)
    except (Damaged, KeyError, UnicodeDecodeError):
        return "(the title is damaged in this copy)"
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in info[1]) if info else ""


def find_record(aip: str, version: int | None) -> dict[str, Any]:
    uuid = aip.lower().replace("urn:uuid:", "", 1)
    folder = records_of(uuid)
    if gone := tombstone(uuid):
        fail(4, f"{aip} was deleted on {gone['deleted']} because: {gone['reason']}")
    try:
        found = [int(n[1:-5]) for n in os.listdir(folder) if re.fullmatch(r"v\d+\.json", n)]
    except OSError:
        found = []
    if not found:
        fail(4, f"{aip} is no identifier in this vault. Without arguments, each line of the list begins with one.")
    if version is not None and version not in found:
        fail(4, f"{aip} version {version} is not in this vault.")
    return read_record(os.path.join(folder, f"v{version or max(found)}.json"))


def records_of(uuid: str) -> str:
    return os.path.join(VAULT, "aips", uuid[-4:-2], uuid[-2:], uuid)


def tombstone(uuid: str) -> dict[str, Any] | None:
    """What stays of a deleted package; its records, where this copy still has some, count no more."""
    path = os.path.join(VAULT, "tombstones", f"{uuid}.json")
    return checked(path) if os.path.exists(path) else None


def read_record(path: str) -> dict[str, Any]:
    record = checked(path)
    if [f"urn:uuid:{os.path.basename(os.path.dirname(path))}", f"v{record['version']}.json"] != [
        record["aip"],
        os.path.basename(path),
    ]:
        raise Damaged(f"The record {path} is about version {record['version']} of {record['aip']}.")
    return record


def checked(path: str) -> dict[str, Any]:
    """A record or tombstone, its own digest checked (over its members in canonical form, without the digest)."""
    try:
        with open(path, encoding="utf-8") as file:
            members: dict[str, Any] = json.load(file)
        claimed = members.pop("digest")
        text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Damaged(f"The record {path} cannot be read: {error}.") from error
    if claimed != "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest():
        raise Damaged(f"The record {path} is damaged.")
    return members


def as_bag(record: dict[str, Any], dest: bytes) -> int:
    count = 0
    for path, digest in bag_files(record):
        copy_blob(digest, inside(dest, path.encode("utf-8")), path)
        count += 1
    return count


def as_received(record: dict[str, Any], dest: bytes) -> int:
    """Write the tree of the map of names: files, then links, then folders' and files' modes and times."""
    digests = dict(bag_files(record))
    entries = placed(record, digests, list(names(digests)))
    count = 0
    for name, entry in entries.items():
        target = inside(dest, name)
        if entry["kind"] == "file":
            copy_blob(digests[entry["path"]], target, entry["path"])
            count += 1
        elif entry["kind"] == "folder":
            os.makedirs(target, exist_ok=True)
    for name in sorted(entries, reverse=True):  # links last and deeper ones first: nothing is written through one
        if entries[name]["kind"] == "link":
            link(base64.b64decode(entries[name]["target"]), inside(dest, name))
    for name in sorted(entries, reverse=True):  # folders after what is in them
        set_mode_and_time(inside(dest, name), entries[name])
    return count


def names(digests: dict[str, str]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Original path's bytes and entry, for each line of the maps of names, earlier versions first; an entry's `version`
    is its map's."""
    maps = sorted((int(m[1]), int(m[2]), path) for path in digests if (m := NAMES.fullmatch(path)))
    for version, _, path in maps:
        for line in read_blob(digests[path]).splitlines():
            try:
                entry = json.loads(line)
                need = {"file": "path", "link": "target", "folder": "name"}[entry["kind"]]
                if not isinstance(entry[need], str) or (need == "path" and entry["path"] not in digests):
                    raise ValueError(f"its {need} means nothing")
                named = base64.b64decode(entry["name"]), {**entry, "version": version}
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise Damaged(f"{path!r} has a line that is no name ({error}).") from error
            yield named


def placed(record: dict[str, Any], digests: dict[str, str], lines: Lines) -> dict[bytes, dict[str, Any]]:
    """The entries by where each is to be written: every file once. Of a name's lines the later wins, but for two files
    of one name: the first keeps it, and the later one's place is told."""
    only = names_of_twins(record, digests, lines)
    entries: dict[bytes, dict[str, Any]] = {}
    folders: dict[int, bytes] = {}
    moved: dict[tuple[bytes, str], bytes] = {}
    for name, entry in lines:
        path, version = entry.get("path", ""), entry["version"]
        if entry["kind"] == "file" and only.get(path, name) != name:
            continue
        if entry["kind"] == "file" and name in entries and entries[name].get("path", path) != path:
            if version not in folders:
                folders[version] = beside(lines, version)
            if (name, path) not in moved:
                moved[name, path] = folders[version] + name
                print(f"An earlier delivery has a file of that name: this one is {moved[name, path]!r}.")
            name = moved[name, path]
        entries[name] = entry
    return entries


def names_of_twins(record: dict[str, Any], digests: dict[str, str], lines: Lines) -> dict[str, bytes]:
    """Of files that came by several names, the one that their bytes came by: that of the version since which the
    manifests have them; where an older one is damaged, the newest that is known."""
    known: dict[str, set[bytes]] = {}
    for name, entry in lines:
        if entry["kind"] == "file":
            known.setdefault(entry["path"], set()).add(name)
    since = {path: record["version"] for path, several in known.items() if len(several) > 1}
    try:
        for version in range(record["version"] - 1, 0, -1) if since else ():
            older = dict(bag_files(read_record(os.path.join(records_of(record["aip"][9:]), f"v{version}.json"))))
            same = [p for p, v in since.items() if v == version + 1 and older.get(p) == digests[p]]
            since.update(dict.fromkeys(same, version))
    except Damaged:
        pass
    came = ((name, entry) for name, entry in lines if entry["kind"] == "file" and entry["path"] in since)
    return {entry["path"]: name for name, entry in came if entry["version"] <= since[entry["path"]]}


def beside(lines: Lines, version: int) -> bytes:
    """`delivery-v<N>/`, and what it takes to be a name that nothing has."""
    folder = f"delivery-v{version}".encode()
    while any(name == folder or name.startswith(folder + b"/") for name, _ in lines):
        folder += b"+"
    return folder + b"/"


def link(target: bytes, path: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.symlink(target, path)
    except OSError as error:
        fail(3, f"{path!r}: {error}")


def set_mode_and_time(path: bytes, entry: dict[str, Any]) -> None:
    link = entry["kind"] == "link"
    if "mode" in entry and not link:
        os.chmod(path, int(entry["mode"], 8) & 0o777)  # never set-uid
    if "mtime_ns" in entry:
        time = int(entry["mtime_ns"])
        os.utime(path, ns=(time, time), follow_symlinks=not link)


def bag_files(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and digest of every file of the bag: the tag manifest, what it lists, what the manifest lists."""
    tagmanifest = record["tagmanifest"].partition(":")[2]
    yield TAGMANIFEST, tagmanifest
    for path, digest in manifest(tagmanifest):
        yield path, digest
        if path == MANIFEST:
            yield from manifest(digest)


def manifest(digest: str) -> Iterator[tuple[str, str]]:
    for line in read_blob(digest).decode("utf-8").split("\n"):
        if line:
            found, _, path = line.partition("  ")
            yield re.sub("%(0A|0D|25)", lambda m: chr(int(m[1], 16)), path), found


def blob(digest: str) -> str:
    return os.path.join(VAULT, "blobs", "sha256", digest[:3], digest)


def read_blob(digest: str) -> bytes:
    try:
        with open(blob(digest), "rb") as file:
            data = file.read()
    except OSError as error:
        raise Damaged(f"The blob {digest} cannot be read: {error}.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise Damaged(f"The blob {digest} is damaged.")
    return data


def copy_blob(digest: str, target: bytes, path: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    hasher = hashlib.sha256()
    try:
        with open(blob(digest), "rb") as source, open(target, "xb") as file:
            for data in iter(lambda: source.read(CHUNK), b""):
                hasher.update(data)
                file.write(data)
    except OSError as error:
        fail(3, f"{path!r}: {error}")
    if hasher.hexdigest() != digest:
        os.unlink(target)
        raise Damaged(f"{path!r} is damaged in this copy of the vault (blob {digest}).")


def inside(dest: bytes, name: bytes) -> bytes:
    """The place of a name below DEST; a name that would leave it is refused."""
    if name.startswith(b"/") or b".." in name.split(b"/") or b"\0" in name:
        fail(3, f"The name {name!r} would leave the folder.")
    return os.path.join(dest, name)


def fail(code: int, message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
