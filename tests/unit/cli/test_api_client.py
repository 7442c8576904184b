"""The one HTTP client: what answers mean, and what may go wrong with them."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient, problem_of
from ktrdr.cli.retries import ONCE
from ktrdr.cli.worker_logs import LogReader
from ktrdr.client.local_transport import LocalSocketTransport
from ktrdr.errors import KtrdrError, ServerFailed, ServerUnreachable


def client(handler: Callable[[httpx2.Request], httpx2.Response], url: str = LOCAL_URL) -> KtrdrApiClient:
    return KtrdrApiClient(url, retry=ONCE, transport=httpx2.MockTransport(handler))


def seen(call: Callable[[KtrdrApiClient], Any]) -> httpx2.Request:
    """Return the request that a call makes."""
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, json={"success": True, "data": {}})

    asyncio.run(call(client(handler)))
    return requests[0]


def raised(response: httpx2.Response | httpx2.HTTPError, url: str = LOCAL_URL) -> KtrdrError:
    """Return the error that an answer becomes."""

    def handler(_: httpx2.Request) -> httpx2.Response:
        if isinstance(response, httpx2.HTTPError):
            raise response
        return response

    with pytest.raises(KtrdrError) as caught:
        asyncio.run(client(handler, url).get_operation("op_a"))
    return caught.value


def test_a_start_carries_its_id_as_the_key() -> None:
    request = seen(lambda api: api.start("/api/v1/x/start", {"a": 1}, "op_x_1"))
    assert (request.method, request.url.path) == ("POST", "/api/v1/x/start")
    assert request.headers["idempotency-key"] == "op_x_1"
    assert request.content == b'{"a":1}'


def test_a_cancel_says_why_and_may_be_repeated() -> None:
    request = seen(lambda api: api.cancel("op_a", "Ctrl+C", force=True, timeout=3.0))
    assert request.url.path == "/api/v1/operations/op_a/cancel"
    assert request.content == b'{"reason":"Ctrl+C","force":true}'
    assert "idempotency-key" in request.headers
    assert request.extensions["timeout"]["read"] == 3.0


def test_news_are_waited_for_after_a_cursor() -> None:
    request = seen(lambda api: api.get_operation("op_a", after="1.2.3", wait=5.0))
    assert dict(request.url.params) == {"after": "1.2.3", "wait": "5.0"}


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    request = seen(lambda api: api.get_operation("../../admin?x=1"))
    assert request.url.raw_path == b"/api/v1/operations/..%2F..%2Fadmin%3Fx%3D1"


def test_lists_and_other_resources_are_returned_whole() -> None:
    request = seen(lambda api: api.list_operations(limit=5))
    assert request.url.params["limit"] == "5"
    assert seen(lambda api: api.get("/api/v1/models")).url.path == "/api/v1/models"


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"", b'{"data": 3}', b"[" * 100_000])
def test_an_answer_that_is_not_understood_is_one_sentence(body: bytes) -> None:
    error = raised(httpx2.Response(200, content=body))
    assert isinstance(error, ServerFailed)
    assert error.hint == "is this address a ktrdr server?"


def test_a_page_of_a_proxy_is_quoted_in_short() -> None:
    error = raised(httpx2.Response(502, html="<h1>\n" + "x" * 1000))
    assert error.message.startswith("the server answered 502: <h1> xxx")
    assert len(error.message) < 250
    assert error.hint == "see the server's log: `ktrdr server logs`"


def test_an_empty_refusal_still_says_something() -> None:
    assert problem_of(httpx2.Response(418)).message == "the server answered 418: I'm a teapot"


def test_the_servers_own_words_win() -> None:
    error = raised(httpx2.Response(422, json={"detail": "no such symbol", "hint": "try AAPL"}))
    assert (error.message, error.hint, error.code) == ("no such symbol", "try AAPL", "input_invalid")


def test_a_hint_that_is_no_text_is_dropped() -> None:
    assert problem_of(httpx2.Response(422, json={"detail": "x", "hint": ["y"]})).hint is None


@pytest.mark.parametrize(
    ("error", "sentence", "may_have_arrived"),
    [
        (httpx2.ConnectError("refused"), "cannot reach the server at http://far:1 (refused)", False),
        (httpx2.ReadTimeout("x"), "cannot reach the server at http://far:1 (no answer in time)", True),
        (httpx2.ReadError(""), "cannot reach the server at http://far:1 (ReadError)", True),
    ],
)
def test_an_unreachable_server_is_named(
    error: httpx2.HTTPError, sentence: str, may_have_arrived: bool
) -> None:
    mapped = raised(error, "http://far:1")
    assert isinstance(mapped, ServerUnreachable)
    assert (mapped.message, mapped.may_have_arrived) == (sentence, may_have_arrived)


def test_a_refused_socket_starts_the_server_and_asks_again_at_once_where_it_listens() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"data": {}}')
        await writer.drain()
        writer.close()

    async def scenario(folder: Path) -> int:
        servers: list[asyncio.Server] = []

        async def restart() -> Path:
            servers.append(await asyncio.start_unix_server(answer, folder / "moved"))
            return folder / "moved"

        api = KtrdrApiClient(LOCAL_URL, transport=LocalSocketTransport(folder / "s", restart))
        assert await api.get_operation("op_a") == {}
        assert await api.get_operation("op_a") == {}
        await api.close()
        for server in servers:
            server.close()
            await server.wait_closed()
        return len(servers)

    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(scenario(Path(folder))) == 1


def test_fault_56_a_start_that_meets_a_server_at_its_end_begins_once_at_the_next() -> None:
    """The one that ends sends it away and is gone; the next one is started, and sees the same key."""
    seen: list[tuple[int, bytes]] = []

    async def scenario(folder: Path) -> None:
        servers: list[asyncio.Server] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line for line in head.splitlines() if line.lower().startswith(b"idempotency-key"))
            seen.append((len(servers), key))
            status = b"503 Unavailable" if len(servers) == 1 else b"202 Accepted"
            servers[0].close()
            writer.write(
                b"HTTP/1.1 "
                + status
                + b"\r\nContent-Length: 2\r\nRetry-After: 0\r\nConnection: close\r\n\r\n{}"
            )
            await writer.drain()
            writer.close()

        async def restart() -> Path:
            servers.append(await asyncio.start_unix_server(answer, folder / "next"))
            return folder / "next"

        servers.append(await asyncio.start_unix_server(answer, folder / "s"))
        api = KtrdrApiClient(LOCAL_URL, transport=LocalSocketTransport(folder / "s", restart))
        assert await api.start("/api/v1/dummy/start", {}, "op_a") == {}
        await api.close()
        for server in servers:
            server.close()
            await server.wait_closed()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder)))
    assert [number for number, _ in seen] == [1, 2]
    assert len({key for _, key in seen}) == 1


@pytest.mark.parametrize("answer", [{}, {"data": 3}, {"data": {"lines": ["x"], "after": 0, "ended": True}}])
def test_a_log_of_another_shape_is_one_sentence(answer: dict[str, object]) -> None:
    """As an older server would answer."""

    async def read() -> None:
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer))
        await LogReader(KtrdrApiClient("http://there", transport=transport), "op_a").read()

    with pytest.raises(ServerFailed, match="the log cannot be understood"):
        asyncio.run(read())
