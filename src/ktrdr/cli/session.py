"""What commands are handed: consoles, client and executor, all made from the user's options."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn, TypeVar

import httpx2
import typer
from rich.console import Console

from ktrdr.cli.access_token import caller_of
from ktrdr.cli.api_client import LOCAL_URL, KtrdrApiClient
from ktrdr.cli.attendance import Patience
from ktrdr.cli.background_output import LEAVING_SECONDS, background_output, drain
from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.daemon_thread import in_daemon_thread
from ktrdr.cli.display import DisplayFactory
from ktrdr.cli.event_lines import EventLines
from ktrdr.cli.follow import read_operation
from ktrdr.cli.interrupts import die_by_signal
from ktrdr.cli.invocation import Invocation
from ktrdr.cli.journal import Journal
from ktrdr.cli.local_server import ensure_server, restore_server
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_executor import AsyncOperationExecutor
from ktrdr.cli.operation_facts import status_of
from ktrdr.cli.operation_ids import whole_id
from ktrdr.cli.operation_outcome import SIGNAL_EXIT, OperationOutcome
from ktrdr.cli.options import Output, Progress, RunOutput
from ktrdr.cli.plain_display import PlainProgressDisplay, SilentDisplay
from ktrdr.cli.printed_commands import operations_command
from ktrdr.cli.progress_display import EnhancedCLIProgressDisplay, make_display
from ktrdr.cli.retries import say_and_sleep
from ktrdr.cli.role import FOLLOWER, OWNER, STARTER, OnInterrupt, Role
from ktrdr.cli.server_address import checked_address
from ktrdr.cli.warnings_to_user import warn
from ktrdr.client.caller import ANYBODY, Caller
from ktrdr.client.local_transport import LocalSocketTransport
from ktrdr.errors import NotFound
from ktrdr.settings import Settings

CONTACT_WITHOUT_TERMINAL = 900.0
DISPLAYS: Mapping[Progress, DisplayFactory] = {
    Progress.TTY: EnhancedCLIProgressDisplay,
    Progress.PLAIN: PlainProgressDisplay,
}

T = TypeVar("T")


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
    lines: EventLines
    journal: Journal
    output: str = Output.TABLE
    quiet: bool = False
    progress: Progress = Progress.AUTO
    detach: bool = False
    on_interrupt: OnInterrupt | None = None
    logs: bool = False
    bell: bool = False
    caller: Caller = ANYBODY

    @property
    def contact_patience(self) -> float | None:
        """Return the seconds without contact after which to give up; None where somebody can see it."""
        return None if sys.stderr.isatty() else CONTACT_WITHOUT_TERMINAL

    def client(self) -> KtrdrApiClient:
        """Return a client of the server; the caller closes it."""
        return KtrdrApiClient(
            self.base_url, transport=self.transport, pause=say_and_sleep(), caller=self.caller, warn=warn
        )

    def ask(self, question: Callable[[KtrdrApiClient], Awaitable[T]]) -> T:
        """Ask the server something short; raises KtrdrError."""
        return asyncio.run(self._ask(question))

    def run(
        self, adapter: OperationAdapter, words: Callable[[dict[str, Any]], str] | None = None
    ) -> NoReturn:
        """Run an operation to its end and end the process with its exit code."""
        self._settle_earlier_starts()
        self._finish(
            self._executor().run_operation(
                adapter,
                self.out,
                words,
                self.progress is not Progress.NONE,
                show_results=self.output == Output.TABLE,
                show_logs=self.logs,
                role=self._role(STARTER if self.detach else OWNER),
            )
        )

    def follow(self, operation_id: str, adapter: OperationAdapter) -> NoReturn:
        """Follow a running operation to its end and end the process with its exit code."""
        self._finish(
            self._executor().follow_operation(
                operation_id,
                adapter,
                self.out,
                message_of,
                self.progress is not Progress.NONE,
                show_results=self.output == Output.TABLE,
                show_logs=self.logs,
                role=self._role(FOLLOWER),
            )
        )

    async def whole_id(self, client: KtrdrApiClient, given: str) -> str:
        """Return the one id that `given` names; `@last` and `^1` are what was started from here."""
        return await whole_id(client, given, self.journal.started(self.base_url))

    def print_json(self, value: object) -> None:
        """Write one object to standard output."""
        self.out.file.write(json.dumps(value, indent=2, allow_nan=False) + "\n")

    def _executor(self) -> AsyncOperationExecutor:
        return AsyncOperationExecutor(
            self.base_url,
            transport=self.transport,
            display=SilentDisplay if self.quiet else DISPLAYS.get(self.progress, make_display),
            patience=Patience(contact=self.contact_patience),
            lines=self.lines,
            journal=self.journal,
            caller=self.caller,
        )

    def _settle_earlier_starts(self) -> None:
        """Say once what became of operations whose command was cut off."""
        for operation_id in self.journal.unsettled(self.base_url):
            exists = False
            with suppress(NotFound):
                shown = self.ask(partial(read_operation, operation_id=operation_id))
                warn(
                    f"`{operation_id}`, started by a command that was cut off, is {status_of(shown)}; "
                    f"see: {operations_command('follow', operation_id, self.base_url)}"
                )
                exists = True
            self.journal.settle(operation_id, exists=exists)

    def _role(self, usual: Role) -> Role:
        if self.on_interrupt is None:
            return usual
        return replace(usual, cancels=self.on_interrupt is OnInterrupt.CANCEL)

    def _finish(self, work: Coroutine[Any, Any, OperationOutcome]) -> NoReturn:
        with background_output():
            outcome = asyncio.run(work)
            self._tell(outcome)
            if outcome.leaving and not drain(LEAVING_SECONDS):
                die_by_signal(outcome.leaving)
            end_process(outcome.exit_code, patience=None)

    def _tell(self, outcome: OperationOutcome) -> None:
        if self.output == RunOutput.JSON:
            self.print_json(outcome.to_dict())
        elif self.detach and self.output == RunOutput.TABLE and outcome.exit_code == 0:
            self.out.file.write(f"{outcome.operation_id}\n")
        self.lines.end(outcome.exit_code, outcome.word)
        if self.bell and sys.stderr.isatty():
            sys.stderr.write("\a")

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
    output: str = Output.TABLE,
    quiet: bool = False,
    progress: Progress = Progress.AUTO,
    detach: bool = False,
    on_interrupt: OnInterrupt | None = None,
    logs: bool = False,
    bell: bool = False,
) -> Session:
    """Return the session of a command; without an address the embedded server is found or started."""
    invocation = context.find_object(Invocation) or Invocation()
    given = invocation.surroundings or Surroundings(Settings.load())
    address = checked_address(url or given.settings.api_url) if (url or given.settings.api_url) else None
    transport = given.transport
    if address is None and transport is None:
        transport = _local_transport(given.settings)
    return Session(
        address or LOCAL_URL,
        transport,
        PlainSpokenConsole(),
        invocation.lines,
        Journal(given.settings.state_dir / "started.jsonl"),
        output,
        quiet,
        progress,
        detach,
        on_interrupt,
        logs,
        bell,
        caller_of(given.settings, by_port=address is not None),
    )


def end_process(code: int, patience: float | None = LEAVING_SECONDS) -> NoReturn:
    """End with an exit code; one that stands for a signal by dying of that signal.

    `patience` is how many seconds a reader then has for what is not read yet; None is as long as it takes.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if code > SIGNAL_EXIT:
        drain(patience)
        die_by_signal(code - SIGNAL_EXIT)
    raise typer.Exit(code)


def message_of(operation: dict[str, Any]) -> str:
    """Return the worker's own words about its progress."""
    progress = operation.get("progress") or {}
    return str(progress.get("message") or "")


def _local_transport(settings: Settings) -> LocalSocketTransport:
    restore = partial(restore_server, settings, warn)
    return LocalSocketTransport(ensure_server(settings, warn), lambda: in_daemon_thread(restore))
