"""The one owner of locks between processes: advisory, on a file of their own, gone with their holder."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_FOR_OTHERS = 0.1


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Hold a lock that others may share."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold a lock alone."""
    with _locked(path, fcntl.LOCK_EX):
        yield


@contextmanager
def patient_lock(path: Path, wait: Callable[[float], None]) -> Iterator[None]:
    """Hold a lock alone; `wait(seconds)` is called while somebody else has it, and may raise to give up."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while not _is_locked(file.fileno()):
            wait(WAIT_FOR_OTHERS)
        yield


@contextmanager
def _locked(path: Path, mode: int) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, mode)
        yield


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
