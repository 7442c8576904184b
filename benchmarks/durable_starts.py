"""Durable starts: operations a second through the service and its SQLite store, to bare SQLite commits.

Both begin with an empty file and fill it to the limit of the queue. A bare commit inserts a row of the same
size under the same pragmas. The quicker the disk synchronises, the more the service's own work weighs, so the
bare commits a second are printed as well.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Line, interleaved, ratios, run
from ktrdr.clock import SystemClock
from ktrdr.kinds.dummy import KIND, DummyRequest
from ktrdr.operations.service import QUEUE_LIMIT, OperationsService
from ktrdr.server.stores.sqlite import SqliteOperationStore

STARTS = QUEUE_LIMIT
FULL, SMALL = 15, 1  # runs
TABLE = "CREATE TABLE bare (operation_id TEXT PRIMARY KEY, document TEXT NOT NULL)"


async def _start_all(file: Path) -> float:
    store = SqliteOperationStore(file)
    service = OperationsService(store, {KIND.name: KIND}, SystemClock())
    request = DummyRequest()
    began = time.perf_counter()
    for _ in range(STARTS):
        await service.start(KIND.name, request)
    spent = time.perf_counter() - began
    await store.close()
    return STARTS / spent


def starts_per_second() -> float:
    """Return how many operations a second are started one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_start_all(Path(folder) / "operations.sqlite"))


def row_size() -> int:
    """Return the bytes of a stored operation's document."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "operations.sqlite"
        asyncio.run(_start_all(file))
        (size,) = sqlite3.connect(file).execute("SELECT max(length(document)) FROM operations").fetchone()
        return int(size)


def commits_per_second(size: int) -> float:
    """Return how many rows of a size a second are committed one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", TABLE):
            connection.execute(statement)
        began = time.perf_counter()
        for number in range(STARTS):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO bare VALUES (?, ?)", (f"op_dummy_{number:012}", "x" * size))
            connection.execute("COMMIT")
        spent = time.perf_counter() - began
        connection.close()
        return STARTS / spent


def lines(runs: int) -> Iterator[Line]:
    """Measure and yield the lines."""
    started, committed = interleaved(runs, starts_per_second, partial(commits_per_second, row_size()))
    yield Line("Starts a second to bare SQLite commits", ratios(started, committed), at_least=0.3)
    yield Line("The baseline: bare SQLite commits", committed, "/s")


if __name__ == "__main__":
    run("Durable starts", lines, full=FULL, small=SMALL)
