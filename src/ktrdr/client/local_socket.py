"""The private socket of a server of ours: nothing is sent before the kernel has said whose server listens."""

import os
import socket
from pathlib import Path

from ktrdr.errors import AccessDenied
from ktrdr.peer_credentials import user_of_peer


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


def is_listening(path: Path) -> bool:
    """Tell whether a server of ours accepts connections on the socket."""
    try:
        connect(path).close()
    except OSError:
        return False
    return True


def refuse_strangers(connection: socket.socket, user: int | None = None) -> None:
    """Raise AccessDenied unless who listens is the user: who runs this, if none is given."""
    if user_of_peer(connection) != (os.getuid() if user is None else user):
        raise AccessDenied(
            f"what listens at `{connection.getpeername()}` belongs to another user",
            hint="set KTRDR_HOME to a directory of your own",
        )
