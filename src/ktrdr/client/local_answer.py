"""One question to the embedded server, read from its socket without an HTTP library.

Loading one takes longer than asking. The rule: only what may be asked again is asked here, and whatever is
not a plain, whole answer is None, so that the client which knows all about trouble asks once more.
"""

import json
from pathlib import Path
from typing import Any

from ktrdr.client.local_socket import connect

PIECE = 1 << 16
LARGEST_ANSWER = 64 << 20
GOOD = b"HTTP/1.1 200 "


def local_answer(socket: Path, target: str, seconds: float) -> dict[str, Any] | None:
    """Return the JSON object that is answered to a GET, each part of it within so many seconds."""
    request = f"GET {target} HTTP/1.1\r\nHost: ktrdr\r\nConnection: close\r\n\r\n"
    try:
        with connect(socket, seconds) as connection:
            connection.sendall(request.encode("ascii"))
            answer = bytearray()
            while (piece := connection.recv(PIECE)) and len(answer) <= LARGEST_ANSWER:
                answer += piece
        return _object(bytes(answer))
    except (OSError, ValueError, RecursionError):
        return None


def _object(answer: bytes) -> dict[str, Any] | None:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(GOOD) or f"content-length: {len(body)}".encode() not in head.lower().split(
        b"\r\n"
    ):
        return None
    found = json.loads(body)
    return found if isinstance(found, dict) else None
