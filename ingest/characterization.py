"""What the format tools said of a version's files: asked in chunks, kept on disk by blob, told as findings, as PREMIS
and as the tools' own output. Memory does not grow with the number of files."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

from ingest.characterize import Bench, Judged, characterize
from ingest.finding import Finding, info, warning
from ingest.judgement import Judgement, Outcome, Subject, from_json, overall, unchecked
from storage.parallel import Workers, in_order
from storage.portions import cut
from storage.premis import File
from storage.progress import SILENT, Progress

CHUNK_FILES, CHUNK_BYTES = 100, 64 << 20  # what a worker is handed at once
COSTLY = 10  # how many files to be read one to be opened by a tool is worth, when workers are chosen
KINDS = 20  # reasons why something was not checked that are told one by one
_COUNT = "insert into reasons values (?, 1) on conflict (why) do update set files = files + 1"
NOT_OPENED = unchecked("", "it was not opened")


class Characterization:
    """What tools said, in a file of one run. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = off")
        self._db.execute("pragma synchronous = off")
        self._db.execute("create table said (subject text primary key, size integer, judgements text) without rowid")
        self._db.execute("create table reasons (why text primary key, files integer) without rowid")
        self._db.execute("begin")
        self.counts: Counter[Outcome] = Counter()  # of files, once `count` was called
        self.is_told = False

    def close(self) -> None:
        self._db.close()

    def ask(
        self, bench: Bench, subjects: Iterable[Subject], totals: tuple[int, int], executor: Workers,
        progress: Progress = SILENT,
    ) -> None:  # fmt: skip
        """Ask the tools about each subject, once; `totals` are how many subjects there are, and their bytes."""
        progress.begin("Checking formats", *totals)
        with executor(totals[0] * COSTLY, totals[1]) as pool:
            chunks = cut(subjects, attrgetter("size"), CHUNK_FILES, CHUNK_BYTES)
            for judged in in_order(pool, partial(characterize, bench), chunks):
                self._keep(judged)
                progress.advance(len(judged), sum(subject.size for subject, _ in judged))
        progress.end()

    def _keep(self, judged: Sequence[Judged]) -> None:
        for subject, said in judged:
            row = (_key(subject), subject.size, json.dumps([one.to_json() for one in said]))
            self._db.execute("insert or replace into said values (?, ?, ?)", row)

    def of(self, subject: Subject) -> list[Judgement]:
        """What the tools said of it; that it was not opened, where nobody asked."""
        row = self._db.execute("select judgements from said where subject = ?", (_key(subject),)).fetchone()
        return [from_json(one) for one in json.loads(row[0])] if row else [NOT_OPENED]

    def count(self, files: Iterable[tuple[str, Subject]]) -> Iterator[Finding]:
        """Count the files, by outcome, and yield what is to be told: each that is malformed, and how many were not
        checked, by reason. `files` are paths (escaped) with their subjects."""
        self.counts.clear()
        self._db.execute("delete from reasons")
        for path, subject in files:
            said = self.of(subject)
            outcome = overall(said)
            self.counts[outcome] += 1
            if outcome is Outcome.MALFORMED:
                yield _malformed(path, subject, said)
            for one in said:
                if one.outcome is Outcome.NOT_CHECKED:
                    why = " ".join(filter(None, (one.tool and f"{one.tool}:", *one.messages)))
                    self._db.execute(_COUNT, (why,))
        yield from self._left_out()

    def _left_out(self) -> Iterator[Finding]:
        for why, files in self._db.execute("select * from reasons order by files desc, why limit ?", (KINDS,)):
            yield info("not-checked", f"Not checked ({files}): {why}.")
        rest = "select sum(files) from (select files from reasons order by files desc, why limit -1 offset ?)"
        if more := self._db.execute(rest, (KINDS,)).fetchone()[0]:
            yield info("not-checked", f"Not checked ({more}), for other reasons: what the tools said is in the AIP.")

    @property
    def outcome(self) -> str:
        """In one word: `fail` where a file is malformed, `not checked` where one was not, else `pass`."""
        if self.counts[Outcome.MALFORMED]:
            return "fail"
        return "not checked" if self.counts[Outcome.NOT_CHECKED] else "pass"

    def all_said(self) -> Iterator[tuple[str, Judgement]]:
        """Yield the SHA-256 of each blob with what each tool said of it, by digest."""
        for subject, judgements in self._db.execute("select subject, judgements from said order by subject"):
            for one in map(from_json, json.loads(judgements)):
                if one.tool:
                    yield subject.partition(" ")[0], one


def _malformed(path: str, subject: Subject, said: Sequence[Judgement]) -> Finding:
    tool, why = next((one.tool, one.messages[0]) for one in said if one.outcome is Outcome.MALFORMED)
    guess = " (so its name says)" if subject.guessed else ""
    return warning("malformed", f"It is not well-formed {subject.named}{guess}, says the tool {tool}: {why}", path)


def subject_of(file: File) -> Subject:
    """What tools are asked about a file as PREMIS describes it."""
    puids = tuple(known.puid for known in file.formats if known.puid)
    return Subject(file.digests[0], file.size, puids, file.mime, file.basis == "extension")


def _key(subject: Subject) -> str:
    return f"{subject.digest} {','.join(subject.puids)} {subject.mime} {subject.guessed}"
