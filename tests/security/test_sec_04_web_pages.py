"""Threats 4 and 5: no web page speaks to the server, whatever it sends and whatever name it reaches it by."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.api import Api, running_api

pytestmark = pytest.mark.anyio

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "INVENTED")
PATHS = (
    "/api/v1/operations",
    "/api/v1/operations/op_x/cancel",
    "/api/v1/uploads",
    "/openapi.json",
    "/nothing",
)
OF_A_PAGE = (
    [("Origin", "http://evil.example")],
    [("Origin", "null")],
    [("Origin", "http://localhost")],
    [("Origin", "")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
    [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "DELETE")],
)
OF_ANOTHER_NAME = (
    [("Host", "evil.example")],
    [("Host", "localhost.evil.example")],
    [("Host", "evil.localhost")],
    [("Host", "127.0.0.1.nip.io")],
    [("Host", "127.0.0.1:80@evil.example")],
    [("Host", "localhost:http")],
    [("Host", "::1")],
    [("Host", "")],
    [("Host", "ktrdr"), ("Host", "evil.example")],
    [("Host", "evil.example"), ("Host", "ktrdr")],
)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path, slots=0) as api:
        yield api


@pytest.mark.parametrize("headers", [*OF_A_PAGE, *OF_ANOTHER_NAME], ids=str)
async def test_sec_04_no_method_on_any_path_is_answered_to_a_web_page(
    api: Api, headers: list[tuple[str, str]]
) -> None:
    """And no answer tells a browser that a page may read it."""
    for method in METHODS:
        for path in PATHS:
            answer = await api.http.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)
            assert [name for name in answer.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("host", ["ktrdr", "localhost", "localhost:8000", "127.0.0.1:65535", "[::1]:1"])
@pytest.mark.parametrize("site", [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
async def test_sec_04_programs_of_this_machine_are_answered(
    api: Api, host: str, site: dict[str, str]
) -> None:
    answer = await api.http.get("/api/v1/health", headers={"Host": host, **site})
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control")] == []
