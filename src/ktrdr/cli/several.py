"""Several operations followed at once, without showing them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.follow import TROUBLE, Follower, read_operation
from ktrdr.clock import SystemClock

WAIT_INTERVAL = 0.3
LAST_LOOK = 1.0


async def wait_for_ends(
    client: KtrdrApiClient, ids: Sequence[str], *, any_of_them: bool, timeout: float | None
) -> list[dict[str, Any]]:
    """Follow operations until all, or any, have ended or the time is over; return each as it then is."""
    last: dict[str, dict[str, Any]] = {}
    following = [asyncio.ensure_future(_end_of(client, each, last)) for each in ids]
    when = asyncio.FIRST_COMPLETED if any_of_them else asyncio.ALL_COMPLETED
    try:
        await asyncio.wait(following, timeout=timeout, return_when=when)
        for each in following:
            if each.done():
                each.result()
        return [last.get(each) or await _last_look(client, each) for each in ids]
    finally:
        for each in following:
            each.cancel()
        await asyncio.wait(following)


async def _last_look(client: KtrdrApiClient, operation_id: str) -> dict[str, Any]:
    with suppress(TimeoutError, *TROUBLE):
        async with asyncio.timeout(LAST_LOOK):
            return await read_operation(client, operation_id)
    return {"operation_id": operation_id, "status": "unknown"}


async def _end_of(client: KtrdrApiClient, operation_id: str, last: dict[str, dict[str, Any]]) -> None:
    follower = Follower(
        client, operation_id, interval=WAIT_INTERVAL, clock=SystemClock(), on_contact=lambda _: None
    )
    async for operation in follower.updates(asyncio.Event()):
        last[operation_id] = operation
