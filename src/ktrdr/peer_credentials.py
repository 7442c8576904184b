"""Who is at the other end of a Unix socket, as the kernel tells it and nobody can pretend.

For a client that is whoever began to listen, for a server whoever connected.
"""

import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group; source: unix(7), SO_PEERCRED


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end; its pid is 0 where that cannot be seen from here, as in a container."""

    pid: int
    user: int


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(told)
    return Peer(pid, user)
