"""How an operation is followed: the only reader of its status.

One seam: the executor iterates over `Follower.updates` and does not know whether they are polled or streamed.
A stream only brings news sooner; every ending, and every loss of contact, is what a status read says it is.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.event_stream import NoEventStream
from ktrdr.cli.operation_facts import has_ended
from ktrdr.cli.printed_commands import operations_command
from ktrdr.cli.retries import ONCE
from ktrdr.clock import Clock
from ktrdr.errors import ContactLost, ServerFailed, ServerUnreachable, Unavailable
from ktrdr.operations.operation import parse_cursor

LONG_POLL_SECONDS = 5.0
NEWS_PAUSE = 0.03
LONGEST_PAUSE = 5.0
STREAM_LOOK = 5.0
STREAM_AGAIN = 60.0
SLEPT_SECONDS = 10.0
TROUBLE = (ServerFailed, ServerUnreachable, Unavailable)

T = TypeVar("T")


async def read_operation(client: KtrdrApiClient, operation_id: str) -> dict[str, Any]:
    """Return an operation as it is now."""
    return await client.get_operation(operation_id)


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set or the seconds are over; tell whether it is set."""
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
    finally:
        waiter.cancel()
    return event.is_set()


async def unless(event: asyncio.Event, work: Awaitable[T]) -> T | None:
    """Return what `work` returns, or None as soon as the event is set; the work is then cancelled."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for each in (task, stop):
            each.cancel()
        await asyncio.wait({task, stop})


class Follower:
    """Follows one operation to its end, through lost connections, and never backwards.

    `on_contact(failures)` hears of each failed request, and 0 when contact is back. Without contact for
    `patience` seconds ContactLost is raised; None waits for ever.
    """

    def __init__(
        self,
        client: KtrdrApiClient,
        operation_id: str,
        *,
        interval: float,
        clock: Clock,
        on_contact: Callable[[int], None],
        patience: float | None = None,
    ) -> None:
        self._client = client
        self._operation_id = operation_id
        self._interval = interval
        self._clock = clock
        self._on_contact = on_contact
        self._patience = patience
        self._stream_at = clock.monotonic()
        self._drift = clock.now().timestamp() - clock.monotonic()
        self._cursor: str | None = None
        self._failures = 0
        self._last_contact = clock.monotonic()
        self.last: dict[str, Any] | None = None

    async def updates(self, until: asyncio.Event) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the operation whenever there is news, until it has ended or `until` is set.

        Raises NotFound and AccessDenied, which no waiting mends, and ContactLost.
        """
        while not until.is_set():
            async with aclosing(self._streamed(until)) as stream:
                async for streamed in stream:
                    if has_ended(streamed):
                        break
                    if self._accept(streamed):
                        yield streamed
            if until.is_set():
                return
            asked_at = self._clock.monotonic()
            operation = await unless(until, self._ask())
            news = operation is not None and self._accept(operation)
            if operation is not None and news:
                yield operation
                if has_ended(operation):
                    return
            await wait_for(until, self._pause(news, self._clock.monotonic() - asked_at))

    async def _streamed(self, until: asyncio.Event) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what the server streams, until the stream ends, or at once if none is to be had."""
        if not self._may_stream() or until.is_set():
            return
        async with aclosing(self._client.events(self._operation_id, self._cursor)) as events:
            try:
                operation = await self._next(events, until, is_first=True)
                while operation is not None:
                    yield operation
                    operation = await self._next(events, until, is_first=False)
            except NoEventStream:
                self._stream_at = self._clock.monotonic() + STREAM_AGAIN

    def _may_stream(self) -> bool:
        return not self._failures and self._clock.monotonic() >= self._stream_at

    async def _next(
        self, events: AsyncGenerator[dict[str, Any], None], until: asyncio.Event, *, is_first: bool
    ) -> dict[str, Any] | None:
        """Return the next event; None if the stream or the waiting ended, or the machine had slept."""
        event = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                await unless(until, asyncio.wait({event}, timeout=STREAM_LOOK))
                if event.done():
                    return event.result()
                if until.is_set() or self._has_slept():
                    return None
                if is_first:
                    raise NoEventStream(f"nothing came in {STREAM_LOOK:.0f} s")
        finally:
            event.cancel()
            await asyncio.wait({event})

    def _has_slept(self) -> bool:
        """Tell whether the wall clock went on while this machine did not: its connections are then dead."""
        before, self._drift = self._drift, self._clock.now().timestamp() - self._clock.monotonic()
        return self._drift - before > SLEPT_SECONDS

    async def _ask(self) -> dict[str, Any] | None:
        wait = 0.0 if self._may_stream() else LONG_POLL_SECONDS
        try:
            operation = await self._client.get_operation(
                self._operation_id, after=self._cursor, wait=wait, retry=ONCE
            )
        except TROUBLE as error:
            self._note_failure(error)
            return None
        if self._failures:
            self._on_contact(0)
        self._failures = 0
        self._last_contact = self._clock.monotonic()
        return operation

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        silence = self._clock.monotonic() - self._last_contact
        if self._patience is not None and silence >= self._patience:
            raise ContactLost(
                f"no contact with the server for {silence:.0f} s; `{self._operation_id}` may still run",
                hint=f"go on with: {operations_command('follow', self._operation_id, self._client.base_url)}",
            ) from error
        self._on_contact(self._failures)

    def _accept(self, operation: dict[str, Any]) -> bool:
        cursor = operation.get("cursor")
        if isinstance(cursor, str):
            if self._cursor and _position(cursor) <= _position(self._cursor) and not has_ended(operation):
                return False
            self._cursor = cursor
        self.last = operation
        return True

    def _pause(self, news: bool, elapsed: float) -> float:
        if self._failures:
            return min(self._interval * 2.0 ** (self._failures - 1), LONGEST_PAUSE)
        if self._cursor is None:
            return self._interval
        return NEWS_PAUSE if news else max(self._interval - elapsed, 0.0)


def _position(cursor: str) -> tuple[int, ...]:
    try:
        return parse_cursor(cursor)
    except ValueError:
        return ()
