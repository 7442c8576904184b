"""News of operations: whoever waits for one is woken by the next thing that happens to it."""

import asyncio
from weakref import WeakValueDictionary


class News:
    """Wakes everybody who waits for an operation; after `release` nobody waits any more.

    Nothing is kept for an operation for which nobody waits.
    """

    def __init__(self) -> None:
        self._events: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self.released = False

    def awaited(self, operation_id: str) -> asyncio.Event:
        """Return what the next news sets; ask before looking at the operation, so that none is missed."""
        return self._events.setdefault(operation_id, asyncio.Event())

    def tell(self, operation_id: str) -> None:
        """Wake those who wait for the operation."""
        if event := self._events.pop(operation_id, None):
            event.set()

    def release(self) -> None:
        """Wake everybody, now and from now on: the server stops."""
        self.released = True
        for operation_id in tuple(self._events):
            self.tell(operation_id)


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or until the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
