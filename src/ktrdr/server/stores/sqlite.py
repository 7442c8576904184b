"""Operations in one SQLite file: one connection, one thread, every write durable before it is told."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from ktrdr.errors import KtrdrError, Unavailable
from ktrdr.operations.operation import OPEN, TERMINAL, Operation
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore

Answer = TypeVar("Answer")

SCHEMA_VERSION = 1
LOCK_TIMEOUT = 5.0
RETRY_AFTER = 1.0
_TERMINAL = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS operations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operation_id TEXT NOT NULL UNIQUE,
    operation_type TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS operations_by_status ON operations (status, number);
CREATE TRIGGER IF NOT EXISTS terminal_rows_are_frozen BEFORE UPDATE ON operations
WHEN OLD.status IN ({_TERMINAL})
BEGIN SELECT RAISE(ABORT, 'a terminal operation is frozen'); END;
PRAGMA user_version = {SCHEMA_VERSION};
"""
_DOCUMENT: TypeAdapter[Operation] = TypeAdapter(Operation)


class SqliteOperationStore(OperationStore):
    """Keeps operations in `path`, private to its owner; raises Unavailable while the file cannot be written.

    Raises KtrdrError at construction if the file is damaged or of a newer version; it is then left untouched.
    """

    def __init__(self, path: Path, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        opening = self._thread.submit(_open, path, lock_timeout)
        if opening.exception():
            self._thread.shutdown()
        self._connection = opening.result()

    async def insert(self, operation: Operation) -> bool:
        """Store a new operation durably; False if its id is taken."""
        return await self._write(
            "INSERT OR IGNORE INTO operations (operation_type, status, version, document, operation_id) "
            "VALUES (?, ?, ?, ?, ?)",
            (*_columns(operation), operation.operation_id),
        )

    async def replace(self, operation: Operation) -> bool:
        """Replace the previous version durably; False if the stored one is another or has ended."""
        return await self._write(
            "UPDATE operations SET operation_type = ?, status = ?, version = ?, document = ? "
            "WHERE operation_id = ? AND version = ? AND status IN (?, ?)",
            (*_columns(operation), operation.operation_id, operation.version - 1, *sorted(OPEN)),
        )

    async def get(self, operation_id: str) -> Operation | None:
        """Return the stored operation, or None."""
        found = await self._read("WHERE operation_id = ?", (operation_id,))
        return found[0] if found else None

    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return the operations that match, newest first."""
        statuses = sorted(wanted.statuses or OPEN | TERMINAL)
        where = f"WHERE status IN ({_marks(statuses)}) AND (? IS NULL OR operation_type = ?)"
        values = (*statuses, wanted.operation_type, wanted.operation_type)
        rows = await self._read(
            f"{where} ORDER BY number DESC LIMIT ? OFFSET ?", (*values, wanted.limit, wanted.offset)
        )
        total = await self._count(where, values)
        active = await self._count(f"WHERE status IN ({_marks(sorted(OPEN))})", sorted(OPEN))
        return OperationPage(tuple(rows), total, active)

    async def open_operations(self) -> Sequence[Operation]:
        """Return every operation that has not ended, oldest first."""
        return await self._read(f"WHERE status IN ({_marks(sorted(OPEN))}) ORDER BY number", sorted(OPEN))

    async def close(self) -> None:
        """Close the file; what was stored stays."""
        await self._on_thread(self._connection.close)
        self._thread.shutdown()

    async def _write(self, statement: str, values: Sequence[object]) -> bool:
        def write() -> bool:
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                return self._connection.execute(statement, values).rowcount == 1

        return await self._on_thread(write)

    async def _read(self, where: str, values: Sequence[object]) -> Sequence[Operation]:
        statement = f"SELECT document FROM operations {where}"  # noqa: S608  # clauses are constants of this module
        rows = await self._on_thread(lambda: self._connection.execute(statement, values).fetchall())
        return [_DOCUMENT.validate_json(document) for (document,) in rows]

    async def _count(self, where: str, values: Sequence[object]) -> int:
        statement = f"SELECT count(*) FROM operations {where}"  # noqa: S608  # clauses are constants of this module
        (row,) = await self._on_thread(lambda: self._connection.execute(statement, values).fetchall())
        return int(row[0])

    async def _on_thread(self, work: Callable[[], Answer]) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.shield(loop.run_in_executor(self._thread, work))
        except sqlite3.OperationalError as error:
            raise Unavailable(
                f"the operations file `{self._path}` cannot be used now: {error}",
                retry_after=RETRY_AFTER,
                hint="free some disk space, or end the program that holds the file",
            ) from error


def _open(path: Path, lock_timeout: float) -> sqlite3.Connection:
    _make_private(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=lock_timeout)
    try:
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
    except KtrdrError:
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        raise KtrdrError(
            f"the operations file `{path}` cannot be read: {error}",
            hint="it was left as it is; if it is damaged, move it away to start with an empty history",
        ) from error
    return connection


def _make_private(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError as error:
        raise KtrdrError(
            f"the operations file `{path}` cannot be opened: {error.strerror}",
            hint="check the permissions of its folder, or set KTRDR_HOME to another home",
        ) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise KtrdrError(
            f"the operations file `{path}` was written by a newer ktrdr (version {version})",
            hint="upgrade ktrdr, or set KTRDR_HOME to another home",
        )


def _columns(operation: Operation) -> tuple[str, str, int, str]:
    document = _DOCUMENT.dump_json(operation).decode()
    return (operation.operation_type, operation.status.value, operation.version, document)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)
