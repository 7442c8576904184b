"""Gives waiting operations to the engine, carries what workers say, and sees cancellations through."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import aclosing

from ktrdr.errors import NotFound, Unavailable
from ktrdr.operations.engine import Assignment, WorkerEngine
from ktrdr.operations.events import (
    ENDINGS,
    Claimed,
    Event,
    Forced,
    LeaseLost,
    Progressed,
    Started,
    WorkerEvent,
)
from ktrdr.operations.operation import Operation, OperationError, OperationStatus
from ktrdr.operations.service import OperationsService

LOG = logging.getLogger(__name__)
CANCEL_GRACE = 10.0
STORE_INTERVAL = 1.0


class Dispatcher:
    """Runs operations in the order they came, at most `engine.slots` at once.

    Each `store_interval` seconds it stores the newest progress, and what the store could not take before.
    `observe_latency` hears how many seconds each report took from the worker to those who wait for it.

    Use it as `async with`: entry settles what an earlier server left running; exit ends the workers.
    """

    def __init__(
        self,
        service: OperationsService,
        engine: WorkerEngine,
        *,
        cancel_grace: float = CANCEL_GRACE,
        store_interval: float = STORE_INTERVAL,
        observe_latency: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._service = service
        self._engine = engine
        self._cancel_grace = cancel_grace
        self._store_interval = store_interval
        self._observe_latency = observe_latency
        self._tasks = asyncio.TaskGroup()
        self._running: dict[str, asyncio.Task[object]] = {}
        self._ended: set[str] = set()
        self._draining = False

    async def __aenter__(self) -> "Dispatcher":
        await self._tasks.__aenter__()
        await self._recover()
        self._loops = (self._spawn(self._dispatch()), self._spawn(self._keep_up()))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stop()
        await self._tasks.__aexit__(None, None, None)

    async def drain(self) -> None:
        """Begin nothing more, end the workers, and return once what they were doing is settled."""
        await self._stop()
        if self._running:
            await asyncio.wait(self._running.values())
        await self._service.keep_up()

    async def _stop(self) -> None:
        self._draining = True
        for loop in self._loops:
            loop.cancel()
        await self._engine.close()

    @property
    def running(self) -> int:
        """Return how many workers are at work."""
        return len(self._running)

    async def cancel(self, operation_id: str, by: str, reason: str, *, force: bool = False) -> Operation:
        """Ask for the end; the worker is told now and killed when the grace is over, or at once by force."""
        operation = await self._service.cancel(operation_id, by, reason)
        if operation.status is OperationStatus.RUNNING:
            await self._engine.cancel(operation_id)
            self._spawn(self._insist(operation_id, 0.0 if force else self._cancel_grace))
        return operation

    async def _insist(self, operation_id: str, grace: float) -> None:
        work = self._running.get(operation_id)
        if work is None:
            return
        await asyncio.wait({work}, timeout=grace)
        if not work.done() and not self._draining and operation_id not in self._ended:
            await self._apply(operation_id, Forced())
            await self._engine.kill(operation_id)

    async def _keep_up(self) -> None:
        while True:
            await self._service.behind.wait()
            await asyncio.sleep(self._store_interval)
            await self._service.keep_up()

    async def _dispatch(self) -> None:
        while True:
            self._service.changed.clear()
            try:
                await self._fill_slots()
            except Unavailable as error:
                await asyncio.sleep(error.retry_after)
            else:
                await self._service.changed.wait()

    async def _fill_slots(self) -> None:
        free = max(self._engine.slots - len(self._running), 0)
        waiting = [
            each
            for each in await self._service.open_operations()
            if each.status is OperationStatus.PENDING and each.operation_id not in self._running
        ]
        for each in waiting[:free]:
            self._begin(each.operation_id)
        for place, each in enumerate(waiting[free:], 1):
            self._service.place(each, place)

    def _begin(self, operation_id: str) -> None:
        task = self._spawn(self._run(operation_id))
        self._running[operation_id] = task
        task.add_done_callback(lambda _: self._finish(operation_id))

    def _finish(self, operation_id: str) -> None:
        del self._running[operation_id]
        self._ended.discard(operation_id)
        self._service.changed.set()

    async def _run(self, operation_id: str) -> None:
        """See an operation from its claim to its end; one that the store no longer knows is dropped."""
        try:
            await self._work(operation_id)
        except NotFound:
            LOG.error("%s is gone from the store; its worker was ended", operation_id)
        except Unavailable as error:
            LOG.error("the end of %s is not stored, the server stops: %s", operation_id, error.message)

    async def _work(self, operation_id: str) -> None:
        claimed = await self._apply(operation_id, Claimed())
        if claimed.status is not OperationStatus.RUNNING:
            return
        trace = claimed.metadata.get("traceparent")
        assignment = Assignment(
            operation_id,
            claimed.operation_type,
            claimed.fence,
            claimed.request,
            trace,
        )
        async with aclosing(self._engine.run(assignment)) as events:
            async for event in events:
                await self._carry(operation_id, event)

    async def _carry(self, operation_id: str, event: WorkerEvent) -> None:
        if isinstance(event, ENDINGS):
            self._ended.add(operation_id)  # whatever waits for the store now, there is nobody to kill
        operation = await self._apply(operation_id, event)
        if isinstance(event, Progressed) and event.at is not None:
            self._observe_latency(max(self._service.clock.now().timestamp() - event.at, 0.0))
        if isinstance(event, Started) and operation.cancel_requested:
            await self._engine.cancel(operation_id)
        if isinstance(event, ENDINGS) and not operation.is_terminal:
            await self._apply(operation_id, self._lost(operation))

    async def _apply(self, operation_id: str, event: Event) -> Operation:
        """Apply an event, again while the store cannot take it: every event is safe to repeat."""
        while True:
            try:
                return await self._service.apply(operation_id, event)
            except Unavailable as error:
                if self._draining:
                    raise
                await asyncio.sleep(error.retry_after)

    def _lost(self, operation: Operation) -> LeaseLost:
        error = OperationError(
            "worker_lost",
            "worker_lost",
            "the worker ended without a result",
            f"see its log: {self._engine.log_path(operation.operation_id)}",
        )
        return LeaseLost(operation.fence, error)

    async def _recover(self) -> None:
        for operation in await self._service.open_operations():
            if operation.status is OperationStatus.RUNNING:
                await self._settle(operation)

    async def _settle(self, operation: Operation) -> None:
        if operation.worker is not None:
            await self._engine.reap_orphan(operation.worker)
        error = OperationError(
            "worker_lost",
            "worker_lost",
            "the server stopped while the operation was running",
            f"start it again; the worker's log is {self._engine.log_path(operation.operation_id)}",
        )
        lost = LeaseLost(operation.fence, error)
        try:
            await self._service.apply(operation.operation_id, lost)
        except Unavailable:  # then as soon as the store can be written
            self._spawn(self._apply(operation.operation_id, lost))

    def _spawn(self, work: Coroutine[object, object, object]) -> asyncio.Task[object]:
        return self._tasks.create_task(work)
