"""A server that answers as a test wrote it down, and the doubles an executor is tested with."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
from rich.console import Console

from ktrdr.cli.display import ProgressDisplay
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.operations.progress import GenericProgressState

Answer = tuple[int, Mapping[str, Any]] | Exception | None
Step = Answer | Callable[[], Answer]

START = "/api/v1/counting/start"


def operation(status: str = "running", version: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an operation as a server shows it."""
    shape = {
        "operation_id": "op_counting_a",
        "operation_type": "counting",
        "status": status,
        "cursor": f"{version}.1.0",
        "started_at": "2026-01-01T00:00:00+00:00",
        "server_time": "2026-01-01T00:00:02+00:00",
        "progress": {"percentage": 50.0, "current_step": "Counting", "items_processed": 5},
        "result_summary": {"count": 10} if status == "completed" else None,
    }
    return {**shape, **fields}


def shown(status: str = "running", version: int = 1, **fields: Any) -> Answer:
    """Answer with an operation."""
    return 200, {"success": True, "data": operation(status, version, **fields)}


def accepted() -> Answer:
    """Answer a start."""
    return 202, {"success": True, "data": {"operation_id": "op_counting_a", "status": "pending"}}


def problem(status: int, detail: str = "it went wrong", hint: str | None = None) -> Answer:
    """Answer with a problem document."""
    return status, {"title": "Problem", "status": status, "detail": detail, "hint": hint}


def pressing(signum: int, then: Answer) -> Callable[[], Answer]:
    """Send this process a real signal, then answer."""

    def press() -> Answer:
        signal.raise_signal(signum)
        return then

    return press


class ScriptedServer:
    """Answers starts, reads and cancels from three lists; the last entry of each is repeated.

    None never answers, an exception is a broken connection.
    """

    def __init__(
        self,
        *,
        start: list[Step] | None = None,
        read: list[Step] | None = None,
        cancel: list[Step] | None = None,
    ) -> None:
        self._scripts = {
            "start": self._play(start or [accepted()]),
            "read": self._play(read or [shown("completed", 9)]),
            "cancel": self._play(cancel or [shown("running", 5)]),
        }
        self.calls: list[str] = []
        self.keys: list[str] = []
        self.bodies: list[dict[str, Any]] = []

    @property
    def transport(self) -> httpx2.ASGITransport:
        return httpx2.ASGITransport(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/events"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        call = _call(scope)
        self.calls.append(call)
        headers = dict(scope["headers"])
        if call == "start":
            self.keys.append(headers[b"idempotency-key"].decode())
        if call != "read":
            self.bodies.append(json.loads((await receive())["body"]))
        step = next(self._scripts[call])
        answer = step() if callable(step) else step
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        status, body = answer
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    @staticmethod
    def _play(steps: list[Step]) -> Iterator[Step]:
        yield from steps
        while True:
            yield steps[-1]


def _call(scope: Any) -> str:
    if scope["path"] == START:
        return "start"
    return "cancel" if scope["path"].endswith("/cancel") else "read"


class CountingAdapter(OperationAdapter):
    """A domain that counts."""

    name = "counting"

    def get_start_endpoint(self) -> str:
        return START

    def get_start_payload(self) -> dict[str, Any]:
        return {"to": 10}

    def parse_start_response(self, response: dict[str, Any]) -> str:
        return str(response["data"]["operation_id"])

    async def display_results(
        self, final_status: dict[str, Any], console: Console, http_client: httpx2.AsyncClient
    ) -> None:
        console.print(f"counted to {final_status['result_summary']['count']}")

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        console.print(f"counted to {final_status['progress']['items_processed']} before it was cancelled")


class RecordingDisplay(ProgressDisplay):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.states: list[GenericProgressState] = []
        self.footers: list[str] = []
        self.started: list[Mapping[str, Any]] = []
        self.ended: list[bool] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        self.started.append(context)

    def update_progress(self, state: GenericProgressState) -> None:
        self.states.append(state)

    def show_footer(self, text: str) -> None:
        self.footers.append(text)

    def complete_operation(self, success: bool, summary: str) -> None:
        self.ended.append(success)
        self.lines.append(summary)


class SteppingClock:
    """A clock on which a second passes with every look."""

    def __init__(self, on_first_look: Callable[[], None] = lambda: None) -> None:
        self._seconds = 0.0
        self._on_first_look = on_first_look

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        if self._seconds == 0.0:
            self._on_first_look()
        self._seconds += 1.0
        return self._seconds
