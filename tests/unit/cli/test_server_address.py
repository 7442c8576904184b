"""The way to a server elsewhere: by the proxy of the environment, with the same care as without one."""

import asyncio
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.retries import RetryPolicy
from ktrdr.errors import InputInvalid, KtrdrError, ServerFailed, ServerUnreachable

ELSEWHERE = "http://server.invalid:8000"
TWO_TRIES = RetryPolicy(connection_tries=1, answer_retries=1, delays=(0.0,))
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Proxy(socketserver.ThreadingTCPServer):
    """Answers what it should pass on: first that there is a bad gateway, then so; keeps what was asked."""

    def __init__(self, encoding: str = "identity") -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.encoding = encoding
        self.address = f"127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = b'{"data": {}}'
        self.send_response(502 if len(self.server.asked) == 1 else 200)
        self.send_header("Content-Encoding", self.server.encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    with proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


def asked(url: str) -> KtrdrError | None:
    """Ask for something and return the error that came of it."""

    async def ask() -> None:
        client = KtrdrApiClient(url, retry=TWO_TRIES)
        try:
            await client.get_operation("op_a")
        finally:
            await client.close()

    try:
        asyncio.run(ask())
    except KtrdrError as error:
        return error
    return None


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_is_used_and_a_bad_answer_of_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    with running(Proxy()) as proxy:
        monkeypatch.setenv(name, scheme + proxy.address)
        assert asked(ELSEWHERE) is None
        assert proxy.asked == [f"{ELSEWHERE}/api/v1/operations/op_a"] * 2


def test_what_comes_by_a_proxy_is_held_to_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Proxy(encoding="gzip")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        assert isinstance(asked(ELSEWHERE), ServerFailed)


@pytest.mark.parametrize("excepted", ["server.invalid", ".invalid", "server.invalid:8000", "*"])
def test_an_excepted_server_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, excepted: str
) -> None:
    with running(Proxy()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        monkeypatch.setenv("NO_PROXY", excepted)
        assert isinstance(asked(ELSEWHERE), ServerUnreachable)
        assert proxy.asked == []


def test_a_server_on_this_machine_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown the token, which is nobody else's business."""
    with running(Proxy()) as proxy, running(Proxy()) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        assert asked(f"http://{server.address}") is None
        assert (proxy.asked, server.asked) == ([], ["/api/v1/operations/op_a"] * 2)


@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1:1", "ftp://127.0.0.1", "http://[:secret"])
def test_a_proxy_that_cannot_be_used_is_one_sentence_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    error = asked(ELSEWHERE)
    assert isinstance(error, InputInvalid)
    assert "the way to `server.invalid` leads by a proxy" in error.message
    assert "secret" not in f"{error.message}{error.hint}"
