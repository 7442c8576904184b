"""A follower's history is the same however its stream is cut, sliced or refused; an ending is always read."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from ktrdr.cli import event_stream, follow
from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient
from ktrdr.cli.follow import STREAM_AGAIN, Follower
from ktrdr.server.event_streams import HEARTBEAT_SECONDS
from support.scripted_api import operation
from support.streams import EVENTS, HISTORY, Pieces, StreamingServer, recorded

BROKEN = httpx2.ReadError("reset")
WHOLE = recorded()


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 1, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds


def history(server: StreamingServer, clock: HandClock | None = None) -> list[str]:
    """Follow to the end and return every cursor that was shown."""

    async def collect() -> list[str]:
        client = KtrdrApiClient(LOCAL_URL, transport=server)
        follower = Follower(
            client, "op_a", interval=0.0, clock=clock or HandClock(), on_contact=lambda _: None
        )
        async with asyncio.timeout(20.0):
            seen = [str(each["cursor"]) async for each in follower.updates(asyncio.Event())]
        await client.close()
        return seen

    return asyncio.run(collect())


def always(pieces: Pieces) -> Callable[[str | None], Pieces]:
    return lambda _: pieces


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "NEWS_PAUSE", 0.0)


def test_a_whole_stream_costs_one_request_and_the_read_that_proves_the_end() -> None:
    server = StreamingServer()
    assert history(server) == HISTORY
    assert server.calls == ["stream", "read"]


@pytest.mark.parametrize("ending", [(), (BROKEN,)], ids=["closed", "broken"])
def test_fault_32_a_stream_cut_at_every_byte_gives_the_same_history(ending: Pieces) -> None:
    for cut in range(len(WHOLE)):
        server = StreamingServer([always([WHOLE[:cut], *ending])])
        assert history(server) == HISTORY, f"cut at byte {cut}"


@pytest.mark.parametrize(
    "pieces",
    [
        [WHOLE[number : number + 1] for number in range(len(WHOLE))],
        [WHOLE.replace(b"\n", b"\r\n")],
        [WHOLE.replace(b"\n", b"\r")],
        [b"\xef\xbb\xbf" + WHOLE],
        [b": comment\n" * 50_000 + WHOLE],
        [WHOLE.replace(b"event: operation\n", b"event: operation\nunknown: field\n")],
        [b"event: closing\ndata: {}\n\n" + WHOLE],
    ],
    ids=["one byte at a time", "CRLF", "CR", "BOM", "comments", "unknown fields", "other events"],
)
def test_fault_33_a_stream_may_come_in_any_form(pieces: Pieces) -> None:
    server = StreamingServer([always(pieces)])
    assert history(server) == HISTORY
    assert server.calls == ["stream", "read"]


@pytest.mark.parametrize(
    "piece",
    [b"data: " + b"x" * (1 << 20), b"event: operation\ndata: nonsense\n\n", b"event: operation\ndata: 3\n\n"],
    ids=["endless line", "no JSON", "no operation"],
)
def test_fault_33_what_cannot_be_read_is_polled_instead(piece: bytes) -> None:
    reads = iter(EVENTS)
    server = StreamingServer([always([piece])], read=lambda _: next(reads))
    assert history(server) == HISTORY
    assert server.calls == ["stream", *["read"] * len(EVENTS)]


@pytest.mark.parametrize(
    ("status", "content_type"),
    [(404, "application/problem+json"), (406, "text/plain"), (200, "text/html"), (500, "text/event-stream")],
)
def test_fault_34_a_stream_that_is_refused_is_polled_and_asked_for_again_each_minute(
    status: int, content_type: str
) -> None:
    clock, reads = HandClock(), iter(EVENTS)

    def read(_: str | None) -> dict[str, object]:
        clock.seconds += STREAM_AGAIN / 2
        return next(reads)

    server = StreamingServer(status=status, content_type=content_type, read=read)
    assert history(server, clock) == HISTORY
    assert server.calls == ["stream", "read", "read", "stream", "read", "read", "stream", "read"]


def test_fault_34_a_stream_without_a_first_event_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "STREAM_LOOK", 0.01)
    reads = iter(EVENTS)
    server = StreamingServer([always([b": hello\n\n", None])], read=lambda _: next(reads))
    assert history(server) == HISTORY
    assert server.calls[:3] == ["stream", "read", "read"]


def test_fault_35_a_stream_that_falls_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    class Silent(StreamingServer):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith("/events"):
                limits.append(request.extensions["timeout"]["read"])
            return await super().handle_async_request(request)

    monkeypatch.setattr(event_stream, "LONGEST_SILENCE", 45.0)
    server = Silent([always([WHOLE[:400], httpx2.ReadTimeout("nothing came")])])
    assert history(server) == HISTORY
    assert limits == [45.0, 45.0]


def test_fault_36_a_stream_that_ends_is_not_the_operations_end() -> None:
    first = WHOLE[: WHOLE.index(b"id: 4.1.2")]
    server = StreamingServer([always([first])])
    assert history(server) == HISTORY
    assert server.calls == ["stream", "read", "stream", "read"]


def test_an_ending_in_a_stream_is_believed_only_when_it_is_read() -> None:
    lie = WHOLE.replace(b'"running"', b'"completed"')
    reads = iter((*EVENTS[1:4], EVENTS[4]))
    server = StreamingServer([always([lie])] * 3, read=lambda _: next(reads))
    assert history(server) == HISTORY
    assert server.calls == ["stream", "read"] * 4


def test_a_status_that_a_newer_server_invented_is_no_ending() -> None:
    paused = WHOLE.replace(b'"running"', b'"paused"')
    assert history(StreamingServer([always([paused])])) == HISTORY


def test_after_a_sleep_of_the_machine_the_stream_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "STREAM_LOOK", 0.01)
    clock = HandClock()

    def asleep(_: str | None) -> Pieces:
        asyncio.get_running_loop().call_later(0.03, fall_asleep)
        return [WHOLE[: WHOLE.index(b"id: 4.1.2")], None]

    def fall_asleep() -> None:
        clock.wall += timedelta(hours=8)

    server = StreamingServer([asleep])
    assert history(server, clock) == HISTORY
    assert server.calls == ["stream", "read", "stream", "read"]


def test_waiting_for_an_event_ends_at_once_when_it_is_no_longer_wanted() -> None:
    async def scenario() -> list[str]:
        server = StreamingServer([always([WHOLE[: WHOLE.index(b"id: 3.1.0")], None])])
        client = KtrdrApiClient(LOCAL_URL, transport=server)
        until = asyncio.Event()
        follower = Follower(client, "op_a", interval=9.0, clock=HandClock(), on_contact=lambda _: None)
        async for each in follower.updates(until):
            assert each == operation("pending", 1, cursor="1.0.0")
            until.set()
        await client.close()
        return server.calls

    assert asyncio.run(asyncio.wait_for(scenario(), 5.0)) == ["stream"]


def test_a_stream_is_given_up_after_three_heartbeats_of_silence() -> None:
    """The request itself carries the limit, and what sends it ends the stream: the follower asks again."""
    limits: list[float] = []

    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            limits.append(request.extensions["timeout"]["read"])
            raise httpx2.ReadTimeout("nothing came", request=request)

    async def follow_once() -> list[object]:
        client = KtrdrApiClient(LOCAL_URL, timeout=30.0, transport=Silent())
        return [each async for each in client.events("op_a", None)]

    assert asyncio.run(follow_once()) == []
    assert limits == [3 * HEARTBEAT_SECONDS] == [45.0]
