"""While nothing can be stored, work goes on, can be stopped, and what happened is stored afterwards."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ktrdr.clock import SystemClock
from ktrdr.errors import Unavailable
from ktrdr.operations.context import OperationContext
from ktrdr.operations.dispatcher import Dispatcher
from ktrdr.operations.engine import Assignment
from ktrdr.operations.events import ENDINGS, WorkerEvent
from ktrdr.operations.operation import Operation, OperationStatus, WorkerIdentity
from ktrdr.operations.running.unstored import NOT_STORED
from ktrdr.operations.service import OperationsService
from ktrdr.server.engines.inline import InlineEngine, Work
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, CountRequest, cancelling, running
from support.unreliable_store import UnreliableStore

pytestmark = pytest.mark.anyio
KEY = "op_count_a"
SOON = 0.02


class Steps:
    """Work that reports each step it is allowed, until it is told to finish; deaf work never looks up."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.deaf = deaf
        self.allowed: asyncio.Queue[int | None] = asyncio.Queue()

    async def __call__(self, _: Assignment, context: OperationContext) -> Mapping[str, Any]:
        step: int | None = 0
        while step is not None:
            if not self.deaf:
                context.report(1.0, items_processed=step, at_once=True)
            step = await self._next(context)
        return {"counted": 3}

    async def _next(self, context: OperationContext) -> int | None:
        while self.allowed.empty():
            if not self.deaf:
                context.check()
            await asyncio.sleep(0)
        return self.allowed.get_nowait()


class WatchedEngine(InlineEngine):
    """An engine that tells when a worker has ended."""

    def __init__(self, work: Work, folder: Path) -> None:
        super().__init__(work, folder)
        self.ended = asyncio.Event()

    async def run(self, assignment: Assignment) -> AsyncGenerator[WorkerEvent, None]:
        async for event in super().run(assignment):
            if isinstance(event, ENDINGS):
                self.ended.set()
            yield event


class House:
    """One operation at work over a store that can go away."""

    def __init__(self, work: Steps, folder: Path, *, hangs: bool) -> None:
        self.store = UnreliableStore(MemoryOperationStore(), hangs=hangs)
        self.service = OperationsService(self.store, KINDS, SystemClock(), store_patience=SOON)
        self.engine = WatchedEngine(work, folder)
        self.dispatcher = Dispatcher(self.service, self.engine, store_interval=SOON)

    async def until(self, status: OperationStatus, key: str = KEY) -> Operation:
        operation = await self.service.get(key)
        while operation.status is not status:
            operation = await self.service.wait(key, operation.cursor, 5.0)
        return operation

    async def stored(self, status: OperationStatus, key: str = KEY) -> Operation:
        """Wait until this is stored; the dispatcher stores it by itself."""
        while True:
            found = await self.store.get(key)
            assert found
            if found.status is status:
                return found
            await asyncio.sleep(0)


@pytest.fixture(params=["refuses", "hangs"])
def hangs(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "hangs")


@asynccontextmanager
async def at_work(work: Steps, folder: Path, *, hangs: bool) -> AsyncIterator[House]:
    house = House(work, folder, hangs=hangs)
    async with asyncio.timeout(20.0), house.dispatcher:
        await house.service.start("count", CountRequest(), KEY)
        await house.until(OperationStatus.RUNNING)
        while not (await house.service.get(KEY)).worker:
            await asyncio.sleep(0)
        house.store.away = True
        yield house


async def test_fault_16_a_cancellation_reaches_the_worker_and_is_stored_afterwards(
    tmp_path: Path, hangs: bool
) -> None:
    async with at_work(Steps(), tmp_path, hangs=hangs) as house:
        asked = await house.dispatcher.cancel(KEY, "alice", "enough")
        assert asked.cancel_requested
        assert asked.warnings == (NOT_STORED,)
        ended = await house.until(OperationStatus.CANCELLED)
        assert ended.warnings == (NOT_STORED,)
        assert (await house.store.get(KEY) or ended).status is OperationStatus.RUNNING
        house.store.come_back()
        stored = await house.stored(OperationStatus.CANCELLED)
        assert await house.service.get(KEY) == stored
    assert stored.cancel_requested == asked.cancel_requested
    assert stored.warnings == ()


