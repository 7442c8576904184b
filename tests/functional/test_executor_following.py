"""What a follower accepts from a server, and what it does not."""

import asyncio
from typing import Any

import pytest

from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient
from ktrdr.cli.follow import Follower, unless, wait_for
from support.scripted_api import ScriptedServer, SteppingClock, shown


def followed(*reads: Any) -> list[tuple[str, Any]]:
    """Return status and cursor of every update."""

    async def follow() -> list[tuple[str, Any]]:
        client = KtrdrApiClient(LOCAL_URL, transport=ScriptedServer(read=list(reads)).transport)
        follower = Follower(client, "op_a", interval=0.001, clock=SteppingClock(), on_contact=lambda _: None)
        seen = [(each["status"], each.get("cursor")) async for each in follower.updates(asyncio.Event())]
        await client.close()
        return seen

    return asyncio.run(follow())


def test_what_is_not_newer_is_dropped() -> None:
    reads = (shown("running", 3), shown("running", 3), shown("pending", 2), shown("completed", 4))
    assert followed(*reads) == [("running", "3.1.0"), ("completed", "4.1.0")]


def test_cursors_are_compared_as_numbers() -> None:
    reads = (shown("running", 9), shown("running", 10), shown("completed", 11))
    assert [cursor for _, cursor in followed(*reads)] == ["9.1.0", "10.1.0", "11.1.0"]


def test_a_server_without_cursors_is_polled() -> None:
    reads = (shown("running", cursor=None), shown("running", cursor=None), shown("completed", cursor=None))
    assert [status for status, _ in followed(*reads)] == ["running", "running", "completed"]


def test_a_cursor_of_another_form_does_not_stop_the_following() -> None:
    reads = (shown("running", 1), shown("running", cursor="new form"), shown("completed", 2))
    assert followed(*reads)[-1][0] == "completed"


def test_fault_68_a_status_of_a_newer_server_is_not_an_end() -> None:
    reads = (shown("paused", 1), shown("completed", 2))
    assert [status for status, _ in followed(*reads)] == ["paused", "completed"]


def test_an_event_that_is_set_ends_the_following_before_it_asks() -> None:
    async def scenario() -> list[str]:
        server = ScriptedServer()
        client = KtrdrApiClient(LOCAL_URL, transport=server.transport)
        stop = asyncio.Event()
        stop.set()
        follower = Follower(client, "op_a", interval=9.0, clock=SteppingClock(), on_contact=lambda _: None)
        assert [each async for each in follower.updates(stop)] == []
        await client.close()
        return server.calls

    assert asyncio.run(scenario()) == []


def test_work_that_is_done_wins_over_the_event() -> None:
    async def scenario() -> int | None:
        event = asyncio.Event()
        event.set()

        async def work() -> int:
            return 7

        return await unless(event, work())

    assert asyncio.run(scenario()) == 7


def test_work_is_cancelled_when_the_event_comes_first() -> None:
    async def scenario() -> tuple[int | None, bool]:
        event, cancelled = asyncio.Event(), asyncio.Event()

        async def work() -> int:
            event.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return 7

        return await unless(event, work()), cancelled.is_set()

    assert asyncio.run(scenario()) == (None, True)


@pytest.mark.parametrize("is_set", [True, False])
def test_waiting_tells_whether_the_event_came(is_set: bool) -> None:
    async def scenario() -> bool:
        event = asyncio.Event()
        if is_set:
            event.set()
        return await wait_for(event, 0.001)

    assert asyncio.run(scenario()) is is_set
