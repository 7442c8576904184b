"""The one HTTP client of the command line: where the server is, how often to ask, what its errors mean."""

import json
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx2

from ktrdr.cli.event_stream import stream_events
from ktrdr.cli.plain_answers import UNCOMPRESSED, PlainAnswers
from ktrdr.cli.retries import STREAMED, Pause, RetryPolicy, RetryTransport, sleep_out
from ktrdr.cli.server_address import way_to
from ktrdr.client.caller import ANYBODY, Caller
from ktrdr.client.slow_answers import PATIENCE, SlowAnswers
from ktrdr.errors import (
    AccessDenied,
    Conflict,
    InputInvalid,
    KtrdrError,
    NotFound,
    ServerFailed,
    ServerUnreachable,
    Unavailable,
)

LOCAL_URL = "http://ktrdr"
LONGEST_EXCERPT = 200
UPLOAD_CHUNK = 1 << 20
HINT_LOCAL = "see why with `ktrdr server logs`, or start it with `ktrdr server start`"
HINT_ELSEWHERE = "run `ktrdr server start` there, or leave out --url and KTRDR_API_URL to use your own"


class KtrdrApiClient:
    """Calls the API of one server; knows no kind of operation.

    Every call returns the body of the answer and raises KtrdrError with the server's own detail and hint.
    `warn` hears, once, that an answer is late.
    """

    def __init__(
        self,
        base_url: str,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        pause: Pause = sleep_out,
        caller: Caller = ANYBODY,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.base_url = base_url
        way_out = "; `ktrdr server stop --force` ends it" if base_url == LOCAL_URL else ""
        told = partial(warn, f"the server has not answered for {PATIENCE:.0f} s, still waiting{way_out}")
        inner = SlowAnswers(transport or way_to(base_url), told)
        self.http = httpx2.AsyncClient(
            base_url=base_url,
            timeout=timeout,
            transport=RetryTransport(PlainAnswers(inner), retry or RetryPolicy(), pause=pause),
            trust_env=False,
            headers={**UNCOMPRESSED, **caller.headers},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.http.aclose()

    async def start(self, endpoint: str, payload: Mapping[str, Any], operation_id: str) -> dict[str, Any]:
        """Start an operation; `operation_id` is the key that makes a repeated start the same one."""
        return await self._send("POST", endpoint, json=payload, headers={"Idempotency-Key": operation_id})

    async def get_operation(
        self,
        operation_id: str,
        *,
        after: str | None = None,
        wait: float = 0.0,
        retry: RetryPolicy | None = None,
    ) -> dict[str, Any]:
        """Return an operation, waiting up to `wait` seconds for news after the cursor `after`."""
        query: dict[str, str | float] = {} if after is None else {"after": after, "wait": wait}
        return _data(await self._send("GET", _path(operation_id), params=query, retry=retry))

    def events(self, operation_id: str, after: str | None) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the operation as the server streams it, until the stream ends; raises NoEventStream."""
        return stream_events(self.http, f"{_path(operation_id)}/events", after)

    async def list_operations(self, **query: str | int | bool) -> dict[str, Any]:
        """Return `data` newest first, `total_count` and `active_count`."""
        return await self._send("GET", "/api/v1/operations", params=query)

    async def cancel(
        self, operation_id: str, reason: str, *, force: bool = False, timeout: float | None = None
    ) -> dict[str, Any]:
        """Ask for the end of an operation and return it as it then is; asking twice changes nothing."""
        body = {"reason": reason, "force": force}
        key = {"Idempotency-Key": f"cancel-{operation_id}"}
        path = f"{_path(operation_id)}/cancel"
        return _data(await self._send("POST", path, json=body, headers=key, timeout=timeout))

    async def upload(self, file: Path) -> str:
        """Send a file's bytes and return the id by which an operation claims them; raises OSError."""
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            length = {"Content-Length": str(found.st_size)} if stat.S_ISREG(found.st_mode) else {}
            request = self.http.build_request(
                "POST", "/api/v1/uploads", content=_chunks(stream), headers=length
            )
            return str(_data(await self._answer(request))["upload_id"])

    async def get(self, path: str, **query: str | int | bool) -> dict[str, Any]:
        """Return the body of any other resource."""
        return await self._send("GET", path, params=query)

    async def delete(self, path: str, **query: str) -> dict[str, Any]:
        """Delete a resource and return what it was."""
        return _data(await self._send("DELETE", path, params=query))

    async def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], int]) -> int:
        """Hand the body of a resource to `sink`, piece by piece, and return its size; a broken one raises."""
        request = self.http.build_request("GET", path, params=query)
        request.extensions[STREAMED] = True
        try:
            async with aclosing(await self.http.send(request, stream=True)) as response:
                if not response.is_success:
                    await response.aread()
                    raise problem_of(response)
                return sum([sink(piece) async for piece in response.aiter_bytes()])
        except httpx2.HTTPError as error:
            raise self._unreachable(request, error) from error

    async def _send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int | float | bool] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> dict[str, Any]:
        request = self.http.build_request(
            method,
            path,
            json=json,
            headers=headers,
            params=params or None,
            timeout=self.http.timeout if timeout is None else timeout,
        )
        if retry:
            request.extensions["retry"] = retry
        return await self._answer(request)

    async def _answer(self, request: httpx2.Request) -> dict[str, Any]:
        try:
            response = await self.http.send(request)
        except httpx2.HTTPError as error:
            raise self._unreachable(request, error) from error
        if not response.is_success:
            raise problem_of(response, arrived=bool(request.extensions.get("may_have_arrived")))
        return _object(response)

    def _unreachable(self, request: httpx2.Request, error: httpx2.HTTPError) -> ServerUnreachable:
        what = "no answer in time" if isinstance(error, httpx2.TimeoutException) else str(error)
        is_local = self.base_url == LOCAL_URL
        where = "the local server" if is_local else f"the server at {self.base_url}"
        return ServerUnreachable(
            f"cannot reach {where} ({what or type(error).__name__})",
            hint=HINT_LOCAL if is_local else HINT_ELSEWHERE,
            may_have_arrived=bool(request.extensions.get("may_have_arrived")),
        )


