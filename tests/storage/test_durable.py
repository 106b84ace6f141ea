"""Durable writing lives in one file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import storage
from storage import durable
from storage.durable import DISK, Folders
from storage.errors import SyncFailed
from tests.faulty import Faulty, Unsynced, broken_disk

STORAGE = Path(str(storage.__file__)).parent
CHANGING = {
    "rename", "replace", "renames", "link", "symlink", "unlink", "remove", "removedirs", "rmdir", "mkdir", "makedirs",
    "fsync", "fdatasync", "sync", "truncate", "ftruncate", "write", "pwrite", "O_WRONLY", "O_RDWR", "O_CREAT",
}  # fmt: skip
OF_PATHS = {
    "rename",
    "hardlink_to",
    "symlink_to",
    "unlink",
    "rmdir",
    "mkdir",
    "write_bytes",
    "write_text",
    "touch",
    "rmtree",
}
LOCKS = {
    ("lock.py", "O_RDWR"), ("lock.py", "O_CREAT"), ("lock.py", "pwrite"), ("lock.py", ".unlink"),
    ("staging.py", ".unlink"), ("commit.py", ".mkdir"),
}  # fmt: skip
"""Marks, locks and the folders for work in flight are nobody's data: they may go with any power cut."""


def _changes(path: Path) -> set[tuple[str, str]]:
    """Whatever a module does to a disk by itself: calls of `os`, files opened for writing, methods of paths."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id="os" | "shutil"), attr=name) if name in CHANGING:
                found.add(name)
            case ast.Attribute(value=owner, attr=name) if name in OF_PATHS and not ast.unparse(owner).endswith("disk"):
                found.add(f".{name}")
            case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open"), args=arguments):
                modes = "".join(str(one.value) for one in arguments if isinstance(one, ast.Constant))
                found |= {f"open {mode}" for mode in modes if mode in "wax+"}
            case ast.ImportFrom(module="os"):
                found.add("from os import")
    return {(path.name, name) for name in found}


def test_only_durable_changes_a_disk() -> None:
    modules = sorted(STORAGE.glob("*.py"))
    assert len(modules) > 20
    found = {change for path in modules if path.name != "durable.py" for change in _changes(path)}
    assert found == LOCKS
    assert {name for _, name in _changes(STORAGE / "durable.py")} >= {"replace", "link", "unlink", "mkdir", "fsync"}


def test_a_name_that_could_not_be_made_durable_is_taken_back(tmp_path: Path) -> None:
    target, scratch = tmp_path / "copy" / "a" / "b", tmp_path / "scratch"
    (tmp_path / "copy").mkdir()
    folders = Folders(tmp_path / "copy")
    with Faulty(Unsynced(whole=True)).on("sync_folder", 2, broken_disk) as disk, pytest.raises(SyncFailed):
        durable.publish(disk, target, b"data", scratch, exclusive=True, folders=folders)
    assert not target.exists()
    assert list(scratch.iterdir()) == []
    durable.publish(disk, target, b"data", scratch, exclusive=True, folders=folders)
    assert target.read_bytes() == b"data"


def test_folders_are_synced_up_to_the_root_once(tmp_path: Path) -> None:
    """Whoever made them may have been killed before it could: what is there is not taken for durable."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    folders = Folders(tmp_path)
    wanted = folders.to_sync(tmp_path / "a" / "b")
    assert wanted == [tmp_path / "a" / "b", tmp_path / "a", tmp_path]
    assert folders.to_sync(tmp_path / "a") == [tmp_path / "a", tmp_path]
    folders.synced(wanted)
    assert folders.to_sync(tmp_path / "a" / "b") == [tmp_path / "a" / "b"]
    assert folders.to_sync(tmp_path / "a" / "c") == [tmp_path / "a" / "c", tmp_path / "a"]


def test_a_folder_that_was_made_anew_is_not_known(tmp_path: Path) -> None:
    folders, folder = Folders(tmp_path), tmp_path / "a"
    folders.synced([folder, tmp_path])
    folders.forget([tmp_path, folder])
    assert folders.to_sync(folder) == [folder, tmp_path]


def test_a_file_is_published_into_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "file"
    durable.publish(Unsynced(whole=False), target, b"x", tmp_path, exclusive=False)
    assert target.read_bytes() == b"x"


def test_the_real_disk_does_all_of_it(tmp_path: Path) -> None:
    """Once with true syncs, whichever way this file system wants."""
    descriptor = DISK.create(str(tmp_path / "file"))
    DISK.write(descriptor, b"x" * 100_000)
    DISK.sync_file(descriptor)
    DISK.sync_filesystem(descriptor)
    assert DISK.filesystem(descriptor) == tmp_path.stat().st_dev
    DISK.close(descriptor)
    DISK.sync_folder(str(tmp_path))
    assert DISK.syncs_whole(str(tmp_path)) in (True, False)
    assert (tmp_path / "file").stat().st_size == 100_000
    with pytest.raises(FileExistsError):
        DISK.create(str(tmp_path / "file"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        DISK.sync_filesystem(descriptor)
