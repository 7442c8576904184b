"""The embedded server's life: one lock, one private socket, and an end when nobody needs it."""

import asyncio
import fcntl
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ktrdr.clock import Clock
from ktrdr.errors import InputInvalid

IDLE_SECONDS = 15 * 60.0
GRACEFUL_SHUTDOWN = 5


class AlreadyRunning(InputInvalid):
    """Another server holds the lock of this home."""


def take_lock(path: Path) -> int:
    """Hold the lock for the life of this process; raises AlreadyRunning if somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning("the server is already running") from None
    return descriptor


def bind_socket(path: Path) -> socket.socket:
    """Replace a stale socket; only the holder of the lock may call this."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
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
    """Remembers when the app was last asked for anything."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self.last = clock.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, remembering the time before and after it."""
        self.last = self._clock.monotonic()
        await self._app(scope, receive, send)
        self.last = self._clock.monotonic()


class DrainingServer(uvicorn.Server):
    """Ends the work first and the connections after it, so that whoever follows is told how it ended."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

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
) -> None:
    """Serve until SIGTERM, or until nothing was asked and nothing ran for `idle_seconds`."""
    watch = ActivityWatch(app, clock)
    config = uvicorn.Config(watch, log_level="warning", timeout_graceful_shutdown=GRACEFUL_SHUTDOWN)
    server = DrainingServer(config, drain)

    async def attend() -> None:
        while not server.started:
            await asyncio.sleep(0.005)
        ready()
        while idle_seconds is not None and not server.should_exit:
            await asyncio.sleep(min(1.0, idle_seconds / 4))
            if not is_busy() and clock.monotonic() - watch.last >= idle_seconds:
                server.should_exit = True

    attendant = asyncio.create_task(attend())
    await server.serve(sockets=list(listeners))
    attendant.cancel()
