"""The handler to copy: real waiting, real progress, real cancellation."""

import threading

from ktrdr.clock import SystemClock
from ktrdr.kinds.dummy import DummyRequest, DummyResult
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders


def handle(request: DummyRequest, context: OperationContext, _: Folders) -> DummyResult:
    """Work through the iterations, spread over the duration."""
    clock = SystemClock()
    started = clock.monotonic()
    pause = threading.Event()
    context.plan([PhaseProgress("Iterations")])
    context.enter("Iterations")
    for done in range(1, request.iterations + 1):
        _pause_until(pause, clock, started + request.duration * done / request.iterations, context)
        context.report(
            100.0 * done / request.iterations,
            f"iteration {done}/{request.iterations}",
            items_processed=done,
            items_total=request.iterations,
        )
    return DummyResult(iterations_completed=request.iterations, total_time=clock.monotonic() - started)


def _pause_until(
    pause: threading.Event, clock: SystemClock, moment: float, context: OperationContext
) -> None:
    while (left := moment - clock.monotonic()) > 0:
        pause.wait(min(left, 0.05))
        context.check()
