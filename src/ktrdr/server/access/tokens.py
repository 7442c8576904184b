"""The bearer token of a server on a port: a secret in a file that only its owner can read.

Whoever can read the file is its owner. The token itself is never printed, logged or part of an answer.
"""

import os
import secrets
import stat
from hmac import compare_digest
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from ktrdr.atomic_files import write_bytes
from ktrdr.errors import InputInvalid
from ktrdr.server.problems import problem

TOKEN_BYTES = 32
SHORTEST = 32
LONGEST = 4096
HINT = "name the token's file in KTRDR_TOKEN_FILE (the server printed where it is), or set KTRDR_TOKEN"


def kept_token(path: Path) -> str:
    """Return the token in the file, made with 256 random bits if there is none; raises InputInvalid."""
    if not os.path.lexists(path):
        write_bytes(path, f"{secrets.token_urlsafe(TOKEN_BYTES)}\n".encode())
    try:
        token = _private_text(path).strip()
    except (OSError, UnicodeError) as error:
        raise InputInvalid(f"the token file `{path}` cannot be read: {error}", hint="remove it") from None
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise InputInvalid(f"what is in `{path}` is no token", hint="remove it, and a new one is made")
    return token


def _private_text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise InputInvalid(f"the token file `{path}` is not private to you", hint=f"`chmod 600 {path}`")
        return file.read(LONGEST).decode("ascii")


class TokenGuard:
    """Asks whoever comes by a port for the token; the private socket is proof enough."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "lifespan" or _is_private(scope) or self._is_shown(scope):
            await self._app(scope, receive, send)
        else:
            headers = {"WWW-Authenticate": "Bearer"}
            answer = problem(
                401, "A token is needed", "this server asks for a token", hint=HINT, headers=headers
            )
            await answer(scope, receive, send)

    def _is_shown(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and compare_digest(shown[0], self._expected)


def _is_private(scope: Scope) -> bool:
    """Tell whether the request came over a Unix socket: its address has a path and no port."""
    server = scope.get("server")
    return server is not None and server[1] is None
