"""Threat 13: answers that are small on the wire and huge in memory, or that never end."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient
from ktrdr.cli.event_stream import LARGEST_EVENT, NoEventStream
from ktrdr.cli.plain_answers import LARGEST_ANSWER
from ktrdr.cli.retries import ONCE
from ktrdr.errors import KtrdrError, ServerFailed

MEGABYTE = bytes(1 << 20)
BOMB = gzip.compress(MEGABYTE * 4)


class Body(httpx2.AsyncByteStream):
    """The same piece again and again; counts how much of it was taken."""

    def __init__(self, piece: bytes, times: int) -> None:
        self._piece, self._times = piece, times
        self.taken = 0
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._times):
            self.taken += len(self._piece)
            yield self._piece

    async def aclose(self) -> None:
        self.is_closed = True


async def read(client: KtrdrApiClient) -> None:
    await client.get_operation("op_a")


async def show(client: KtrdrApiClient) -> None:
    await client.http.get("/api/v1/trainings/op_a/performance")


async def save(client: KtrdrApiClient) -> None:
    await client.download("/api/v1/data/export", {}, len)


async def follow(client: KtrdrApiClient) -> None:
    async for _ in client.events("op_a", None):
        pass


def asked(what: Callable[[KtrdrApiClient], Awaitable[None]], answer: httpx2.Response) -> None:
    """Ask for something and be answered so."""
    requests: list[httpx2.Request] = []

    def answering(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answer

    async def ask() -> None:
        client = KtrdrApiClient(LOCAL_URL, retry=ONCE, transport=httpx2.MockTransport(answering))
        try:
            await what(client)
        finally:
            await client.close()
            assert requests[0].headers["accept-encoding"] == "identity"

    asyncio.run(ask())


@pytest.mark.parametrize("what", [read, show, save, follow])
@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
def test_sec_13_a_compressed_answer_is_refused_before_it_is_read(
    what: Callable[[KtrdrApiClient], Awaitable[None]], encoding: str
) -> None:
    body = Body(BOMB, 1)
    headers = {"Content-Encoding": encoding, "Content-Type": "text/event-stream"}
    with pytest.raises((ServerFailed, NoEventStream), match="is compressed"):
        asked(what, httpx2.Response(200, headers=headers, stream=body))
    assert (body.taken, body.is_closed) == (0, True)


@pytest.mark.parametrize(("what", "status"), [(read, 200), (show, 200), (save, 500), (read, 500)])
def test_sec_13_what_is_kept_in_memory_has_a_limit(
    what: Callable[[KtrdrApiClient], Awaitable[None]], status: int
) -> None:
    body = Body(MEGABYTE, 1000)
    with pytest.raises(KtrdrError, match="larger than 64 MB"):
        asked(what, httpx2.Response(status, stream=body))
    assert body.taken <= LARGEST_ANSWER + len(MEGABYTE)
    assert body.is_closed


def test_sec_13_an_event_without_end_has_a_limit() -> None:
    body = Body(b"data: " + MEGABYTE, 1000)
    with pytest.raises(NoEventStream):
        asked(follow, httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=body))
    assert body.taken <= 4 * LARGEST_EVENT


def test_what_is_saved_may_be_large_for_it_is_never_kept() -> None:
    body = Body(MEGABYTE, 70)
    asked(save, httpx2.Response(200, headers={"Content-Encoding": "identity"}, stream=body))
    assert body.taken > LARGEST_ANSWER
