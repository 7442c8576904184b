"""Several operations followed at once, without showing them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.follow import TROUBLE, Follower, read_operation
from ktrdr.clock import SystemClock

WAIT_INTERVAL = 0.3
FIRST_LOOK = 0.3
LAST_LOOK = 1.0


async def wait_for_ends(
    client: KtrdrApiClient,
    given: Sequence[str],
    *,
    whole_id: Callable[[KtrdrApiClient, str], Awaitable[str]],
    any_of_them: bool,
    timeout: float | None,
    patience: float | None,
) -> list[dict[str, Any]]:
    """Follow operations until all, or any, have ended or the time is over; return each as it then is.

    Nothing is returned if not even their ids were known in time. Without contact for `patience` seconds
    ContactLost is raised.
    """
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            ids = [await whole_id(client, each) for each in given]
    except TimeoutError:
        return []
    left = None if timeout is None else max(timeout - (time.monotonic() - began), FIRST_LOOK)
    last: dict[str, dict[str, Any]] = {}
    following = [asyncio.ensure_future(_end_of(client, each, last, patience)) for each in ids]
    if following:
        await _wait(following, any_of_them, left)
    return [last.get(each) or await _last_look(client, each) for each in ids]


async def _wait(following: Sequence[asyncio.Future[None]], any_of_them: bool, seconds: float | None) -> None:
    when = asyncio.FIRST_COMPLETED if any_of_them else asyncio.ALL_COMPLETED
    try:
        await asyncio.wait(following, timeout=seconds, return_when=when)
        for each in following:
            if each.done():
                each.result()
    finally:
        for each in following:
            each.cancel()
        await asyncio.wait(following)


async def _last_look(client: KtrdrApiClient, operation_id: str) -> dict[str, Any]:
    with suppress(TimeoutError, *TROUBLE):
        async with asyncio.timeout(LAST_LOOK):
            return await read_operation(client, operation_id)
    return {"operation_id": operation_id, "status": "unknown"}


async def _end_of(
    client: KtrdrApiClient, operation_id: str, last: dict[str, dict[str, Any]], patience: float | None
) -> None:
    follower = Follower(
        client,
        operation_id,
        interval=WAIT_INTERVAL,
        clock=SystemClock(),
        on_contact=lambda _: None,
        patience=patience,
    )
    async for operation in follower.updates(asyncio.Event()):
        last[operation_id] = operation
