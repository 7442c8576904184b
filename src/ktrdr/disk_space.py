"""Room on a disk: a write that finds none is told with the bytes it needs and those that are free."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from ktrdr.errors import DiskFull

NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
ROOM_TO_START = 256 * 1024  # what a server writes before it serves: its note, its log, the history's own log
RETRY_AFTER = 1.0
HINT = "free some space, or set KTRDR_HOME to a folder on a larger disk"


def disk_full(path: Path, needed: int | None, why: str = "No space left on device") -> DiskFull:
    """Return the error of a write to `path` that found no room, of so many bytes or of an unknown number."""
    free = free_bytes(path)
    if needed is None:
        words = f"it needs more than the {free:,} bytes that are free"
    else:
        words = f"{needed:,} bytes are needed and {free:,} are free"
    message = f"there is no room for `{path}`: {words} ({why})"
    return DiskFull(message, retry_after=RETRY_AFTER, hint=HINT)


def free_bytes(path: Path) -> int:
    """Return how many bytes can be written where `path` is, or is to be."""
    folder = next(each for each in (path, *path.absolute().parents) if each.exists())
    return shutil.disk_usage(folder).free


def is_disk_full(error: Exception) -> bool:
    """Tell whether a write found no room, a quota or a limit on files, whoever says so."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(f"(os error {number})" in str(error) for number in NO_ROOM)  # as Polars says it


@contextmanager
def room_for(path: Path, needed: int | None) -> Iterator[None]:
    """Raise DiskFull where a write to `path` finds no room."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise disk_full(path, needed, error.strerror or str(error)) from error
