"""One encoding for all followers, nothing kept for the slow ones, and an end for every stream."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from starlette.types import Message

from ktrdr.clock import SystemClock
from ktrdr.operations.events import Claimed, Started, Succeeded
from ktrdr.operations.operation import Operation, WorkerIdentity, to_public_dict
from ktrdr.operations.service import OperationsService
from ktrdr.server import event_streams
from ktrdr.server.event_streams import CLOSING, HEARTBEAT, EventStreamResponse, EventStreams, Feed
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, CountRequest

pytestmark = pytest.mark.anyio
KEY = "op_count_a"
WORKER = WorkerIdentity("here", 1, 1.0)


class House:
    """A service with one operation, and streams that count what they encode."""

    def __init__(self) -> None:
        self.store = MemoryOperationStore()
        self.service = OperationsService(self.store, KINDS, SystemClock())
        self.encoded = 0
        self.streams = EventStreams(self.service, self._shape)

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


def operation_in(frame: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
    shape: dict[str, Any] = json.loads(lines["data"])
    assert lines["event"] == "operation"
    assert lines["id"] == shape["cursor"]
    return shape


async def test_a_stream_begins_with_the_operation_as_it_is_and_ends_with_its_end() -> None:
    house = await House().started()
    async with asyncio.timeout(5.0), aclosing(house.streams.follow(KEY)) as stream:
        seen = [operation_in(await anext(stream))["status"]]
        await house.complete()
        seen += [operation_in(frame)["status"] async for frame in stream]
    assert seen[0] == "pending"
    assert seen[-1] == "completed"
    assert house.streams.followers == 0


async def test_an_event_is_encoded_once_for_all_followers() -> None:
    house = await House().started()

    async def frames() -> list[bytes]:
        return [frame async for frame in house.streams.follow(KEY)]

    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        followers = [group.create_task(frames()) for _ in range(100)]
        while house.encoded < 1:
            await asyncio.sleep(0)
        await house.complete()
    assert len({id(each.result()[-1]) for each in followers}) == 1
    assert house.encoded <= 4


async def test_a_finished_operation_is_one_event() -> None:
    house = await House().started()
    await house.complete()
    async with asyncio.timeout(5.0):
        (frame,) = [frame async for frame in house.streams.follow(KEY)]
    assert operation_in(frame)["result_summary"] == {"counted": 3}


async def test_fault_31_a_slow_follower_misses_what_is_out_of_date_and_nothing_queues_for_it() -> None:
    feed = Feed()
    feed.publish(b"first", last=False)
    async with aclosing(feed.frames()) as slow:
        assert await anext(slow) == b"first"
        for number in range(100_000):
            feed.publish(b"%d" % number, last=False)
        feed.publish(b"end", last=True)
        assert [frame async for frame in slow] == [b"end"]


async def test_fault_31_a_follower_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "SEND_TIMEOUT", 0.01)

    async def frames() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"x"

    async def never(_: Message | None = None) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        await never(message)

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    async with asyncio.timeout(5.0):
        await EventStreamResponse(frames())(scope, never, send)


async def test_silence_is_broken_by_a_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.01)
    house = await House().started()
    async with asyncio.timeout(5.0), aclosing(house.streams.follow(KEY)) as stream:
        await anext(stream)
        assert await anext(stream) == HEARTBEAT


async def test_a_server_that_stops_says_that_this_is_not_the_end() -> None:
    house = await House().started()
    async with asyncio.timeout(5.0), aclosing(house.streams.follow(KEY)) as stream:
        await anext(stream)
        house.streams.close()
        assert [frame async for frame in stream] == [CLOSING]


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
        assert [frame async for frame in house.streams.follow(KEY)] == [CLOSING]
        assert (await house.service.wait(KEY, operation.cursor, 60.0)).cursor == operation.cursor


async def test_what_cannot_be_read_ends_the_stream_and_not_the_server() -> None:
    async with asyncio.timeout(5.0):
        assert [frame async for frame in House().streams.follow("op_count_gone")] == [CLOSING]
