"""The private socket of a server of ours: nothing is sent before the kernel has said whose server listens."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ktrdr.errors import AccessDenied
from ktrdr.peer_credentials import is_ours

CONNECTED = "connection.connect_unix_socket.complete"


def connect(path: Path, timeout: float | None = None) -> socket.socket:
    """Return a connection; raises OSError if nobody listens there, and AccessDenied if another user does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(str(path))
        refuse_strangers(connection)
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
    if not is_ours(connection, user):
        raise AccessDenied(
            f"what listens at `{connection.getpeername()}` belongs to another user",
            hint="set KTRDR_HOME to a directory of your own",
        )


async def refuse_strangers_of_a_request(event: str, info: Mapping[str, Any]) -> None:
    """Do so for the connection that an HTTP client has just made; its `trace` extension."""
    if event == CONNECTED:
        stream = info["return_value"]
        try:
            refuse_strangers(stream.get_extra_info("socket"))
        except AccessDenied:
            await stream.aclose()
            raise
