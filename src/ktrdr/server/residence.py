"""Where the server of a state folder lives: the lock that makes it the server, its socket, and its note.

One state folder, one database, one lock, one server. The lock lies beside the database and is held for life;
whoever does not hold it opens no database, unlinks no socket and ends no worker. A server that has the
database open without it, since it is of a former build or its lock was removed, is left alone.
"""

import fcntl
import os
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

from ktrdr.client.database_holder import server_that_has_open
from ktrdr.client.server_identity import former_server, write_identity
from ktrdr.network_disks import refuse_network_disk
from ktrdr.private_directory import first_private, tightened_directory
from ktrdr.server.daemon import AlreadyRunning, bind_socket, take_lock
from ktrdr.settings import SOCKET, Settings

File = tuple[int, int]


class Residence:
    """Makes this process the only server of a state folder, for as long as it is entered.

    Entering raises AlreadyRunning if there is another. `listen` opens the door; `renewed` opens it again
    where somebody removed it; `leave` takes it away.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = ExitStack()
        self._bound: File | None = None

    def __enter__(self) -> "Residence":
        tightened_directory(self._settings.state_dir)
        refuse_network_disk(self._settings.state_dir)
        with ExitStack() as taking:
            self._lock = taking.enter_context(os.fdopen(take_lock(self._settings.lock_path)))
            self._socket_path = first_private(self._settings.runtime_dirs) / SOCKET
            for folder in filter(_is_our_folder, self._settings.former_runtime_dirs):
                self._shut_out(folder, taking)
            if (holder := server_that_has_open(self._settings.database)) is not None:
                raise AlreadyRunning(f"another server (process {holder}) has the database open")
            self._held = taking.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.leave()
        self._held.close()

    def listen(self) -> socket.socket:
        """Return a listening socket, once commands can read where it is."""
        listener = bind_socket(self._socket_path)
        self._bound = _file_at(self._socket_path)
        write_identity(self._settings, self._socket_path)
        return listener

    def renewed(self) -> socket.socket | None:
        """Return a new listening socket if the last one cannot be found any more, else None.

        Where its folder cannot be made again, as after a logout, another one is taken. Raises AlreadyRunning
        if the lock is gone from its place: whoever takes the one that is there serves other data.
        """
        if not self._is_ours:
            raise AlreadyRunning(f"the state folder `{self._settings.state_dir}` was removed")
        if _file_at(self._socket_path) == self._bound and self._settings.server_note.exists():
            return None
        self._socket_path = first_private(self._settings.runtime_dirs) / SOCKET
        return self.listen()

    def leave(self) -> None:
        """Remove the socket and, if that empties it, its folder; who has lost the lock removes nothing."""
        with suppress(OSError):
            if self._is_ours and _file_at(self._socket_path) == self._bound:
                self._socket_path.unlink(missing_ok=True)
                self._socket_path.parent.rmdir()

    @property
    def _is_ours(self) -> bool:
        return _file_at(self._settings.lock_path) == _file(os.fstat(self._lock.fileno()))

    def _shut_out(self, folder: Path, held: ExitStack) -> None:
        """Hold the lock of former builds, so that none of them starts over the same data.

        They take it alone; it is shared here, for in that folder it was one lock for all states.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = held.enter_context(os.fdopen(os.open(folder / "server.lock", flags, 0o600)))
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = former_server(folder)
            if holder is None or holder.serves(self._settings):
                raise AlreadyRunning("a server of a former build is running") from None


def _is_our_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _file_at(path: Path) -> File | None:
    try:
        return _file(path.lstat())
    except OSError:
        return None


def _file(found: os.stat_result) -> File:
    return found.st_dev, found.st_ino
