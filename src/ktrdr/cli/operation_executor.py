"""The one way every long operation is started, shown, stopped and reported."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace

import httpx2
from rich.console import Console

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.attendance import Attendance, Patience
from ktrdr.cli.display import DisplayFactory
from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.event_lines import EventLines, NoEventLines
from ktrdr.cli.interrupts import Interrupts
from ktrdr.cli.journal import Journal
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_outcome import UNCONFIRMED, OperationOutcome
from ktrdr.cli.operation_report import OperationReport, ProgressCallback, View
from ktrdr.cli.progress_display import make_display
from ktrdr.cli.retries import RetryPolicy
from ktrdr.cli.role import FOLLOWER, OWNER, Role
from ktrdr.cli.worker_logs import LogReader, told
from ktrdr.client.caller import ANYBODY, Caller
from ktrdr.clock import Clock, SystemClock
from ktrdr.operations.identifier import new_operation_id

__all__ = ["AsyncOperationExecutor", "OperationOutcome", "Patience"]


class AsyncOperationExecutor:
    """Starts an operation through its adapter, shows it, and cancels it on Ctrl+C; knows no domain.

    `display` makes what is drawn on standard error; `transport` reaches a socket or an app in process.
    """

    def __init__(
        self,
        base_url: str,
        timeout: float = 30.0,
        poll_interval: float = 0.3,
        retry: RetryPolicy | None = None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        display: DisplayFactory | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
        lines: EventLines | None = None,
        journal: Journal | None = None,
        caller: Caller = ANYBODY,
    ) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._retry = retry or RetryPolicy()
        self._transport = transport
        self._make_display = display or make_display
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._journal = journal
        self._caller = caller
        self._lines = lines or NoEventLines()

    async def execute_operation(
        self,
        adapter: OperationAdapter,
        console: Console,
        progress_callback: ProgressCallback | None = None,
        show_progress: bool = True,
    ) -> bool:
        """Run an operation to its end; True only if the server said that it completed."""
        return (await self.run_operation(adapter, console, progress_callback, show_progress)).completed

    async def run_operation(
        self,
        adapter: OperationAdapter,
        console: Console,
        progress_callback: ProgressCallback | None = None,
        show_progress: bool = True,
        *,
        show_results: bool = True,
        show_logs: bool = False,
        role: Role = OWNER,
    ) -> OperationOutcome:
        """Start an operation, follow it to its end and return how it went, as the role asks."""
        view = View(adapter, console, progress_callback, show_progress, show_results, show_logs)
        operation_id = new_operation_id(adapter.name)
        if self._journal:
            self._journal.begin(operation_id, self._base_url)
        outcome = await self._attend(operation_id, view, role)
        is_known = outcome.exit_code != ExitCode.OUTCOME_UNKNOWN and outcome.reason != UNCONFIRMED
        if self._journal and is_known:
            self._journal.settle(operation_id, exists=outcome.status != "not_started")
        return outcome

    async def follow_operation(
        self,
        operation_id: str,
        adapter: OperationAdapter,
        console: Console,
        progress_callback: ProgressCallback | None = None,
        show_progress: bool = True,
        *,
        show_results: bool = True,
        show_logs: bool = False,
        role: Role = FOLLOWER,
    ) -> OperationOutcome:
        """Follow an operation that runs already; Ctrl+C only stops the following, unless the role cancels."""
        view = View(adapter, console, progress_callback, show_progress, show_results, show_logs)
        return await self._attend(operation_id, view, role)

    async def _attend(self, operation_id: str, view: View, role: Role) -> OperationOutcome:
        interrupts = Interrupts(asyncio.Event, self._clock.monotonic)
        display = self._make_display()
        report = OperationReport(
            operation_id, view, display, self._lines, footer=role.footer, server=self._base_url
        )
        attendance = Attendance(
            operation_id,
            view,
            report,
            interrupts,
            patience=self._patience,
            clock=self._clock,
            role=role,
        )
        client = KtrdrApiClient(
            self._base_url,
            self._timeout,
            self._retry,
            transport=self._transport,
            pause=attendance.pause,
            caller=self._caller,
            warn=report.warning,
        )
        logs = told(LogReader(client, operation_id), report.log) if view.show_logs else nullcontext()
        try:
            with interrupts.listening(asyncio.get_running_loop()):
                async with logs:
                    outcome = await attendance.attend(client, self._poll_interval)
                    return replace(outcome, leaving=interrupts.leaving)
        finally:
            display.complete_operation(False, "")
            await client.close()
