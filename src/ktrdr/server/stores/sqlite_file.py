"""The operations file itself: one SQLite connection of one thread, audited when it is opened.

What has not ended is held in memory as well, so that looking at it touches no file. A connection that met an
input or output error or damage is closed, and the file is opened and audited anew before it is used again:
what a failed `fsync` left behind is never synchronised a second time on the same descriptor.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ktrdr.errors import KtrdrError
from ktrdr.operations.operation import Operation
from ktrdr.operations.store import refuse_when_full
from ktrdr.server.stores.sqlite_problems import incomplete, must_reopen, problem
from ktrdr.server.stores.sqlite_schema import ALL, INSERT, REPLACE, SCHEMA, check, columns_of, operation_of
from ktrdr.server.stores.tally import Tally, TallyFile

Answer = TypeVar("Answer")
Connect = Callable[..., sqlite3.Connection]

LONGEST_STALL_MS = 50  # for which the thread itself waits for another program's lock
GONE, UNUSABLE = -1, -2  # in place of an inode


class OperationsFile:
    """Writes and reads `path`; all of it belongs to the one thread that made it, but for looking at `open`.

    Raises KtrdrError at construction if the file is damaged, lacks what was stored, or is of a newer version;
    it is then left untouched.
    """

    def __init__(self, path: Path, lock_timeout: float, connect: Connect = sqlite3.connect) -> None:
        self.open: dict[str, Operation] = {}
        self._path = path
        self._lock_timeout = lock_timeout
        self._connect = connect
        self._inode = UNUSABLE
        self._tally = Tally()
        self._tally_file = TallyFile(path.with_name(f"{path.name}-tally"))
        try:
            self._open()
        except KtrdrError:
            self._tally_file.close()
            raise

    def insert(self, operation: Operation, most_pending: int | None) -> bool:
        """Store a new operation; False if its id is taken; raises QueueFull."""
        return self._using(lambda: self._insert(operation, most_pending))

    def replace(self, operation: Operation) -> bool:
        """Replace the previous version; False if the stored one is another or has ended."""
        return self._using(lambda: self._replace(operation))

    def rows(self, where: str, values: Sequence[object]) -> list[Operation]:
        """Return the operations that a clause of this package's own selects."""
        statement = f"SELECT operation_id, document FROM operations {where}"  # noqa: S608  # its clauses are constants
        return self._using(
            lambda: [operation_of(self._path, *row) for row in self._connection.execute(statement, values)]
        )

    def count(self, where: str, values: Sequence[object]) -> int:
        """Return how many operations a clause of this package's own selects."""
        statement = f"SELECT count(*) FROM operations {where}"  # noqa: S608  # its clauses are constants
        return self._using(lambda: int(self._connection.execute(statement, values).fetchone()[0]))

    def close(self) -> None:
        """Close the file; what was stored stays."""
        self._connection.close()
        self._tally_file.close()

    def _using(self, work: Callable[[], Answer]) -> Answer:
        try:
            if self._inode != _inode(self._path):
                self._reopen()
            return work()
        except sqlite3.DatabaseError as error:
            if must_reopen(error):
                self._inode = UNUSABLE
            raise

    def _insert(self, operation: Operation, most_pending: int | None) -> bool:
        if operation.operation_id in self.open:
            return False
        if not self._has(operation.operation_id):
            refuse_when_full(self.open.values(), most_pending)
        with self._transaction():
            written = self._connection.execute(INSERT, (*columns_of(operation), operation.operation_id))
        if written.rowcount == 1:
            self._note(operation, Tally(self._tally.operations + 1, self._tally.writes + operation.version))
        return written.rowcount == 1

    def _replace(self, operation: Operation) -> bool:
        known = self.open.get(operation.operation_id)
        if known is None or known.version != operation.version - 1:
            return False
        with self._transaction():
            values = (*columns_of(operation), operation.operation_id, operation.version - 1)
            written = self._connection.execute(REPLACE, values)
        if written.rowcount == 1:
            self._note(operation, Tally(self._tally.operations, self._tally.writes + 1))
        else:
            self._load()
        return written.rowcount == 1

    def _has(self, operation_id: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM operations WHERE operation_id = ?", (operation_id,))
        return found.fetchone() is not None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what is done inside, or nothing; the lock is taken before the first read of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            yield

    def _note(self, operation: Operation, tally: Tally) -> None:
        if operation.is_terminal:
            self.open.pop(operation.operation_id, None)
        else:
            self.open[operation.operation_id] = operation
        self._tally = tally
        self._tally_file.write(tally)

    def _reopen(self) -> None:
        self._inode = UNUSABLE
        self._connection.close()
        self._open()

    def _open(self) -> None:
        expected = self._tally_file.read()
        if expected.operations and not (self._path.exists() and self._path.stat().st_size):
            # SQLite would remove the write-ahead log of an empty file, and with it what may be left.
            raise incomplete(self._path, expected.lacks(Tally()), self._tally_file.path)
        _make_private(self._path)
        self._connection = self._connect(self._path, isolation_level=None, timeout=self._lock_timeout)
        try:
            self._prepare(expected)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise problem(self._path, error) from error
        except KtrdrError:
            self._connection.close()
            raise
        self._inode = _inode(self._path)

    def _prepare(self, expected: Tally) -> None:
        connection = self._connection
        check(connection, self._path)
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'operations'").fetchone():
            self._load()
        if lacking := expected.lacks(self._tally):
            raise incomplete(self._path, lacking, self._tally_file.path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA busy_timeout = {LONGEST_STALL_MS}")
        connection.executescript(SCHEMA)
        self._tally_file.write(self._tally)

    def _load(self) -> None:
        """Read every row: each must have its shape, what has not ended is kept, and all are counted."""
        open_: dict[str, Operation] = {}
        tally = Tally()
        for operation_id, version, document in self._connection.execute(ALL):
            operation = operation_of(self._path, operation_id, document)
            tally = Tally(tally.operations + 1, tally.writes + version)
            if not operation.is_terminal:
                open_[operation_id] = operation
        self.open, self._tally = open_, tally


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return GONE


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
