"""Room on a disk: a write that finds none is told with the bytes it needs and those that are free."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from ktrdr.errors import DiskFull

NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
RETRY_AFTER = 1.0
HINT = "free some space, or set KTRDR_HOME to a folder on a larger disk"


def disk_full(path: Path, needed: int, why: str = "No space left on device") -> DiskFull:
    """Return the error of a write of `needed` bytes to `path` for which there was no room."""
    folder = next(each for each in (path, *path.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    return DiskFull(
        f"there is no room for `{path}`: {needed:,} bytes are needed and {free:,} are free ({why})",
        retry_after=RETRY_AFTER,
        hint=HINT,
    )


@contextmanager
def room_for(path: Path, needed: int) -> Iterator[None]:
    """Raise DiskFull where a write of so many bytes to `path` finds no room, a quota or a limit on files."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise disk_full(path, needed, error.strerror or "") from error
