"""Who is at the other end of a Unix socket, as the kernel tells it and nobody can pretend.

For a client that is whoever began to listen, for a server whoever connected.
"""

import socket
import struct

_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group; source: unix(7), SO_PEERCRED


def user_of_peer(connection: socket.socket) -> int:
    """Return the user id of the process at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(told)[1]
    return user
