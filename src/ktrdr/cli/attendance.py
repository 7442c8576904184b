"""One operation attended: started, followed, stopped if asked, whatever goes wrong on the way."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.backpressure import output_taken
from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.follow import Follower, read_operation, unless, wait_for
from ktrdr.cli.interrupts import Interrupts
from ktrdr.cli.operation_facts import has_completed, has_ended, has_failed
from ktrdr.cli.operation_outcome import SIGNAL_EXIT, OperationOutcome
from ktrdr.cli.operation_report import MISFITS, OperationReport, View
from ktrdr.cli.printed_commands import operations_command
from ktrdr.cli.role import Role
from ktrdr.clock import Clock
from ktrdr.errors import ContactLost, KtrdrError, NotFound, ServerFailed, ServerUnreachable, Unavailable

T = TypeVar("T")

ONE_LOOK = 0.001


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds each kind of waiting may last; `contact` None waits for ever."""

    acknowledgement: float = 4.8  # and leaving: 5 s in all
    cancel_try: float = 3.0
    ending: float = 18.0
    termination: float = 5.0
    contact: float | None = None


class Attendance:
    """Attends one operation, as the role of the command asks."""

    def __init__(
        self,
        operation_id: str,
        view: View,
        report: OperationReport,
        interrupts: Interrupts,
        *,
        patience: Patience,
        clock: Clock,
        role: Role,
    ) -> None:
        self._id = operation_id
        self._view = view
        self._report = report
        self._interrupts = interrupts
        self._patience = patience
        self._clock = clock
        self._role = role
        self._accepted = not role.starts
        self._retry_until = interrupts.first

    async def pause(self, seconds: float) -> bool:
        """Wait between two tries of a request; tell whether an interrupt makes further tries pointless."""
        return await wait_for(self._retry_until, seconds)

    async def attend(self, client: KtrdrApiClient, interval: float) -> OperationOutcome:
        """Bring the operation to an end that can be told."""
        self._client = client
        self._follower = Follower(
            client,
            self._id,
            interval=interval,
            clock=self._clock,
            on_contact=self._report.contact,
            patience=self._patience.contact,
        )
        try:
            if self._role.starts and not await self._start():
                return self._report.not_started(self._signal_exit())
            if not self._role.stays and not self._interrupts.first.is_set():
                return self._report.left_to_run()
            return await self._follow()
        except KtrdrError as error:
            return self._report.error(error, accepted=self._accepted)

    async def _start(self) -> bool:
        """Start the operation; False if an interrupt came while nothing can have been started."""
        if await wait_for(self._interrupts.first, ONE_LOOK):
            return False
        adapter = self._view.adapter
        work = self._client.start(adapter.get_start_endpoint(), adapter.get_start_payload(), self._id)
        task = asyncio.ensure_future(work)
        try:
            self._accept(await self._answer_to(task))
        except (ServerFailed, ServerUnreachable, Unavailable) as error:
            return await self._find_out(error)
        finally:
            task.cancel()
        return True

    async def _answer_to(self, start: "asyncio.Future[dict[str, Any]]") -> dict[str, Any]:
        """Return the answer; after an interrupt it has a little more time to come."""
        answer = await unless(self._interrupts.first, asyncio.shield(start))
        if answer is None:
            if self._role.cancels and not self._interrupts.hung_up:
                self._report.cancelling()
            answer = await self._at_most(self._patience.acknowledgement, asyncio.shield(start))
        if answer is None:
            raise ServerUnreachable("the start was not answered in time", may_have_arrived=True)
        return answer

    def _accept(self, answer: dict[str, Any]) -> None:
        try:
            self._view.adapter.parse_start_response(answer)
        except MISFITS as error:
            raise ServerFailed("the answer to the start cannot be understood") from error
        self._accepted = True
        self._report.accepted()

    async def _find_out(self, error: ServerFailed | ServerUnreachable | Unavailable) -> bool:
        """Settle by its id a start that had no good answer: True if it may exist, else it is raised."""
        possible = isinstance(error, ServerFailed) or error.may_have_arrived
        if self._interrupts.first.is_set():
            return possible
        if not possible:
            raise error
        try:
            await read_operation(self._client, self._id)
        except NotFound:
            raise error from None
        except KtrdrError as unknown:
            raise ContactLost(
                f"`{self._id}` may have been started: {unknown.message}",
                hint=f"see: {operations_command('status', self._id, self._client.base_url)}",
            ) from error
        self._accepted = True
        self._report.accepted()
        return True

    async def _follow(self) -> OperationOutcome:
        final = await self._watch(self._interrupts.first)
        if final is not None:
            return await self._end(final)
        if not self._role.cancels or self._interrupts.hung_up:
            return self._report.detached(self._signal_exit(), self._follower.last, confirmed=self._accepted)
        return await self._stop()

    async def _watch(self, until: asyncio.Event) -> dict[str, Any] | None:
        """Show every update; return the operation once it has ended, None if `until` was set first.

        What runs is shown as fast as it is read; what is being stopped waits for no reader.
        """
        final = None
        async for operation in self._follower.updates(until):
            self._report.progress(operation)
            final = operation if has_ended(operation) else None
            if not self._interrupts.first.is_set():
                await unless(until, output_taken())
        return final

    async def _stop(self) -> OperationOutcome:
        """Cancel, wait for the acknowledgement, then for the end."""
        self._retry_until = self._interrupts.second
        self._report.cancelling()
        limit = self._patience.termination if self._interrupts.terminated else self._patience.ending
        deadline = self._clock.monotonic() + limit
        try:
            acknowledged = await self._cancel()
        except NotFound:
            if self._accepted:
                raise
            acknowledged = False  # the start is still on its way, or it never arrived
        final = None
        if acknowledged:
            self._report.acknowledged()
            left = deadline - self._clock.monotonic()
            final = await self._at_most(left, self._watch(self._interrupts.second))
        if final is not None:
            return await self._end(final)
        return self._report.left(self._exit_of_leaving(), self._follower.last, acknowledged=acknowledged)

    async def _cancel(self) -> bool:
        """Ask the server to cancel; True if it answered in time, NotFound if there is nothing to cancel."""
        reason = "terminated" if self._interrupts.terminated else "Ctrl+C"
        request = self._client.cancel(self._id, reason, timeout=self._patience.cancel_try)
        try:
            return await self._at_most(self._patience.acknowledgement, request) is not None
        except NotFound:
            raise
        except KtrdrError as error:
            self._report.warning(f"the cancellation could not be confirmed: {error.message}")
            return False

    async def _at_most(self, seconds: float, work: Awaitable[T]) -> T | None:
        """Return what the work returns; None when the seconds are over or no more waiting is wanted."""
        try:
            async with asyncio.timeout(seconds):
                return await unless(self._interrupts.second, work)
        except TimeoutError:
            return None

    async def _end(self, final: dict[str, Any]) -> OperationOutcome:
        """Tell how it ended, which only the server knows."""
        asked = self._interrupts.first.is_set()
        view = self._view
        if has_failed(final):
            return self._report.failed(final)
        if has_completed(final):
            outcome = self._report.completed(final, asked_to_stop=asked)
            await self._show(view.adapter.display_results(final, view.console, self._client.http))
        else:
            outcome = self._report.cancelled(
                final, self._signal_exit() if asked and self._role.cancels else None
            )
            await self._show(view.adapter.display_cancelled(final, view.console))
        return outcome

    async def _show(self, results: Coroutine[Any, Any, None]) -> None:
        if not self._view.show_results:
            results.close()
            return
        asked = self._interrupts.first.is_set()
        try:
            await unless(self._interrupts.second if asked else self._interrupts.first, results)
        except (KtrdrError, httpx2.HTTPError, *MISFITS) as error:
            self._report.results_not_shown(error)

    def _exit_of_leaving(self) -> int:
        chosen = self._interrupts.second.is_set() or self._interrupts.terminated
        return self._signal_exit() if chosen else ExitCode.OUTCOME_UNKNOWN

    def _signal_exit(self) -> int:
        return SIGNAL_EXIT + (self._interrupts.signum or 0)
