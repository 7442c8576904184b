"""How operations lie in SQLite: one table, a document a row, and the triggers that keep what has ended."""

import sqlite3
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ktrdr.errors import KtrdrError
from ktrdr.operations.operation import TERMINAL, Operation
from ktrdr.server.stores.sqlite_problems import damaged

SCHEMA_VERSION = 1
TERMINAL_WORDS = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
SCHEMA = f"""
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
WHEN OLD.status IN ({TERMINAL_WORDS})
BEGIN SELECT RAISE(ABORT, 'a terminal operation is frozen'); END;
PRAGMA user_version = {SCHEMA_VERSION};
"""
INSERT = """
INSERT OR IGNORE INTO operations (operation_type, status, version, document, operation_id)
VALUES (?, ?, ?, ?, ?)
"""
REPLACE = """
UPDATE operations SET operation_type = ?, status = ?, version = ?, document = ?
WHERE operation_id = ? AND version = ?
"""
ALL = "SELECT operation_id, version, document FROM operations ORDER BY number"
_DOCUMENT: TypeAdapter[Operation] = TypeAdapter(Operation)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreDamaged for a file that is not sound, and KtrdrError for one of a newer version."""
    (verdict,) = connection.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise KtrdrError(
            f"the operations file `{path}` was written by a newer ktrdr (version {version})",
            hint="upgrade ktrdr, or set KTRDR_HOME to another home",
        )


def columns_of(operation: Operation) -> tuple[str, str, int, str]:
    """Return type, status, version and document."""
    document = _DOCUMENT.dump_json(operation).decode()
    return (operation.operation_type, operation.status.value, operation.version, document)


def operation_of(path: Path, operation_id: str, document: str) -> Operation:
    """Return the operation of a row; raises StoreDamaged for a document of another shape."""
    try:
        return _DOCUMENT.validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise damaged(
            path, f"the row of `{operation_id}` has another shape (`{where}`: {first['msg']})"
        ) from None
