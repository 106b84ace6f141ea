"""A witness that is a git repository: one file a checkpoint, pushed and never forced."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from fixity.witness import NotGiven, Parcel
from fixity.witness_file import add, checkpoints
from storage.durable import DISK, remove_tree

SECONDS = 120.0
_CALM = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}  # nobody is there to be asked
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "commit.gpgSign=false")
_ME = ("-c", "user.name=tianyi", "-c", "user.email=tianyi@localhost")


class GitWitness:
    """A branch of the repository at a path or URL, by a clone of our own, which may be removed at any time."""

    def __init__(self, url: str, branch: str, clone: Path) -> None:
        self._url, self._branch, self._clone = url, branch, clone

    def newest(self) -> str | None:
        self._fetch()
        return next(checkpoints(self._clone), None)

    def give(self, parcel: Parcel) -> str:
        self._fetch()
        add(self._clone, parcel)
        self._git("add", "--", parcel.name)
        if self._git("status", "--porcelain"):
            self._git(*_ME, "commit", "--quiet", "-m", f"Checkpoint over {parcel.size} entries")
        self._git("push", "--quiet", "origin", f"HEAD:refs/heads/{self._branch}")
        return ""

    def _fetch(self) -> None:
        """The clone as the branch is now: what an earlier try left is dropped."""
        if not (self._clone / ".git").is_dir():
            self._begin()
        self._git("remote", "set-url", "origin", self._url)
        self._git("fetch", "--quiet", "origin")
        there = f"refs/remotes/origin/{self._branch}"
        if self._git("for-each-ref", there):
            self._git("checkout", "--quiet", "--force", "-B", self._branch, there)
        self._git("clean", "--quiet", "--force", "-d")

    def _begin(self) -> None:
        remove_tree(DISK, self._clone)
        self._clone.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch", self._branch)
        self._git("remote", "add", "origin", self._url)

    def _git(self, *arguments: str) -> str:
        """What git prints; raise NotGiven with what it says where it fails."""
        command = ["git", *_SAFE, "-C", str(self._clone), *arguments]
        try:
            done = subprocess.run(
                command, env={**os.environ, **_CALM}, stdin=subprocess.DEVNULL, capture_output=True, check=True,
                timeout=SECONDS, text=True, errors="replace",
            )  # fmt: skip
        except subprocess.CalledProcessError as failure:
            told = str(failure.stderr).strip().rpartition("\n")[2]
            raise NotGiven(f"git {arguments[0]} failed: {told[:300]}") from failure
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotGiven(f"git cannot be asked: {error}") from error
        return done.stdout
