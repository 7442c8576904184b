"""Workers as tasks of the caller's own event loop: for tests and notebooks."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import InputInvalid, KtrdrError, OperationCancelled
from ktrdr.operations.context import OperationContext
from ktrdr.operations.engine import Assignment, WorkerEngine
from ktrdr.operations.events import Cancelled, Failed, LeaseLost, Started, Succeeded, WorkerEvent
from ktrdr.operations.operation import OperationError, WorkerIdentity
from ktrdr.process_identity import start_of

Work = Callable[[Assignment, OperationContext], Coroutine[None, None, Mapping[str, Any]]]


@dataclass(slots=True)
class _Worker:
    task: asyncio.Task[Mapping[str, Any]]
    asked_to_stop: asyncio.Event


class InlineEngine(WorkerEngine):
    """Awaits `work` once an assignment; what it returns is the result, what it raises is the failure.

    A worker that is killed, or still at work when the engine closes, is cancelled and yields LeaseLost.
    """

    def __init__(self, work: Work, work_folder: Path, *, slots: int = 1, clock: Clock | None = None) -> None:
        self.slots = slots
        self.reaped: tuple[WorkerIdentity, ...] = ()
        self._work = work
        self._work_folder = work_folder
        self._clock = clock or SystemClock()
        self._workers: dict[str, _Worker] = {}
        self._closing = False

    async def run(self, assignment: Assignment) -> AsyncGenerator[WorkerEvent, None]:
        """Start the work and yield what it reports, and its ending once its task is done."""
        said: asyncio.Queue[WorkerEvent | None] = asyncio.Queue()
        stop = asyncio.Event()
        task = asyncio.create_task(self._work(assignment, self._context(assignment, said, stop)))
        task.add_done_callback(lambda _: said.put_nowait(None))
        self._workers[assignment.operation_id] = _Worker(task, stop)
        if self._closing:
            task.cancel()
        try:
            yield Started(assignment.fence, _identity())
            while (event := await said.get()) is not None:
                yield event
        finally:
            task.cancel()
            await asyncio.wait({task})
            del self._workers[assignment.operation_id]
        yield _ending(assignment.fence, task)

    async def cancel(self, operation_id: str) -> None:
        """Let the next report of the work raise OperationCancelled; nothing happens if it is gone."""
        if worker := self._workers.get(operation_id):
            worker.asked_to_stop.set()

    async def kill(self, operation_id: str) -> None:
        """Cancel the task; nothing happens if it is gone."""
        if worker := self._workers.get(operation_id):
            worker.task.cancel()

    async def reap_orphan(self, worker: WorkerIdentity) -> None:
        """Note the worker in `reaped`: a task cannot outlive its server."""
        self.reaped += (worker,)

    def log_path(self, operation_id: str) -> str:
        """Return where the work may write its own words."""
        return str(self._work_folder / operation_id / "worker.log")

    async def close(self) -> None:
        """Cancel every task, and those that begin now; every `run` yields its ending."""
        self._closing = True
        for worker in self._workers.values():
            worker.task.cancel()

    def _context(
        self, assignment: Assignment, said: asyncio.Queue[WorkerEvent | None], stop: asyncio.Event
    ) -> OperationContext:
        return OperationContext(
            operation_id=assignment.operation_id,
            fence=assignment.fence,
            emit=said.put_nowait,
            cancelled=stop.is_set,
            clock=self._clock,
            work_folder=self._work_folder / assignment.operation_id / "attempts" / str(assignment.fence),
        )


def _identity() -> WorkerIdentity:
    return WorkerIdentity(socket.gethostname(), os.getpid(), start_of(os.getpid()))


def _ending(fence: int, task: asyncio.Task[Mapping[str, Any]]) -> WorkerEvent:
    if task.cancelled():
        detail = "the worker was ended before it had a result"
        return LeaseLost(fence, OperationError("worker_lost", "worker_lost", detail))
    if error := task.exception():
        return Cancelled(fence) if isinstance(error, OperationCancelled) else Failed(fence, _failure(error))
    return Succeeded(fence, dict(task.result()))


def _failure(error: BaseException) -> OperationError:
    if isinstance(error, KtrdrError):
        reason = "input_invalid" if isinstance(error, InputInvalid) else "error"
        return OperationError(reason, error.code, error.message, error.hint)
    return OperationError("internal", "internal", f"{type(error).__name__}: {error}", "this is a defect")
