"""The one owner of durable writes: beside, fsync, rename, fsync the parent."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ktrdr.disk_space import room_for


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a reader or a crash sees the old or the new file, never a mixture.

    Raises DiskFull if there is no room for it.
    """
    with room_for(path, len(data)):
        _write_beside(path, data)
    sync_directory(path.parent)


def _write_beside(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)


@contextmanager
def new_directory(path: Path, needed: int | None = None) -> Iterator[Path]:
    """Yield a directory to fill; on success it appears whole and durable as `path`, on error not at all.

    `needed` says how many bytes will be written, where that is known.
    Raises FileExistsError if `path` already exists, and DiskFull if there is no room for it.
    """
    with room_for(path, needed), _beside(path) as beside:
        yield beside
    sync_directory(path.parent)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield beside
        for file in beside.iterdir():
            _sync(file)
        sync_directory(beside)
        if path.exists():
            raise FileExistsError(path)
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sync_directory(path: Path) -> None:
    """Make renames inside `path` durable."""
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
