"""A bad network: a proxy in front of a real server's socket, whose faults are set while it runs."""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHUNK = 1 << 16
START_GUARD = 10.0
CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Faults:
    """What goes wrong; connections that are open feel a change at their next byte.

    `drop_answer_to` and `deliver_twice` are patterns of request lines (`POST .*/start`), each used up once.
    """

    latency: float = 0.0
    slice_bytes: int = CHUNK
    bytes_per_second: float = float("inf")
    cut_after: int | None = None
    cut_once_after: int | None = None
    is_black: bool = False
    drop_answer_to: str | None = None
    deliver_twice: str | None = None


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    up_reader: asyncio.StreamReader
    up_writer: asyncio.StreamWriter
    sent: int = 0
    drops_answer: bool = False


@dataclass
class FaultProxy:
    """Forwards TCP to a Unix socket through the faults; `requests` are the request lines that arrived."""

    socket: Path
    faults: Faults = field(default_factory=Faults)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._runs = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._runs.wait(START_GUARD)
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Accept connections, on the same port as before."""
        self._do(self._listen())

    def down(self) -> None:
        """Refuse connections, and break those that are open."""
        self._do(self._refuse())

    def close(self) -> None:
        """End the proxy."""
        self.down()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._runs.set()
        await self._over.wait()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_GUARD)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        up_reader, up_writer = await asyncio.open_unix_connection(self.socket)
        connection = _Connection(reader, writer, up_reader, up_writer)
        both = [asyncio.ensure_future(work(connection)) for work in (self._ask, self._answer)]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            for each in (writer, up_writer):
                each.transport.abort()
            self._open.discard(writer)

    async def _ask(self, connection: _Connection) -> None:
        """Carry requests to the server, one after the other."""
        while True:
            request = await _read_request(connection.reader)
            line = request.split(b"\r\n", 1)[0].decode()
            self.requests.append(line)
            await self._while_black()
            connection.drops_answer = self._uses_up("drop_answer_to", line)
            if self._uses_up("deliver_twice", line):
                await self._deliver(request)
            connection.up_writer.write(request)

    async def _answer(self, connection: _Connection) -> None:
        """Carry answers to the client, in pieces, late, or not at all."""
        while data := await connection.up_reader.read(CHUNK):
            await self._while_black()
            if connection.drops_answer:
                return
            for start in range(0, len(data), self.faults.slice_bytes):
                if not await self._send(connection, data[start : start + self.faults.slice_bytes]):
                    return

    async def _send(self, connection: _Connection, piece: bytes) -> bool:
        """Send one piece; tell whether the connection may go on."""
        await asyncio.sleep(self.faults.latency + len(piece) / self.faults.bytes_per_second)
        limit = self.faults.cut_after if self.faults.cut_once_after is None else self.faults.cut_once_after
        if limit is not None:
            piece = piece[: max(limit - connection.sent, 0)]
        connection.sent += len(piece)
        if limit is not None and connection.sent >= limit:
            self.faults.cut_once_after = None  # an answer may come in several pieces
        connection.writer.write(piece)
        await connection.writer.drain()
        return limit is None or connection.sent < limit

    async def _deliver(self, request: bytes) -> None:
        """Send a request on a connection of its own, and wait until it is answered."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def _while_black(self) -> None:
        while self.faults.is_black:
            await asyncio.sleep(0.01)

    def _uses_up(self, name: str, line: str) -> bool:
        pattern = getattr(self.faults, name)
        is_met = pattern is not None and re.match(pattern, line) is not None
        if is_met:
            setattr(self.faults, name, None)
        return is_met


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = CONTENT_LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@contextmanager
def fault_proxy(socket: Path) -> Iterator[FaultProxy]:
    """Run a proxy in front of a socket."""
    proxy = FaultProxy(socket)
    try:
        yield proxy
    finally:
        proxy.close()
