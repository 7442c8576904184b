"""Silence is told: whoever waits for a server that does not answer learns what for, and once.

Not meant are requests that ask to be answered late (`wait`), are streamed, or have a body that takes long.
"""

import asyncio
from collections.abc import Callable

import httpx2

PATIENCE = 3.0


class SlowAnswers(httpx2.AsyncBaseTransport):
    """Calls `tell` once, when an answer is `patience` seconds late; nothing else changes."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, tell: Callable[[], None], patience: float = PATIENCE
    ) -> None:
        self._inner = inner
        self._tell = tell
        self._patience = patience
        self._told = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer."""
        if self._told or not _is_to_be_answered_at_once(request):
            return await self._inner.handle_async_request(request)
        late = asyncio.get_running_loop().call_later(self._patience, self._tell_once)
        try:
            return await self._inner.handle_async_request(request)
        finally:
            late.cancel()

    async def aclose(self) -> None:
        """Close the connection pool."""
        await self._inner.aclose()

    def _tell_once(self) -> None:
        self._told = True
        self._tell()


def _is_to_be_answered_at_once(request: httpx2.Request) -> bool:
    is_whole = isinstance(request.stream, httpx2.ByteStream)
    return is_whole and "wait" not in request.url.params and "streamed" not in request.extensions
