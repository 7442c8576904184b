"""Operations in one SQLite file: one connection, one thread, every write durable before it is told.

The thread waits for nobody: while another program holds the file a write is tried again from here, so that
reading goes on. What has not ended is read from memory.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ktrdr.operations.operation import OPEN, TERMINAL, Operation
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore
from ktrdr.server.stores.sqlite_file import Connect, OperationsFile
from ktrdr.server.stores.sqlite_problems import is_held, problem

Answer = TypeVar("Answer")

LOCK_TIMEOUT = 5.0
LOCK_PAUSE = 0.05


class SqliteOperationStore(OperationStore):
    """Keeps operations in `path`, private to its owner; raises Unavailable while the file cannot be written.

    Raises KtrdrError at construction if the file is damaged, lacks what was stored, or is of a newer version;
    it is then left untouched.
    """

    def __init__(
        self, path: Path, *, lock_timeout: float = LOCK_TIMEOUT, connect: Connect = sqlite3.connect
    ) -> None:
        self._path = path
        self._lock_timeout = lock_timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        opening = self._thread.submit(OperationsFile, path, lock_timeout, connect)
        if opening.exception():
            self._thread.shutdown()
        self._file = opening.result()

    async def insert(self, operation: Operation, *, most_pending: int | None = None) -> bool:
        """Store a new operation durably; False if its id is taken; raises QueueFull."""
        return await self._on_thread(lambda: self._file.insert(operation, most_pending))

    async def replace(self, operation: Operation) -> bool:
        """Replace the previous version durably; False if the stored one is another or has ended."""
        return await self._on_thread(lambda: self._file.replace(operation))

    async def get(self, operation_id: str) -> Operation | None:
        """Return the stored operation, or None."""
        if found := self._file.open.get(operation_id):
            return found
        rows = await self._on_thread(lambda: self._file.rows("WHERE operation_id = ?", (operation_id,)))
        return rows[0] if rows else None

    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return the operations that match, newest first."""
        return await self._on_thread(lambda: self._page(wanted))

    async def open_operations(self) -> Sequence[Operation]:
        """Return every operation that has not ended, oldest first."""
        return list(self._file.open.values())

    async def close(self) -> None:
        """Close the file; what was stored stays."""
        await self._on_thread(self._file.close)
        self._thread.shutdown()

    def _page(self, wanted: OperationFilter) -> OperationPage:
        statuses = sorted(wanted.statuses or OPEN | TERMINAL)
        marks = ", ".join("?" for _ in statuses)
        where = f"WHERE status IN ({marks}) AND (? IS NULL OR operation_type = ?)"
        values = (*statuses, wanted.operation_type, wanted.operation_type)
        newest_first = f"{where} ORDER BY number DESC LIMIT ? OFFSET ?"
        rows = self._file.rows(newest_first, (*values, wanted.limit, wanted.offset))
        return OperationPage(tuple(rows), self._file.count(where, values), len(self._file.open))

    async def _on_thread(self, work: Callable[[], Answer]) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._lock_timeout
        while True:
            try:
                working = loop.run_in_executor(self._thread, work)
                working.add_done_callback(_noticed)
                return await asyncio.shield(working)
            except sqlite3.DatabaseError as error:
                if not is_held(error) or loop.time() >= deadline:
                    raise problem(self._path, error) from error
            await asyncio.sleep(LOCK_PAUSE)


def _noticed(working: "asyncio.Future[Answer]") -> None:
    """Take note of how it went, also where whoever asked has stopped waiting."""
    if not working.cancelled():
        working.exception()
