"""A store is handed to other processes, by the pool that commands use, without its connections or its secret."""

from __future__ import annotations

import pickle
from functools import partial

import pytest

from fixity.audit import Expected, check_all
from repository.workers import workers
from storage.digest import sha256
from storage.parallel import in_order
from storage.s3 import S3
from tests.servers.endpoint import Endpoint

pytestmark = pytest.mark.slow


def test_workers_read_what_this_process_wrote(store: S3, server: Endpoint) -> None:
    contents = {f"blobs/{n}": f"blob {n}".encode() for n in range(40)}
    for key, data in contents.items():
        store.replace(key, data)
    assert server.secret_key.encode() not in pickle.dumps(store)
    wanted = [Expected(key, sha256(data), len(data)) for key, data in contents.items()]
    with workers(1000, 0) as executor:
        chunks = (wanted[start : start + 10] for start in range(0, len(wanted), 10))
        found = list(in_order(executor, partial(check_all, store), chunks))
    assert [piece.counts for piece in found] == [{"intact": 10}] * 4
