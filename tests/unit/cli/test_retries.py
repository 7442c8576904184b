"""When a request is sent again, after how long, and when never."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.retries import ONCE, RetryPolicy, RetryTransport, sleep_out
from ktrdr.errors import ServerUnreachable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy()

Reply = httpx2.Response | httpx2.TransportError


class Replies(httpx2.AsyncBaseTransport):
    """Answers in order; the last reply is repeated."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.sent = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        reply = self._replies[min(self.sent, len(self._replies) - 1)]
        self.sent += 1
        if isinstance(reply, httpx2.TransportError):
            raise reply
        return reply


def answer(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers={name.replace("_", "-"): text for name, text in headers.items()})


def send(
    replies: Replies,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
    gives_up: Callable[[float], bool] = lambda _: False,
    fraction: float = 0.5,
) -> tuple[Reply, list[float]]:
    """Return the reply that came through and the pauses before it."""
    pauses: list[float] = []

    async def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return gives_up(seconds)

    transport = RetryTransport(replies, POLICY, pause=pause, fraction=lambda: fraction, now=lambda: NOW)
    request = httpx2.Request(method, "http://ktrdr/x", headers=headers, content=content)
    try:
        return asyncio.run(transport.handle_async_request(request)), pauses
    except httpx2.TransportError as error:
        return error, pauses


def test_a_refused_connection_is_tried_five_times_with_doubling_pauses() -> None:
    replies = Replies(httpx2.ConnectError("refused"))
    reply, pauses = send(replies)
    assert isinstance(reply, httpx2.ConnectError)
    assert replies.sent == 5
    assert pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(("fraction", "first"), [(0.0, 0.75), (1.0, 1.25)])
def test_pauses_are_spread_by_jitter(fraction: float, first: float) -> None:
    _, pauses = send(Replies(httpx2.ConnectError("refused"), answer(200)), fraction=fraction)
    assert pauses == [first]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_asked_again_three_times(status: int) -> None:
    replies = Replies(answer(status))
    reply, _ = send(replies)
    assert isinstance(reply, httpx2.Response)
    assert (reply.status_code, replies.sent) == (status, 4)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
def test_a_refusal_is_never_asked_again(status: int) -> None:
    replies = Replies(answer(status))
    send(replies)
    assert replies.sent == 1


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1000000000", 60.0),
        ("nan", 1.0),
        ("soon", 1.0),
        ("", 1.0),
        ((NOW + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 9.0),
        ((NOW - timedelta(days=9)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 0.0),
    ],
)
def test_fault_27_retry_after_wins_within_a_minute(text: str, pause: float) -> None:
    _, pauses = send(Replies(answer(503, retry_after=text), answer(200)))
    assert pauses == [pause]


@pytest.mark.parametrize("error", [httpx2.ReadError("reset"), httpx2.ReadTimeout("late")])
def test_a_post_without_a_key_is_not_repeated_when_it_may_have_arrived(error: httpx2.TransportError) -> None:
    replies = Replies(error, answer(200))
    reply, _ = send(replies, "POST", content=b"{}")
    assert (reply, replies.sent) == (error, 1)


def test_a_post_with_a_key_is_repeated() -> None:
    replies = Replies(httpx2.ReadError("reset"), answer(200))
    send(replies, "POST", headers={"Idempotency-Key": "a"}, content=b"{}")
    assert replies.sent == 2


def test_a_post_without_a_key_is_not_repeated_after_an_answer_either() -> None:
    replies = Replies(answer(503), answer(200))
    send(replies, "POST", content=b"{}")
    assert replies.sent == 1


def test_pausing_can_be_ended_which_ends_the_retrying() -> None:
    for reply in (httpx2.ConnectError("refused"), answer(503)):
        replies = Replies(reply)
        got, _ = send(replies, gives_up=lambda _: True)
        assert (got, replies.sent) == (reply, 1)


def test_an_ordinary_pause_lasts_to_its_end() -> None:
    assert asyncio.run(sleep_out(0.0)) is False


def test_closing_closes_what_is_underneath() -> None:
    class Closable(Replies):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    inner = Closable(answer(200))
    asyncio.run(RetryTransport(inner, POLICY).aclose())
    assert inner.closed


class BreaksOff(httpx2.AsyncByteStream):
    """A body that ends before its end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"data'
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


def broken_off() -> httpx2.Response:
    return httpx2.Response(202, stream=BreaksOff())


def test_fault_23_an_answer_that_breaks_off_is_as_lost_as_one_that_never_came() -> None:
    replies = Replies(broken_off(), answer(202))
    reply, pauses = send(replies, "POST", headers={"Idempotency-Key": "op_a"})
    assert isinstance(reply, httpx2.Response)
    assert (replies.sent, pauses) == (2, [1.0])


def test_fault_23_a_start_whose_answers_all_break_off_may_have_arrived() -> None:
    """Whoever asked must not be told that nothing was started."""

    async def start() -> None:
        transport = RetryTransport(Replies(broken_off()), ONCE)
        client = KtrdrApiClient("http://there", retry=ONCE, transport=transport)
        await client.start("/x", {}, "op_a")

    with pytest.raises(ServerUnreachable) as lost:
        asyncio.run(start())
    assert lost.value.may_have_arrived
