"""What SQLite's errors mean for whoever keeps operations: not now, no room, or a file that is not whole."""

import sqlite3
from pathlib import Path

from ktrdr.disk_space import disk_full
from ktrdr.errors import KtrdrError, StoreDamaged, Unavailable

RETRY_AFTER = 1.0
ROOM_FOR_A_CHANGE = 16 * 1024
_HELD = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NOT_NOW = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_UNSURE = _NOT_NOW | {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_held(error: sqlite3.DatabaseError) -> bool:
    """Tell whether another program holds the file for now."""
    return _primary(error) in _HELD


def must_reopen(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the connection must not be used again after this error."""
    return _primary(error) in _UNSURE


def problem(path: Path, error: sqlite3.DatabaseError) -> KtrdrError:
    """Return what is told of an error of the operations file."""
    code = _primary(error)
    if code == sqlite3.SQLITE_FULL:
        return disk_full(path, ROOM_FOR_A_CHANGE, str(error))
    if code not in _HELD | _NOT_NOW:
        return damaged(path, str(error))
    held, bad = "end the program that holds the file", "see whether its disk is well and can be written"
    return Unavailable(
        f"the operations file `{path}` cannot be used now: {error}",
        retry_after=RETRY_AFTER,
        hint=held if code in _HELD else bad,
    )


def damaged(path: Path, words: str) -> StoreDamaged:
    """Return the error of a file that cannot be read."""
    return StoreDamaged(
        f"the operations file `{path}` cannot be read: {words}",
        retry_after=RETRY_AFTER,
        hint=f"nothing was removed; put a whole one back, or move `{path.name}*` away for an empty history",
    )


def incomplete(path: Path, lacking: str, tally: Path) -> StoreDamaged:
    """Return the error of a file that holds less than was stored."""
    return StoreDamaged(
        f"the operations file `{path}` is not whole: it lacks {lacking} that were stored",
        retry_after=RETRY_AFTER,
        hint=f"put back what is missing (`{path.name}-wal` too), or remove `{tally}` to go on without it",
    )


def _primary(error: sqlite3.DatabaseError) -> int:
    return error.sqlite_errorcode & 0xFF
