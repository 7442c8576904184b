"""Which process has a database open, as the lock tells that SQLite holds for as long: nobody can forget it.

Source: SQLite's `os_unix.c`. In WAL mode each connection shares a lock on one byte of the `-shm` file
(`UNIX_SHM_DMS`), and `fcntl(2)` names who holds it.
"""

import fcntl
import os
import struct
from pathlib import Path

from ktrdr.process_identity import PROC

SHARED_FOR_LIFE = 128
_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, process


def server_that_has_open(database: Path) -> int | None:
    """Return the other process that has it open, if that is a server or nobody can tell; else None."""
    holder = _holder(database)
    return holder if holder is not None and _may_be_server(holder) else None


def _holder(database: Path) -> int | None:
    try:
        descriptor = os.open(f"{database}-shm", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, SHARED_FOR_LIFE, 1, 0)
        kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else int(process)


def _may_be_server(pid: int) -> bool:
    """Tell whether it is one, as far as one can see: other programs may look into a database."""
    try:
        return b"ktrdr.server" in (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return True