async def test_fault_16_force_kills_a_deaf_worker(tmp_path: Path, hangs: bool) -> None:
    async with at_work(Steps(deaf=True), tmp_path, hangs=hangs) as house:
        await house.dispatcher.cancel(KEY, "alice", "enough", force=True)
        ended = await house.until(OperationStatus.CANCELLED)
        house.store.come_back()
        stored = await house.stored(OperationStatus.CANCELLED)
    assert (ended.fence, stored.fence) == (3, 3)


async def test_fault_16_work_and_its_progress_go_on(tmp_path: Path, hangs: bool) -> None:
    work = Steps()
    async with at_work(work, tmp_path, hangs=hangs) as house:
        operation = await house.service.get(KEY)
        for step in range(1, 6):
            work.allowed.put_nowait(step)
            while operation.progress.items_processed < step:
                operation = await house.service.wait(KEY, operation.cursor, 5.0)
        while not hangs and not operation.warnings:
            operation = await house.service.get(KEY)
            await asyncio.sleep(0)
        house.store.come_back()
        while (await house.store.get(KEY) or operation).progress.items_processed < 5:
            await asyncio.sleep(0)
        assert (await house.service.get(KEY)).warnings == ()


async def test_fault_16_a_result_is_told_when_it_is_stored_and_no_cancellation_undoes_it(
    tmp_path: Path, hangs: bool
) -> None:
    work = Steps(deaf=True)
    async with at_work(work, tmp_path, hangs=hangs) as house:
        work.allowed.put_nowait(None)
        await house.engine.ended.wait()
        asked = await house.dispatcher.cancel(KEY, "alice", "too late", force=True)
        assert asked.status is OperationStatus.RUNNING
        assert asked.warnings == (NOT_STORED,)
        house.store.come_back()
        stored = await house.stored(OperationStatus.COMPLETED)
    assert stored.result_summary == {"counted": 3}


async def test_fault_16_what_waits_can_be_cancelled_and_never_begins(tmp_path: Path, hangs: bool) -> None:
    work = Steps()
    async with at_work(work, tmp_path, hangs=hangs) as house:
        house.store.away = False
        await house.service.start("count", CountRequest(), "op_count_b")
        house.store.away = True
        asked = await house.dispatcher.cancel("op_count_b", "alice", "over")
        assert (asked.status, asked.warnings) == (OperationStatus.CANCELLED, (NOT_STORED,))
        work.allowed.put_nowait(None)
        house.store.come_back()
        await house.stored(OperationStatus.COMPLETED)
        ended = await house.stored(OperationStatus.CANCELLED, "op_count_b")
    assert ended.attempt == 0


async def test_fault_16_a_start_that_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    async with at_work(Steps(), tmp_path, hangs=False) as house:
        with pytest.raises(Unavailable):
            await house.service.start("count", CountRequest(), "op_count_b")
        assert await house.store.get("op_count_b") is None
        house.store.come_back()


async def test_fault_16_what_an_earlier_server_left_is_settled_when_it_can_be_stored(tmp_path: Path) -> None:
    house = House(Steps(), tmp_path, hangs=False)
    orphan = WorkerIdentity("host", 42, 1.5)
    await house.store.insert(running(operation_id=KEY, worker=orphan))
    await house.store.insert(cancelling(operation_id="op_b"))
    house.store.away = True
    async with asyncio.timeout(20.0), house.dispatcher:
        assert house.engine.reaped == (orphan,)
        assert (await house.service.get("op_b")).status is OperationStatus.CANCELLED
        house.store.come_back()
        await house.stored(OperationStatus.FAILED)
        await house.stored(OperationStatus.CANCELLED, "op_b")
