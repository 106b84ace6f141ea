"""Work in chunks on an executor, a bounded number under way: memory does not grow with the number of chunks."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Generic, ParamSpec, TypeVar

R = TypeVar("R")
C = TypeVar("C")
P = ParamSpec("P")
Workers = Callable[[int, int], AbstractContextManager[Executor]]
"""Gives an executor fit for so many files and bytes."""
AHEAD = 6  # chunks under way at once: enough for a few workers never to wait
MORE_AHEAD = 32  # enough for them to go on while we make a batch durable


def in_order(executor: Executor, work: Callable[[C], R], chunks: Iterable[C], ahead: int = AHEAD) -> Iterator[R]:
    """Yield `work` of every chunk in their order; what a chunk raises is raised here, and the rest is cancelled."""
    waiting: deque[Future[R]] = deque()
    try:
        for chunk in chunks:
            waiting.append(executor.submit(work, chunk))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def side_by_side(at_once: int, work: Callable[[C], R], items: Iterable[C]) -> Iterator[R]:
    """Yield `work` of every item in their order, by so many threads: for what waits for others to answer."""
    if at_once == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(at_once) as threads:
        yield from in_order(threads, work, items, ahead=2 * at_once)


class Carried(Generic[C]):
    """A value that every chunk of one piece of work is done with. It is pickled once, and made again once in each
    process, where it keeps what it has learned there: a connection, folders that are there."""

    def __init__(self, value: C, pickled: bytes = b"") -> None:
        self.value = value
        self._pickled = pickled

    def __reduce__(self) -> tuple[Callable[[bytes], Carried[Any]], tuple[bytes]]:
        self._pickled = self._pickled or pickle.dumps(self.value, pickle.HIGHEST_PROTOCOL)
        return _carried, (self._pickled,)


@lru_cache(maxsize=1)
def _carried(pickled: bytes) -> Carried[Any]:
    return Carried(pickle.loads(pickled), pickled)  # what our own main process made


class Inline(Executor):
    """Runs each call at once in this process: for small work, and for tests that must see every step."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        _fill(future, fn, *args, **kwargs)
        return future


def _fill(future: Future[Any], fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001  # an executor hands on whatever its call raised
        future.set_exception(error)
