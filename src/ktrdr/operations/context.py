"""What a handler is given: report progress, keep checkpoints, notice cancellation."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ktrdr.clock import Clock
from ktrdr.errors import OperationCancelled
from ktrdr.operations.events import Checkpointed, Progressed, WorkerEvent
from ktrdr.operations.progress import (
    GenericProgressState,
    PhaseProgress,
    enter_phase,
    overall_percentage,
)

LOG = logging.getLogger(__name__)
REPORT_INTERVAL = 0.1
MEASURE_INTERVAL = 1.0
SAMPLES_BEFORE_ETA = 3


class OperationContext:
    """The worker's side of one operation.

    `work_folder` belongs to this attempt alone; `cancelled` answers whether cancellation was asked; `measure`
    says what the work uses of the machine, asked at most once a second.
    """

    def __init__(
        self,
        *,
        operation_id: str,
        fence: int,
        emit: Callable[[WorkerEvent], None],
        cancelled: Callable[[], bool],
        clock: Clock,
        work_folder: Path,
        measure: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self.operation_id = operation_id
        self.work_folder = work_folder
        self._fence = fence
        self._emit = emit
        self._cancelled = cancelled
        self._clock = clock
        self._state = GenericProgressState(operation_id=operation_id)
        self._phase_start = clock.monotonic()
        self._last_sent = float("-inf")
        self._samples = 0
        self._measure = measure
        self._measured_at = float("-inf")
        self._usage: Mapping[str, Any] = {}

    def plan(self, phases: Sequence[PhaseProgress]) -> None:
        """Declare the weighted phases of the work, in order."""
        self._state = replace(self._state, phases=tuple(phases), steps_total=len(phases))

    def enter(self, phase: str, message: str = "") -> None:
        """Begin a phase: everything before it is finished. Raises OperationCancelled if asked to stop."""
        LOG.info("%s begins%s", phase, f": {message}" if message else "")
        phases = enter_phase(self._state.phases, phase)
        self._phase_start = self._clock.monotonic()
        self._samples = 0
        self._state = replace(
            self._state,
            phases=phases,
            current_step=phase,
            steps_completed=[each.name for each in phases].index(phase),
        )
        self._last_sent = float("-inf")
        self.report(0.0, message)

    def report(
        self,
        percentage: float,
        message: str = "",
        *,
        items_processed: int = 0,
        items_total: int | None = None,
        context: Mapping[str, Any] | None = None,
        at_once: bool = False,
    ) -> None:
        """Say how far the current phase is, 0 to 100; raises OperationCancelled if asked to stop.

        At most ten reports a second are sent; the first and the last of a phase always are, and those that
        are to be sent `at_once`, because nothing may be heard for long afterwards.
        """
        self.check()
        self._samples += 1
        self._state = replace(
            self._with_phase(percentage, message),
            message=message,
            items_processed=items_processed,
            items_total=items_total,
            context=dict(context or {}),
            estimated_remaining_seconds=self._remaining(percentage),
        )
        now = self._clock.monotonic()
        if at_once or percentage >= 100 or now - self._last_sent >= REPORT_INTERVAL:
            self._send(now)

    def checkpointed(self, name: str) -> None:
        """Say that a durable checkpoint exists."""
        self._emit(Checkpointed(self._fence, name))

    def check(self) -> None:
        """Raise OperationCancelled if cancellation was asked."""
        if self._cancelled():
            raise OperationCancelled("cancellation was asked")

    def _with_phase(self, percentage: float, message: str) -> GenericProgressState:
        elapsed = self._clock.monotonic() - self._phase_start
        phases = tuple(
            replace(phase, percentage=percentage, elapsed_seconds=elapsed, message=message)
            if phase.name == self._state.current_step
            else phase
            for phase in self._state.phases
        )
        total = overall_percentage(phases) if phases else percentage
        return replace(self._state, phases=phases, percentage=max(self._state.percentage, total))

    def _remaining(self, percentage: float) -> float | None:
        if self._samples < SAMPLES_BEFORE_ETA or percentage <= 0:
            return None
        elapsed = self._clock.monotonic() - self._phase_start
        return max(0.0, elapsed * (100 - percentage) / percentage)

    def _send(self, now: float) -> None:
        self._last_sent = now
        if self._measure and now - self._measured_at >= MEASURE_INTERVAL:
            self._measured_at, self._usage = now, self._measure()
        used = {"resource_usage": dict(self._usage)} if self._usage else {}
        context = {**self._state.context, **used}
        self._state = replace(self._state, seq=self._state.seq + 1, context=context)
        self._emit(Progressed(self._fence, self._state, self._clock.now().timestamp()))
