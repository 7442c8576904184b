"""What of a server's answer is accepted: bytes as they are, and not without limit.

The rule: answers are asked for uncompressed (`identity`), and one that is compressed all the same is refused
before a byte of it is unpacked; what is kept in memory ends at LARGEST_ANSWER. What is streamed is handed on
piece by piece, and its reader says how large a piece may be.
"""

from collections.abc import AsyncIterator

import httpx2

from ktrdr.cli.retries import STREAMED
from ktrdr.errors import ServerFailed

UNCOMPRESSED = {"Accept-Encoding": "identity"}
LARGEST_ANSWER = 64 << 20
PLAIN = frozenset({"", "identity"})
HINT = "is this address a ktrdr server, and what lies in between?"


class PlainAnswers(httpx2.AsyncBaseTransport):
    """Lets through what is accepted; else ServerFailed is raised, by the request or by reading its answer."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return an answer that can be read without harm."""
        response = await self._inner.handle_async_request(request)
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in PLAIN:
            await response.aclose()
            raise ServerFailed(f"the server's answer is compressed (`{encoding}`), unasked", hint=HINT)
        is_kept = STREAMED not in request.extensions or not response.is_success
        if is_kept and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Limited(response.stream)
        return response

    async def aclose(self) -> None:
        """Close the connection pool."""
        await self._inner.aclose()


class _Limited(httpx2.AsyncByteStream):
    """The pieces of a body, until there are too many."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise ServerFailed(f"the server's answer is larger than {LARGEST_ANSWER >> 20} MB", hint=HINT)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
