"""The embedded server's life: one lock, one private socket, and an end when nobody needs it."""

import asyncio
import errno
import fcntl
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ktrdr.clock import Clock
from ktrdr.errors import InputInvalid, KtrdrError
from ktrdr.peer_credentials import peer_of
from ktrdr.server.connections import BoundedProtocol, QuietAccept
from ktrdr.server.problems import problem

IDLE_SECONDS = 15 * 60.0
GRACEFUL_SHUTDOWN = 5
BACKLOG = 128
LOOK_SECONDS = 0.5
LOG = logging.getLogger(__name__)
ENDING = problem(503, "Unavailable", "the server is ending", headers={"Retry-After": "1"})


class AlreadyRunning(InputInvalid):
    """Another server holds the lock of this home."""


def take_lock(path: Path) -> int:
    """Hold the lock for the life of this process; raises AlreadyRunning if somebody else does."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning("the server is already running") from None
        if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)  # it was removed in between: whoever comes next takes another one


class OwnersSocket(socket.socket):
    """A Unix socket that hangs up on everybody but one user before a byte of theirs is read."""

    user: int

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection and its address."""
        connection, address = super().accept()
        if peer_of(connection).user != self.user:
            connection.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "another user knocked")
        return connection, address


def bind_socket(path: Path, user: int | None = None) -> socket.socket:
    """Replace a stale socket; only the holder of the lock may call this.

    Only the user is heard: who runs this, if none is given.
    """
    path.unlink(missing_ok=True)
    listener = OwnersSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.user = os.getuid() if user is None else user
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener


def bind_loopback(port: int) -> socket.socket:
    """Listen on this machine's loopback address only."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise InputInvalid(f"port {port} cannot be used: {error.strerror}", hint="choose another") from None
    listener.listen(128)
    return listener


class ActivityWatch:
    """Remembers when the app was last asked for anything; at the end it lets nothing new begin."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._asked = 0
        self._last = clock.monotonic()
        self.is_ending = False

    @property
    def idle_seconds(self) -> float:
        """Return for how long nothing was asked."""
        return 0.0 if self._asked else self._clock.monotonic() - self._last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, remembering the time after it."""
        if self.is_ending and scope["type"] == "http" and _begins_something(scope):
            await ENDING(scope, receive, send)
            return
        is_request = scope["type"] == "http"
        self._asked += is_request
        try:
            await self._app(scope, receive, send)
        finally:
            self._asked -= is_request
            self._last = self._clock.monotonic()


def _begins_something(scope: Scope) -> bool:
    return scope["method"] == "POST" and not scope["path"].endswith("/cancel")


class DrainingServer(uvicorn.Server):
    """Ends the work first and the connections after it, so that whoever follows is told how it ended."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def move(self, listener: socket.socket) -> None:
        """Accept on another Unix socket instead; connections that are there stay."""
        for server in self.servers:
            if any(each.family == socket.AF_UNIX for each in server.sockets):
                server.close()
        config = self.config
        protocol = partial(
            config.http_protocol_class,  # type: ignore[call-arg]  # uvicorn's own types know none of its arguments
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        self.servers.append(await loop.create_server(protocol, sock=listener, backlog=config.backlog))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close."""
        await self._drain()
        await super().shutdown(sockets)


async def serve(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    clock: Clock,
    *,
    ready: Callable[[], None],
    drain: Callable[[], Awaitable[None]],
    is_busy: Callable[[], bool],
    idle_seconds: float | None,
    renewed: Callable[[], socket.socket | None] = lambda: None,
    protocol: type[BoundedProtocol] = BoundedProtocol,
) -> None:
    """Serve until SIGTERM, or until nothing was asked and nothing ran for `idle_seconds`.

    `renewed` is asked twice a second for a socket that takes the place of a removed one; the server also ends
    when that raises AlreadyRunning.
    """
    watch = ActivityWatch(app, clock)
    config = uvicorn.Config(
        watch,
        http=protocol,
        ws="none",
        proxy_headers=False,
        backlog=BACKLOG,
        log_level="warning",
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN,
    )
    asyncio.get_running_loop().set_exception_handler(QuietAccept(clock))

    async def end() -> None:
        watch.is_ending = True
        await drain()

    server = DrainingServer(config, end)

    async def attend() -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        ready()
        while not server.should_exit:
            await asyncio.sleep(min(LOOK_SECONDS, (idle_seconds or LOOK_SECONDS) / 4))
            is_lost = await _look_after(server, renewed)
            is_idle = idle_seconds is not None and watch.idle_seconds >= idle_seconds and not is_busy()
            watch.is_ending = server.should_exit = server.should_exit or is_lost or is_idle

    attendant = asyncio.create_task(attend())
    await server.serve(sockets=list(listeners))
    attendant.cancel()


async def _look_after(server: DrainingServer, renewed: Callable[[], socket.socket | None]) -> bool:
    """Move the server, unless it ends, if its socket was removed; tell whether it has lost its place."""
    try:
        if not server.should_exit and (listener := renewed()):
            await server.move(listener)
    except AlreadyRunning as error:
        LOG.warning("the server ends: %s", error.message)
        return True
    except (KtrdrError, OSError) as error:
        LOG.warning("the socket cannot be made again: %s", error)
    return False
