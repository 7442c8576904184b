"""A resource is handed on piece by piece, and one that breaks off is an error."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient
from ktrdr.cli.retries import ONCE
from ktrdr.errors import KtrdrError, NotFound, ServerUnreachable


class Body(httpx2.AsyncByteStream):
    """Yields pieces, and breaks where an exception is among them."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self._pieces:
            if isinstance(each, Exception):
                raise each
            yield each

    async def aclose(self) -> None:
        self.closed = True


def downloaded(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[int, list[bytes]]:
    pieces: list[bytes] = []

    def keep(piece: bytes) -> int:
        pieces.append(piece)
        return len(piece)

    async def ask() -> int:
        client = KtrdrApiClient(LOCAL_URL, retry=ONCE, transport=httpx2.MockTransport(answer))
        try:
            return await client.download("/api/v1/data/export", {"symbol": "A/B"}, keep)
        finally:
            await client.close()

    return asyncio.run(ask()), pieces


def test_every_piece_is_handed_on_and_counted() -> None:
    body, seen = Body(b"ab", b"cde"), []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(200, stream=body)

    assert downloaded(answer) == (5, [b"ab", b"cde"])
    assert seen == [f"{LOCAL_URL}/api/v1/data/export?symbol=A%2FB"]
    assert body.closed


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            httpx2.Response(200, stream=Body(b"ab", httpx2.RemoteProtocolError("it broke off"))),
            ServerUnreachable,
            "cannot reach the local server (it broke off)",
        ),
        (httpx2.Response(404, json={"detail": "no such bars"}), NotFound, "no such bars"),
    ],
)
def test_what_is_not_whole_is_an_error(answer: httpx2.Response, kind: type[KtrdrError], words: str) -> None:
    with pytest.raises(kind) as caught:
        downloaded(lambda _: answer)
    assert caught.value.message == words
