"""What commands are handed: consoles, client and executor, all made from the user's options."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import httpx2
import typer
from rich.console import Console

from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient, LocalSocketTransport
from ktrdr.cli.attendance import SIGNAL_EXIT, Patience
from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.interrupts import die_by_signal
from ktrdr.cli.local_server import ensure_server
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_executor import AsyncOperationExecutor
from ktrdr.cli.operation_report import OperationOutcome
from ktrdr.cli.progress_display import DisplayFactory, SilentDisplay, make_display
from ktrdr.cli.retries import Pause, sleep_out
from ktrdr.cli.safe_text import safe_lines
from ktrdr.errors import InputInvalid
from ktrdr.settings import Settings

CONTACT_WITHOUT_TERMINAL = 900.0
PORTS = range(1, 65536)

T = TypeVar("T")


class Output(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


UrlOption = Annotated[
    str | None, typer.Option("--url", help="Use the server at this address instead of one's own.")
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Write for people or programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Write only results and errors.")]
NoProgressOption = Annotated[bool, typer.Option("--no-progress", help="Draw no progress.")]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test replaces: the settings, and how a server is reached."""

    settings: Settings
    transport: httpx2.AsyncBaseTransport | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One command's consoles and its way to the server."""

    base_url: str
    transport: httpx2.AsyncBaseTransport | None
    out: Console
    output: Output = Output.TABLE
    quiet: bool = False
    show_progress: bool = True

    def client(self) -> KtrdrApiClient:
        """Return a client of the server; the caller closes it."""
        return KtrdrApiClient(self.base_url, transport=self.transport, pause=_say_and_sleep())

    def ask(self, question: Callable[[KtrdrApiClient], Awaitable[T]]) -> T:
        """Ask the server something short; raises KtrdrError."""
        return asyncio.run(self._ask(question))

    def run(
        self, adapter: OperationAdapter, words: Callable[[dict[str, Any]], str] | None = None
    ) -> NoReturn:
        """Run an operation to its end and end the process with its exit code."""
        shown = self.output is Output.TABLE
        self._finish(
            self._executor().run_operation(adapter, self.out, words, self.show_progress, show_results=shown)
        )

    def follow(self, operation_id: str, adapter: OperationAdapter) -> NoReturn:
        """Follow a running operation to its end and end the process with its exit code."""
        shown = self.output is Output.TABLE
        self._finish(
            self._executor().follow_operation(
                operation_id, adapter, self.out, message_of, self.show_progress, show_results=shown
            )
        )

    def print_json(self, value: object) -> None:
        """Write one object to standard output."""
        self.out.file.write(json.dumps(value, indent=2, allow_nan=False) + "\n")

    def _executor(self) -> AsyncOperationExecutor:
        patience = Patience(contact=None if sys.stderr.isatty() else CONTACT_WITHOUT_TERMINAL)
        display: DisplayFactory = SilentDisplay if self.quiet else make_display
        return AsyncOperationExecutor(
            self.base_url, transport=self.transport, display=display, patience=patience
        )

    def _finish(self, work: Coroutine[Any, Any, OperationOutcome]) -> NoReturn:
        outcome = asyncio.run(work)
        if self.output is Output.JSON:
            self.print_json(outcome_to_dict(outcome))
        end_process(outcome.exit_code)

    async def _ask(self, question: Callable[[KtrdrApiClient], Awaitable[T]]) -> T:
        client = self.client()
        try:
            return await question(client)
        finally:
            await client.close()


def open_session(
    context: typer.Context,
    url: str | None,
    *,
    output: Output = Output.TABLE,
    quiet: bool = False,
    no_progress: bool = False,
) -> Session:
    """Return the session of a command; without an address the embedded server is found or started."""
    given = context.find_object(Surroundings) or Surroundings(Settings.load())
    address = _checked(url or given.settings.api_url) if (url or given.settings.api_url) else None
    transport = given.transport
    if address is None and transport is None:
        transport = _local_transport(given.settings)
    return Session(
        address or LOCAL_URL, transport, PlainSpokenConsole(), output, quiet, not (no_progress or quiet)
    )


def _say_and_sleep() -> Pause:
    """Return a pause between tries that says once why nothing happens."""
    said: list[bool] = []

    async def pause(seconds: float) -> bool:
        if not said:
            said.append(True)
            warn("the server has no good answer yet, trying again")
        return await sleep_out(seconds)

    return pause


def end_process(code: int) -> NoReturn:
    """End with an exit code; one that stands for a signal by dying of that signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code > SIGNAL_EXIT:
        die_by_signal(code - SIGNAL_EXIT)
    raise typer.Exit(code)


def message_of(operation: dict[str, Any]) -> str:
    """Return the worker's own words about its progress."""
    progress = operation.get("progress") or {}
    return str(progress.get("message") or "")


def outcome_to_dict(outcome: OperationOutcome) -> dict[str, Any]:
    """Return the one object of `--output json`: identity, end, result and the operation itself."""
    final = outcome.final or {}
    return {
        "operation_id": outcome.operation_id,
        "status": outcome.status,
        "exit_code": outcome.exit_code,
        "reason": outcome.reason or None,
        "result": final.get("result_summary"),
        "operation": outcome.final,
    }


def _checked(url: str | None) -> str:
    text = url or ""
    try:
        parsed = httpx2.URL(text)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    is_port = (parsed.port or 1) in PORTS
    if parsed.scheme not in {"http", "https"} or not parsed.host or not is_port:
        raise InputInvalid(f"`{text}` is not the address of a server", hint="write it as http://host:port")
    return text


def _local_transport(settings: Settings) -> LocalSocketTransport:
    socket: Path = ensure_server(settings, warn)

    async def restart() -> None:
        await asyncio.to_thread(ensure_server, settings, warn)

    return LocalSocketTransport(socket, restart)


def warn(text: str) -> None:
    """Write one warning to standard error."""
    sys.stderr.write(f"warning: {safe_lines(text)}\n")
