"""A network and a store that fail, between us and a real server: what is acknowledged is there, byte for byte; else the
copy is told to be behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from storage.digest import sha256
from storage.errors import Damaged, NoRoom, Unreachable
from storage.layout import blob_key
from storage.memory import Memory
from storage.receive import HoldsNothing
from storage.s3 import S3
from storage.s3_parts import PART
from storage.staging import staging
from storage.store import Pending
from tests.s3.conftest import Reach
from tests.servers import proxy
from tests.servers.endpoint import Endpoint
from tests.servers.proxy import Proxy

pytestmark = pytest.mark.slow

SMALL = b"a small blob"
LARGE = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)) * (2 * PART // 8192) + b"and some more"
ALWAYS = float("inf")


def placed(store: S3, *contents: bytes) -> list[Pending]:
    """What came in, placed as one batch."""
    with spooled(store, *contents) as (pending, place):
        place()
    return pending


@contextmanager
def spooled(store: S3, *contents: bytes) -> Iterator[tuple[list[Pending], Callable[[], None]]]:
    with store.batch("run") as batch:
        pending = []
        for data in contents:
            incoming = store.incoming("run")
            incoming.write(data)
            pending.append(incoming.finish(blob_key(sha256(data))))
        yield pending, lambda: batch.place(pending)


def read(store: S3, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("do", "times"),
    [
        (proxy.answers(503, "SlowDown"), 1),
        (proxy.answers(500, "InternalError"), 2),
        (proxy.answers(429, "TooManyRequests"), 1),
        (proxy.flips_the_upload, 1),
        (proxy.swallows_the_answer, 1),
        (proxy.cuts_the_request, 2),
        (proxy.cuts_the_answer, 1),
        (proxy.waits(2.5), 1),
    ],
    ids=["503", "500", "429", "flipped", "swallowed", "cut", "cut answer", "silence"],
)
def test_what_passes_is_overcome(data: bytes, do: proxy.Fault, times: float, reach: Reach, between: Proxy) -> None:
    between.on("PUT", "/blobs/", do, times=times)
    [blob] = placed(reach(between.endpoint, patience=4.0), data)
    assert read(reach(), blob.key) == data


@pytest.mark.parametrize(
    ("method", "part", "do"),
    [
        ("POST", "uploads", proxy.swallows_the_answer),
        ("POST", "uploadId", proxy.swallows_the_answer),
        ("POST", "uploadId", proxy.answers(500, "InternalError")),
        ("POST", "uploadId", proxy.answers(404, "NoSuchUpload")),
        ("PUT", "partNumber=2", proxy.flips_the_upload),
        ("PUT", "partNumber=3", proxy.swallows_the_answer),
    ],
)
def test_an_upload_in_parts_is_finished(method: str, part: str, do: proxy.Fault, reach: Reach, between: Proxy) -> None:
    between.on(method, part, do)
    [blob] = placed(reach(between.endpoint), LARGE)
    assert read(reach(), blob.key) == LARGE


@pytest.mark.parametrize(
    ("do", "why"),
    [
        (proxy.answers(503, "SlowDown"), "503 (SlowDown)"),
        (proxy.flips_the_upload, "other bytes"),
        (proxy.waits(1.2), "too long"),
        (proxy.answers(403, "AccessDenied"), "may not do that"),
    ],
    ids=["503", "flipped", "silence", "denied"],
)
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_what_does_not_pass_is_told_and_nothing_is_acknowledged(
    data: bytes, do: proxy.Fault, why: str, reach: Reach, between: Proxy
) -> None:
    between.on("PUT", "/blobs/", do, times=ALWAYS)
    with pytest.raises(Unreachable) as told:
        placed(reach(between.endpoint, patience=2.0), data)
    assert why in str(told.value)
    assert told.value.next
    assert list(reach().listing()) == []


def test_a_full_store_is_no_room(reach: Reach, between: Proxy) -> None:
    between.on("PUT", "/blobs/", proxy.answers(403, "QuotaExceeded"), times=ALWAYS)
    with pytest.raises(NoRoom):
        placed(reach(between.endpoint), SMALL)


def test_a_store_that_checks_nothing_is_found_out(reach: Reach, between: Proxy, server: Endpoint) -> None:
    """Its answer is about what it got: that is not what was sent, so it is sent again."""
    between.on("PUT", "/blobs/", partial(proxy.stores_other_bytes, endpoint=server))
    [blob] = placed(reach(between.endpoint), SMALL)
    assert read(reach(), blob.key) == SMALL
    between.calm()
    between.on("PUT", "/blobs/", partial(proxy.stores_other_bytes, endpoint=server), times=ALWAYS)
    with pytest.raises(Unreachable, match="other bytes"):
        placed(reach(between.endpoint), SMALL)


def reads(between: Proxy) -> int:
    return sum(method == "GET" and "/blobs/" in path for method, path in between.seen)


def test_an_answer_that_proves_nothing_is_not_believed(reach: Reach, between: Proxy) -> None:
    """A store need not give the MD5 as its ETag: then what it has is read back."""
    placed(reach(between.endpoint), SMALL, LARGE)
    assert reads(between) == 0
    between.on("PUT", "/blobs/", proxy.hides_its_etag)
    placed(reach(between.endpoint), SMALL)
    assert reads(between) == 1


def test_reading_back_can_be_asked_for(reach: Reach, between: Proxy) -> None:
    placed(reach(between.endpoint, reads_back=True), SMALL, LARGE)
    assert reads(between) == 2


def test_what_is_sent_is_what_came_in(store: S3) -> None:
    """The spool lies on a disk like any other: a bit that fell over there does not reach the copy."""
    for data in (SMALL, LARGE):
        with spooled(store, data) as (pending, place):
            path = Path(pending[0].scratch)
            path.chmod(0o600)
            path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
            with pytest.raises(Damaged):
                place()
    assert list(store.listing()) == []


@pytest.mark.parametrize("do", [proxy.cuts_the_answer, proxy.swallows_the_answer, proxy.answers(503, "SlowDown")])
def test_reading_goes_on_where_it_broke_off(do: proxy.Fault, reach: Reach, between: Proxy) -> None:
    """The first answer is cut, and what asks for the rest meets a fault of its own."""
    [blob] = placed(reach(), LARGE)
    between.on("GET", "/blobs/", proxy.cuts_the_answer).on("GET", "/blobs/", do, call=2)
    assert read(reach(between.endpoint), blob.key) == LARGE


def test_a_flipped_download_is_for_the_reader_to_find(reach: Reach, between: Proxy) -> None:
    [blob] = placed(reach(), SMALL)
    between.on("GET", "/blobs/", proxy.flips_the_download)
    assert read(reach(between.endpoint), blob.key) != SMALL


@pytest.mark.parametrize("do", [proxy.cuts_the_answer, proxy.swallows_the_answer, proxy.answers(503, "SlowDown")])
def test_a_listing_is_whole_or_an_error(do: proxy.Fault, reach: Reach, between: Proxy) -> None:
    for key in ("a/b", "a/c", "d"):
        reach().replace(key, b"")
    between.on("GET", "list-type", do)
    assert list(reach(between.endpoint).listing()) == ["a/b", "a/c", "d"]
    between.calm()
    between.on("GET", "list-type", do, times=ALWAYS)
    with pytest.raises(Unreachable):
        list(reach(between.endpoint, patience=2.0).listing())


def test_a_copy_that_fails_midway_is_behind_and_the_first_is_whole(
    reach: Reach, between: Proxy, tmp_path: Path
) -> None:
    (tmp_path / "work" / "runs").mkdir(parents=True)
    contents = [f"blob {n}".encode() for n in range(40)]
    between.on("PUT", "/blobs/", proxy.answers(500, "InternalError"), call=20, times=ALWAYS)
    first, far = Memory("first"), reach(between.endpoint, patience=2.0)
    with staging("run", [first, far], tmp_path / "work") as stage:
        stage.settle([stage.receive([data], HoldsNothing()) for data in contents])
        assert stage.behind == {"far"}
    assert sorted(first.kept.values()) == sorted(contents)
    assert all(read(reach(), key) in contents for key in reach().listing())


def test_a_silent_store_is_asked_once(reach: Reach, between: Proxy) -> None:
    """It is given up for a while: an ingest asks many things of a copy, and would wait for each."""
    far = reach(between.endpoint, patience=2.0)
    between.on("PUT", "/a", proxy.waits(1.2), times=ALWAYS)
    for _ in range(20):
        with pytest.raises(Unreachable):
            far.replace("a", b"")
    assert len(between.seen) <= 3