def problem_of(response: httpx2.Response, *, arrived: bool = False) -> KtrdrError:
    """Return the error that a bad status stands for; `arrived` tells of an earlier try without an answer."""
    detail, hint = _words(response)
    status = response.status_code
    if status in {401, 403}:
        return AccessDenied(detail, hint=hint)
    if status in {404, 410}:
        return NotFound(detail, hint=hint)
    if status in {409, 412}:
        return Conflict(detail, hint=hint)
    if status in {408, 425, 429, 503, 507}:
        return Unavailable(detail, retry_after=0.0, hint=hint, may_have_arrived=arrived)
    if 400 <= status < 500:
        return InputInvalid(detail, hint=hint)
    return ServerFailed(detail, hint=hint or "see the server's log: `ktrdr server logs`")


def _words(response: httpx2.Response) -> tuple[str, str | None]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("detail"), str):
        hint = body.get("hint")
        return body["detail"], hint if isinstance(hint, str) else None
    excerpt = " ".join(response.text.split())[:LONGEST_EXCERPT]
    return f"the server answered {response.status_code}: {excerpt or response.reason_phrase}", None


def _object(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ServerFailed("the server's answer is not a JSON object", hint="is this address a ktrdr server?")
    return body


def _data(body: Mapping[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    if not isinstance(data, dict):
        raise ServerFailed("the server's answer has no `data`", hint="is this address a ktrdr server?")
    return data


async def _chunks(stream: BinaryIO) -> AsyncIterator[bytes]:
    while data := stream.read(UPLOAD_CHUNK):
        yield data


def _path(operation_id: str) -> str:
    return f"/api/v1/operations/{quote(operation_id, safe='')}"
