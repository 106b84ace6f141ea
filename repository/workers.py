"""What work on files runs on: this process for little, a pool of processes for much."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, InvalidStateError, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import islice
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from repository.errors import WorkerLost
from storage.parallel import Inline, Workers

P = ParamSpec("P")
R = TypeVar("R")
LITTLE_FILES, LITTLE_BYTES = 200, 32 << 20  # below both, starting processes costs more than it saves
# What workers are forked with, by what they are for: imported once, and nothing that they will not need.
CARRYING = ("storage.carry",)
GIVING = ("repository.dip_contents",)
READING = ("fixity.audit",)
EXAMINING = ("ingest.examined", "ingest.unchanged", "repository.blob_holds", "repository.identifiers")
_CONTEXT = multiprocessing.get_context("forkserver")
SELDOM = 20_000  # new values until Python looks for garbage in circles: we make many values, and hardly a circle
_PR_SET_PDEATHSIG = 1  # prctl(2)
_SAFE_PATH = "PYTHONSAFEPATH"


@contextmanager
def workers(files: int, size: int) -> Iterator[Executor]:
    """An executor fit for so many files and bytes; raise WorkerLost when one of its processes is killed.

    Workers are started by forkserver, which holds none of our locks, and die with their parent.
    """
    with crew() as executors, executors(files, size) as executor:
        yield executor


@contextmanager
def crew(prepare: Callable[[], object] | None = None) -> Iterator[Workers]:
    """The same as `workers` for each of several steps, whose workers stay from one step to the next: what a step began
    has come to its end when the step does. With `prepare` they start now, and begin with calling it."""
    count = len(os.sched_getaffinity(0))
    with ExitStack() as ending:

        @cache
        def pool() -> Executor:
            return ending.enter_context(_Pool(count, mp_context=_CONTEXT, initializer=_begin, initargs=(os.getpid(),)))

        @contextmanager
        def step(files: int, size: int) -> Iterator[Executor]:
            if not get_ready(files, size):
                yield Inline()
                return
            with _telling_of_loss(), _Step(pool()) as executor:
                yield executor

        if prepare:
            with _telling_of_loss():
                for _ in range(count):
                    pool().submit(_prepared, prepare)
        yield step


@contextmanager
def _telling_of_loss() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise WorkerLost from error


def _prepared(prepare: Callable[[], object]) -> None:
    """What it makes stays in the worker."""
    prepare()


def get_ready(files: int, size: int, purpose: Sequence[str] = CARRYING) -> bool:
    """Begin to start what workers are forked from, where so much needs some; return whether it does. That takes a tenth
    of a second, in which whoever is about to need them may do something else. The first purpose that a process has
    is what its workers are prepared for; they do anything."""
    if files < LITTLE_FILES and size < LITTLE_BYTES:
        return False
    _CONTEXT.set_forkserver_preload([__name__, *purpose])
    _start_server()
    return True


def foresee(path: Path) -> bool:
    """`get_ready`, where a file or folder that has not been listed yet is so much."""
    files = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    some = [str(path), *islice(files, LITTLE_FILES)]
    with suppress(OSError):  # what cannot be looked at is told when it is listed
        return get_ready(len(some) - 1, sum(os.lstat(file).st_size for file in some), EXAMINING)
    return False


class _Future(Future[Any]):
    """One that was cancelled takes an error in silence: Python's pool sets one on all that waits when a process of its
    was killed; where that fails, the pool's thread dies, and the other processes are waited for without end."""

    def set_exception(self, exception: BaseException | None) -> None:
        with suppress(InvalidStateError):
            super().set_exception(exception)


class _Pool(ProcessPoolExecutor):
    """Starts its processes when work is handed to it: an interrupt waits until such a one has all that it needs."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        with _interrupts_held():
            try:
                future = super().submit(fn, *args, **kwargs)
                future.__class__ = _Future
                return future
            except (EOFError, ConnectionError) as error:  # the fork server was killed
                raise BrokenProcessPool from error


class _Step(Executor):
    """A pool for a while: leaves it with nothing under way."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._under_way: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future = self._pool.submit(fn, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for future in list(self._under_way) if cancel_futures else ():  # a copy: what ends is taken away from it
            future.cancel()
        if wait:
            wait_for(list(self._under_way))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Signals that end a command come when the block ends."""
    if threading.current_thread() is not threading.main_thread():
        yield  # they are for the main thread
        return
    came: list[int] = []
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _start_server() -> None:
    """Start the fork server while interrupts are held back, which its workers inherit: one that comes while they start
    is for the main process alone, and comes there when they have. It imports nothing from the current folder, which may
    be a producer's: Python would look there first (`python -P`)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    path = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        forkserver.ensure_running()
    finally:
        del os.environ[_SAFE_PATH]
        os.environ.update({_SAFE_PATH: path} if path else {})
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(main: int) -> None:
    """Leave interrupts to the main process, and die with it, and with the fork server.

    The fork server alone does not see the main process die: each worker keeps the pipe open that would tell it.
    """
    gc.freeze()  # what was imported stays
    gc.set_threshold(SELDOM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_main, daemon=True).start()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not os.path.exists(f"/proc/{main}"):
        os._exit(1)


def _die_with_main() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
