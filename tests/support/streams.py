"""A server that streams bytes as a test wrote them down, and shows the operation beside them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx2

from ktrdr.operations.operation import parse_cursor
from support.scripted_api import operation

Pieces = Sequence[bytes | Exception | None]

EVENTS = (
    operation("pending", 1, cursor="1.0.0"),
    operation("running", 3, cursor="3.1.0"),
    operation("running", 3, cursor="3.1.1", progress={"percentage": 10.0, "message": "größer → 大"}),
    operation("running", 4, cursor="4.1.2"),
    operation("completed", 5, cursor="5.1.2"),
)
HISTORY = [each["cursor"] for each in EVENTS]


def recorded(after: str | None = None) -> bytes:
    """Return the stream of EVENTS that are newer than a cursor."""
    newest = parse_cursor(after) if after else ()
    frames = (
        f"id: {each['cursor']}\nevent: operation\ndata: {json.dumps(each, ensure_ascii=False)}\n\n"
        for each in EVENTS
        if parse_cursor(each["cursor"]) > newest
    )
    return "".join(frames).encode()


class PieceStream(httpx2.AsyncByteStream):
    """Sends its pieces; an exception breaks the connection, None never goes on."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if piece is None:
                await asyncio.Event().wait()
            if isinstance(piece, Exception):
                raise piece
            assert piece is not None
            yield piece
            await asyncio.sleep(0)


@dataclass
class StreamingServer(httpx2.AsyncBaseTransport):
    """Streams `streams` in turn and the whole rest after them; reads show what the follower knows.

    A stream is made from the `Last-Event-ID` of its request.
    """

    streams: Sequence[Callable[[str | None], Pieces]] = ()
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    read: Callable[[str | None], dict[str, object]] | None = None
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._streams: Iterator[Callable[[str | None], Pieces]] = iter(self.streams)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/events"):
            self.calls.append("stream")
            after = request.headers.get("last-event-id")
            pieces = next(self._streams, lambda after: [recorded(after)])(after)
            headers = {"Content-Type": self.content_type}
            return httpx2.Response(self.status, headers=headers, stream=PieceStream(pieces))
        self.calls.append("read")
        after = request.url.params.get("after")
        return httpx2.Response(200, json={"data": (self.read or self._as_far_as)(after)})

    @staticmethod
    def _as_far_as(after: str | None) -> dict[str, object]:
        """Show no more than the follower knows, until it knows all that was before the end."""
        if after == HISTORY[-2]:
            return EVENTS[-1]
        return next(each for each in EVENTS if after in {None, each["cursor"]})
