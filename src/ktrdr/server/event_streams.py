"""Event streams: each event of an operation is encoded once, however many follow it.

An event is the whole operation, so a slow follower misses only what is out of date: nothing queues for it. A
follower costs one wake-up and one `send` an event; its silences and its patience have no timers of their own.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from ktrdr.errors import KtrdrError
from ktrdr.operations.operation import Operation, format_cursor
from ktrdr.operations.service import OperationsService

HEARTBEAT_SECONDS = 15.0
SEND_TIMEOUT = 10.0
HEARTBEAT = b": still here\n\n"
CLOSING = b"event: closing\ndata: {}\n\n"

Shape = Callable[[Operation], Awaitable[dict[str, Any]]]
Write = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class _Follower:
    patience: asyncio.Timeout
    news: asyncio.Future[None] | None = None
    sending_since: float | None = None
    is_gone: bool = False

    def wake(self) -> None:
        if self.news is not None and not self.news.done():
            self.news.set_result(None)


class Feed:
    """The newest event of one operation, and everybody who is to be sent it."""

    def __init__(self, send_timeout: float = SEND_TIMEOUT) -> None:
        self._send_timeout = send_timeout
        self._followers: dict[int, _Follower] = {}
        self._frame: bytes | None = None
        self._over = False

    @property
    def followers(self) -> int:
        """Return how many follow."""
        return len(self._followers)

    def publish(self, frame: bytes, *, last: bool) -> None:
        """Replace the event that every follower is sent next; after the last one streams end."""
        self._frame, self._over = frame, last
        self.beat()

    def beat(self) -> None:
        """Wake every follower, which is a comment to who has seen the newest; let go who does not read."""
        now = asyncio.get_running_loop().time()
        for each in self._followers.values():
            if each.sending_since is not None and now - each.sending_since > self._send_timeout:
                each.patience.reschedule(now)
            each.wake()

    def close(self) -> None:
        """End every stream with an event that says that this is not the operation's end."""
        if not self._over:
            self.publish(CLOSING, last=True)

    async def stream(self, write: Write, gone: asyncio.Future[None] | None = None) -> None:
        """Write the newest event whenever there is one; return at the end, or when who follows has gone.

        Raises TimeoutError if a write was not done in time.
        """
        async with asyncio.timeout(None) as patience:
            follower = _Follower(patience)
            self._followers[id(follower)] = follower
            if gone is not None:
                gone.add_done_callback(lambda _: _leave(follower))
            try:
                await self._write_all(follower, write)
            finally:
                del self._followers[id(follower)]

    async def _write_all(self, follower: _Follower, write: Write) -> None:
        loop = asyncio.get_running_loop()
        seen: bytes | None = None
        while not follower.is_gone and not (self._over and self._frame is seen):
            if self._frame is seen or self._frame is None:
                follower.news = loop.create_future()
                await follower.news
            follower.sending_since = loop.time()
            if self._frame is not seen and self._frame is not None:
                seen = self._frame
                await write(seen)
            elif not follower.is_gone:
                await write(HEARTBEAT)
            follower.sending_since = None


def _leave(follower: _Follower) -> None:
    follower.is_gone = True
    follower.wake()


class EventStreams:
    """Gives any number of followers the events of operations; reads and encodes each event once."""

    def __init__(
        self,
        service: OperationsService,
        shape: Shape,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        send_timeout: float = SEND_TIMEOUT,
    ) -> None:
        self._service = service
        self._shape = shape
        self._heartbeat = heartbeat
        self._send_timeout = send_timeout
        self._feeds: dict[str, Feed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def followers(self) -> int:
        """Return how many streams are open."""
        return sum(feed.followers for feed in self._feeds.values())

    async def follow(self, operation_id: str, write: Write, gone: asyncio.Future[None] | None = None) -> None:
        """Write the operation as it is, then as it becomes, until it has ended or the server stops.

        Raises TimeoutError if a write was not done in time.
        """
        feed = self._feeds.get(operation_id) or self._open(operation_id)
        try:
            await feed.stream(write, gone)
        finally:
            if not feed.followers and self._feeds.get(operation_id) is feed:
                del self._feeds[operation_id]
                if task := self._tasks.pop(operation_id, None):
                    task.cancel()

    def close(self) -> None:
        """End every stream, and those to come; whoever follows comes back to the next server."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()

    def _open(self, operation_id: str) -> Feed:
        feed = self._feeds[operation_id] = Feed(self._send_timeout)
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
                newer = await self._service.wait(operation_id, operation.cursor, self._heartbeat)
                if newer.cursor > operation.cursor or newer.is_terminal:
                    feed.publish(await self._encode(newer), last=newer.is_terminal)
                else:
                    feed.beat()
                operation = newer

    async def _encode(self, operation: Operation) -> bytes:
        data = json.dumps(await self._shape(operation), allow_nan=False, separators=(",", ":"))
        return f"id: {format_cursor(operation.cursor)}\nevent: operation\ndata: {data}\n\n".encode()


class EventStreamResponse(Response):
    """Sends a stream; a follower that does not read for long is let go."""

    media_type = "text/event-stream"

    def __init__(self, streams: EventStreams, operation_id: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams
        self._operation_id = operation_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        """Answer until the stream ends or nobody reads it."""

        async def write(frame: bytes) -> None:
            await send({"type": "http.response.body", "body": frame, "more_body": True})

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            with suppress(TimeoutError):
                await self._streams.follow(self._operation_id, write, gone)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
