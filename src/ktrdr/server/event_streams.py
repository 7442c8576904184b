"""Event streams: each event of an operation is encoded once, however many follow it.

An event is the whole operation, so a slow follower misses only what is out of date: nothing queues for it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from ktrdr.errors import KtrdrError
from ktrdr.operations.operation import Operation, format_cursor
from ktrdr.operations.service import OperationsService

HEARTBEAT_SECONDS = 15.0
SEND_TIMEOUT = 10.0
LONGEST_LOOK = 60.0
HEARTBEAT = b": still here\n\n"
CLOSING = b"event: closing\ndata: {}\n\n"

Shape = Callable[[Operation], Awaitable[dict[str, Any]]]


class Feed:
    """The newest event of one operation, and the news that there is a newer one."""

    def __init__(self) -> None:
        self.followers = 0
        self._frame: bytes | None = None
        self._over = False
        self._news = asyncio.Event()

    def publish(self, frame: bytes, *, last: bool) -> None:
        """Replace the event that every follower is sent next; after the last one streams end."""
        self._frame, self._over = frame, last
        self._wake()

    def close(self) -> None:
        """End every stream with an event that says that this is not the operation's end."""
        if not self._over:
            self.publish(CLOSING, last=True)

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Yield the newest event whenever there is one, and a comment when there is none for long."""
        seen: bytes | None = None
        while not (self._over and self._frame is seen):
            if self._frame is not seen and self._frame is not None:
                seen = self._frame
                yield seen
            elif not await self._is_news(HEARTBEAT_SECONDS):
                yield HEARTBEAT

    async def _is_news(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class EventStreams:
    """Gives any number of followers the events of operations; reads and encodes each event once."""

    def __init__(self, service: OperationsService, shape: Shape) -> None:
        self._service = service
        self._shape = shape
        self._feeds: dict[str, Feed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def followers(self) -> int:
        """Return how many streams are open."""
        return sum(feed.followers for feed in self._feeds.values())

    async def follow(self, operation_id: str) -> AsyncGenerator[bytes, None]:
        """Yield the operation as it is, then as it becomes, until it has ended or the server stops."""
        feed = self._feeds.get(operation_id) or self._open(operation_id)
        feed.followers += 1
        try:
            async for frame in feed.frames():
                yield frame
        finally:
            feed.followers -= 1
            if not feed.followers:
                del self._feeds[operation_id]
                if task := self._tasks.pop(operation_id, None):
                    task.cancel()

    def close(self) -> None:
        """End every stream, and those to come; whoever follows comes back to the next server."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()

    def _open(self, operation_id: str) -> Feed:
        feed = self._feeds[operation_id] = Feed()
        if self._closed:
            feed.close()
            return feed
        task = self._tasks[operation_id] = asyncio.create_task(self._carry(operation_id, feed))
        task.add_done_callback(lambda _: feed.close())
        return feed

    async def _carry(self, operation_id: str, feed: Feed) -> None:
        with suppress(KtrdrError):
            operation = await self._service.get(operation_id)
            feed.publish(await self._encode(operation), last=operation.is_terminal)
            while not operation.is_terminal:
                newer = await self._service.wait(operation_id, operation.cursor, LONGEST_LOOK)
                if newer.cursor > operation.cursor or newer.is_terminal:
                    feed.publish(await self._encode(newer), last=newer.is_terminal)
                operation = newer

    async def _encode(self, operation: Operation) -> bytes:
        data = json.dumps(await self._shape(operation), allow_nan=False, separators=(",", ":"))
        return f"id: {format_cursor(operation.cursor)}\nevent: operation\ndata: {data}\n\n".encode()


class EventStreamResponse(StreamingResponse):
    """Sends a stream; a follower that does not read for `SEND_TIMEOUT` seconds is let go."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the stream ends or nobody reads it."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_TIMEOUT):
                await send(message)

        with suppress(TimeoutError):
            await super().__call__(scope, receive, send_in_time)
