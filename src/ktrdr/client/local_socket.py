"""The private socket of a server of ours: nothing is sent before the kernel has said whose server listens."""

import os
import socket
from pathlib import Path

from ktrdr.errors import AccessDenied
from ktrdr.peer_credentials import peer_of

UNSEEN = 0  # a process of another container


def connect(path: Path, timeout: float | None = None, user: int | None = None) -> socket.socket:
    """Return a connection; raises OSError if nobody listens there, and AccessDenied if another user does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(str(path))
        refuse_strangers(connection, user)
    except (OSError, AccessDenied):
        connection.close()
        raise
    return connection


def is_listening(path: Path, pid: int | None = None) -> bool:
    """Tell whether a server of ours accepts connections on the socket: that process, if a pid is given."""
    try:
        with connect(path) as connection:
            return pid is None or peer_of(connection).pid in {pid, UNSEEN}
    except OSError:
        return False


def refuse_strangers(connection: socket.socket, user: int | None = None) -> None:
    """Raise AccessDenied unless who listens is the user: who runs this, if none is given."""
    if peer_of(connection).user != (os.getuid() if user is None else user):
        raise AccessDenied(
            f"what listens at `{connection.getpeername()}` belongs to another user",
            hint="set KTRDR_HOME to a directory of your own",
        )
