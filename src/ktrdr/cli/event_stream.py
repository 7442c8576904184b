"""Reads the server's stream of one operation's events; how it ends means nothing."""

import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import httpx2

from ktrdr.cli.retries import ONCE, STREAMED
from ktrdr.errors import KtrdrError, ServerFailed

LONGEST_SILENCE = 45.0  # three heartbeats
LARGEST_EVENT = 1 << 20


class NoEventStream(Exception):  # a finding, not a failure: there are other ways to follow
    """The server, or something on the way, does not stream events."""


async def stream_events(
    http: httpx2.AsyncClient, path: str, after: str | None
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the operation as it is streamed until the stream breaks or ends; raises NoEventStream."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
    request = http.build_request(
        "GET",
        path,
        headers=headers,
        timeout=httpx2.Timeout(**{**http.timeout.as_dict(), "read": LONGEST_SILENCE}),
    )
    request.extensions |= {"retry": ONCE, STREAMED: True}
    with suppress(httpx2.HTTPError, KtrdrError):
        response = await _opened(http, request)
        try:
            async for operation in _operations(response):
                yield operation
        finally:
            await response.aclose()


async def _opened(http: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    try:
        return await http.send(request, stream=True)
    except ServerFailed as error:
        raise NoEventStream(error.message) from None


async def _operations(response: httpx2.Response) -> AsyncGenerator[dict[str, Any], None]:
    if not response.is_success:
        raise NoEventStream(f"the server answered {response.status_code}")
    try:
        async for event in httpx2.EventSource(response, max_event_size=LARGEST_EVENT):
            if event.event == "operation":
                yield dict(json.loads(event.data))
    except (httpx2.SSEError, ValueError, TypeError) as error:
        raise NoEventStream(str(error)) from None
