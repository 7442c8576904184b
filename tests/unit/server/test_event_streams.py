"""One encoding for all followers, nothing kept for the slow ones, and an end for every stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message

from ktrdr.clock import SystemClock
from ktrdr.operations.events import Claimed, Started, Succeeded
from ktrdr.operations.operation import Operation, WorkerIdentity, to_public_dict
from ktrdr.operations.service import OperationsService
from ktrdr.server.event_streams import CLOSING, HEARTBEAT, EventStreamResponse, EventStreams, Feed
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, CountRequest

pytestmark = pytest.mark.anyio
KEY = "op_count_a"
WORKER = WorkerIdentity("here", 1, 1.0)


class House:
    """A service with one operation, and streams that count what they encode."""

    def __init__(self, **options: float) -> None:
        self.store = MemoryOperationStore()
        self.service = OperationsService(self.store, KINDS, SystemClock())
        self.encoded = 0
        self.streams = EventStreams(self.service, self._shape, **options)

    async def _shape(self, operation: Operation) -> dict[str, Any]:
        self.encoded += 1
        return to_public_dict(operation, self.service.clock.now())

    async def started(self) -> "House":
        await self.service.start("count", CountRequest(), KEY)
        return self

    async def complete(self) -> None:
        claimed = await self.service.apply(KEY, Claimed())
        await self.service.apply(KEY, Started(claimed.fence, WORKER))
        await self.service.apply(KEY, Succeeded(claimed.fence, {"counted": 3}))


class Reader:
    """Who reads a stream: one frame at a time, as slowly as it likes."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.may_read = asyncio.Event()
        self.may_read.set()

    async def write(self, frame: bytes) -> None:
        self.frames.put_nowait(frame)
        await self.may_read.wait()

    def rest(self) -> list[bytes]:
        return [self.frames.get_nowait() for _ in range(self.frames.qsize())]


@asynccontextmanager
async def reading(streams: EventStreams) -> AsyncIterator[tuple[Reader, asyncio.Task[None]]]:
    reader = Reader()
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        yield reader, group.create_task(streams.follow(KEY, reader.write))


async def all_frames(streams: EventStreams, key: str = KEY) -> list[bytes]:
    reader = Reader()
    async with asyncio.timeout(5.0):
        await streams.follow(key, reader.write)
    return reader.rest()


def operation_in(frame: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
    shape: dict[str, Any] = json.loads(lines["data"])
    assert lines["event"] == "operation"
    assert lines["id"] == shape["cursor"]
    return shape


async def test_a_stream_begins_with_the_operation_as_it_is_and_ends_with_its_end() -> None:
    house = await House().started()
    async with reading(house.streams) as (reader, stream):
        first = await reader.frames.get()
        assert house.streams.followers == 1
        await house.complete()
        await stream
    assert operation_in(first)["status"] == "pending"
    assert operation_in(reader.rest()[-1])["status"] == "completed"
    assert house.streams.followers == 0


async def test_an_event_is_encoded_once_for_all_followers() -> None:
    house = await House().started()
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        followers = [group.create_task(all_frames(house.streams)) for _ in range(100)]
        while house.encoded < 1:
            await asyncio.sleep(0)
        await house.complete()
    assert len({id(each.result()[-1]) for each in followers}) == 1
    assert house.encoded <= 4


async def test_a_finished_operation_is_one_event() -> None:
    house = await House().started()
    await house.complete()
    (frame,) = await all_frames(house.streams)
    assert operation_in(frame)["result_summary"] == {"counted": 3}


async def test_fault_31_a_slow_follower_misses_what_is_out_of_date_and_nothing_queues_for_it() -> None:
    feed, slow = Feed(), Reader()
    slow.may_read.clear()
    feed.publish(b"first", last=False)
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        group.create_task(feed.stream(slow.write))
        assert await slow.frames.get() == b"first"
        for number in range(100_000):
            feed.publish(b"%d" % number, last=False)
        feed.publish(b"end", last=True)
        slow.may_read.set()
    assert slow.rest() == [b"end"]


async def never(_: Message | None = None) -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_fault_31_a_follower_that_does_not_read_is_let_go() -> None:
    house = await House(heartbeat=0.01, send_timeout=0.01).started()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await never()

    async with asyncio.timeout(5.0):
        await EventStreamResponse(house.streams, KEY)({"type": "http"}, never, send)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert house.streams.followers == 0


@pytest.mark.parametrize("heartbeat", [0.01, 60.0])
async def test_a_follower_that_has_gone_is_forgotten_also_in_silence(heartbeat: float) -> None:
    house = await House(heartbeat=heartbeat).started()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    received: asyncio.Queue[Message] = asyncio.Queue()
    received.put_nowait({"type": "http.request"})
    response = EventStreamResponse(house.streams, KEY)
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        answering = group.create_task(response({"type": "http"}, received.get, sent.put))
        assert (await sent.get())["status"] == 200
        await sent.get()
        assert house.streams.followers == 1
        received.put_nowait({"type": "http.disconnect"})
        await answering
    assert house.streams.followers == 0


async def test_an_answer_is_a_stream_that_is_not_kept_and_has_an_end() -> None:
    house = await House().started()
    await house.complete()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(5.0):
        await EventStreamResponse(house.streams, KEY)({"type": "http"}, never, send)
    start, *frames = sent
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert b"content-length" not in headers
    assert [each["more_body"] for each in frames] == [True, False]


async def test_silence_is_broken_by_a_comment() -> None:
    house = await House(heartbeat=0.01).started()
    async with reading(house.streams) as (reader, _):
        await reader.frames.get()
        assert await reader.frames.get() == HEARTBEAT
        house.streams.close()


async def test_a_server_that_stops_says_that_this_is_not_the_end() -> None:
    house = await House().started()
    async with reading(house.streams) as (reader, stream):
        await reader.frames.get()
        house.streams.close()
        await stream
        assert reader.rest() == [CLOSING]


async def test_a_server_that_has_stopped_begins_no_stream_and_lets_everybody_go() -> None:
    house = await House().started()
    async with asyncio.timeout(5.0):
        operation = await house.service.get(KEY)
        waiting = asyncio.create_task(house.service.wait(KEY, operation.cursor, 60.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        house.streams.close()
        house.service.release()
        assert (await waiting).cursor == operation.cursor
        assert await all_frames(house.streams) == [CLOSING]
        assert (await house.service.wait(KEY, operation.cursor, 60.0)).cursor == operation.cursor


async def test_what_cannot_be_read_ends_the_stream_and_not_the_server() -> None:
    assert await all_frames(House().streams, "op_count_gone") == [CLOSING]
