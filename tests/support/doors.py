"""A small app behind the server's real doors, in this process, and who knocks at them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from ktrdr.clock import SystemClock
from ktrdr.server.connections import BoundedProtocol
from ktrdr.server.daemon import bind_loopback, bind_socket, serve

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell how long the body was."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"hello {len(body)}")(scope, receive, send)


class Doors:
    """The two ways into a running server, and who came by them."""

    def __init__(self, path: Path, port: int) -> None:
        self._path = path
        self._port = port
        self._came: list[asyncio.StreamWriter] = []

    async def by_port(self, said: bytes = b"") -> Connection:
        """Say something and go silent."""
        return self._said(said, *await asyncio.open_connection("127.0.0.1", self._port))

    async def by_socket(self, said: bytes = b"") -> Connection:
        return self._said(said, *await asyncio.open_unix_connection(str(self._path)))

    def _said(self, said: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
        self._came.append(writer)
        writer.write(said)
        return reader, writer

    async def close(self) -> None:
        for each in self._came:
            each.close()
            with suppress(ConnectionError):
                await each.wait_closed()


@asynccontextmanager
async def served(path: Path, protocol: type[BoundedProtocol] = BoundedProtocol) -> AsyncIterator[Doors]:
    ready, is_over = asyncio.Event(), asyncio.Event()
    port = bind_loopback(0)

    async def drain() -> None:
        """Nothing runs here."""

    task = asyncio.create_task(
        serve(
            app,
            [bind_socket(path / "s"), port],
            SystemClock(),
            ready=ready.set,
            drain=drain,
            is_busy=lambda: not is_over.is_set(),
            idle_seconds=0.05,
            protocol=protocol,
        )
    )
    await ready.wait()
    doors = Doors(path / "s", port.getsockname()[1])
    try:
        yield doors
    finally:
        await doors.close()
        is_over.set()
        await task


async def everything(connection: Connection) -> bytes:
    """Return what comes until the server hangs up."""
    reader, _ = connection
    said = bytearray()
    with suppress(ConnectionResetError):
        while part := await reader.read(4096):
            said += part
    return bytes(said)
