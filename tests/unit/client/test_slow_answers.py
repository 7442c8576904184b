"""Whoever waits for an answer learns so, once."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from ktrdr.client.slow_answers import SlowAnswers


class Held(httpx2.AsyncBaseTransport):
    """Answers when it is let to, or at once what it is told nobody waits for."""

    def __init__(self, *, holds: bool) -> None:
        self.told: list[None] = []
        self._go = asyncio.Event()
        self._holds = holds

    def tell(self) -> None:
        """Hear that somebody waits, and let the answer go."""
        self.told.append(None)
        self._go.set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._holds:
            await self._go.wait()
        else:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return httpx2.Response(200)


async def body() -> AsyncIterator[bytes]:
    """Yield a body that takes its time."""
    yield b"x"


def test_a_late_answer_is_told_once() -> None:
    async def scenario() -> int:
        held = Held(holds=True)
        async with httpx2.AsyncClient(transport=SlowAnswers(held, held.tell, 0.0)) as client:
            for _ in range(3):
                await client.get("http://ktrdr/api/v1/operations")
        return len(held.told)

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize(
    "request_",
    [
        httpx2.Request("GET", "http://ktrdr/x?after=1.1.1&wait=5.0"),
        httpx2.Request("GET", "http://ktrdr/x", extensions={"streamed": True}),
        httpx2.Request("POST", "http://ktrdr/x", content=body()),
    ],
    ids=["asked to wait", "streamed", "long body"],
)
def test_what_may_take_its_time_is_not_told(request_: httpx2.Request) -> None:
    async def scenario() -> int:
        held = Held(holds=False)
        await SlowAnswers(held, held.tell, 0.0).handle_async_request(request_)
        return len(held.told)

    assert asyncio.run(scenario()) == 0


def test_an_answer_in_time_is_not_told() -> None:
    async def scenario() -> int:
        held = Held(holds=False)
        async with httpx2.AsyncClient(transport=SlowAnswers(held, held.tell, 60.0)) as client:
            await client.get("http://ktrdr/x")
        return len(held.told)

    assert asyncio.run(scenario()) == 0
