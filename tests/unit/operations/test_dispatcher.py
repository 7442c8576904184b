"""What the dispatcher promises, with workers inside this very loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ktrdr.clock import SystemClock
from ktrdr.errors import InputInvalid, OperationCancelled, TrainingFailed
from ktrdr.operations import events
from ktrdr.operations.context import OperationContext
from ktrdr.operations.dispatcher import Dispatcher
from ktrdr.operations.engine import Assignment
from ktrdr.operations.operation import Operation, OperationStatus, WorkerIdentity
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationFilter
from ktrdr.server.engines.inline import InlineEngine, Work
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, CountRequest, an_operation, cancelling, running
from support.unreliable_store import Fault, UnreliableStore

pytestmark = pytest.mark.anyio


class House:
    """A service, its dispatcher, and the waiting every test needs."""

    def __init__(
        self,
        work: Work,
        folder: Path,
        *,
        slots: int = 1,
        cancel_grace: float = 10.0,
        store_interval: float = 1.0,
    ) -> None:
        self.store = UnreliableStore(MemoryOperationStore())
        self.service = OperationsService(self.store, KINDS, SystemClock())
        self.engine = InlineEngine(work, folder, slots=slots)
        self.dispatcher = Dispatcher(
            self.service, self.engine, cancel_grace=cancel_grace, store_interval=store_interval
        )

    async def start(self, key: str = "op_count_a") -> str:
        await self.service.start("count", CountRequest(), key)
        return key

    async def until(self, key: str, status: OperationStatus) -> Operation:
        operation = await self.service.get(key)
        while operation.status is not status:
            assert not operation.is_terminal, operation
            operation = await self.service.wait(key, operation.cursor, 5.0)
        return operation


@asynccontextmanager
async def housing(work: Work, folder: Path, **options: Any) -> AsyncIterator[House]:
    house = House(work, folder, **options)
    async with asyncio.timeout(10.0), house.dispatcher:
        yield house


async def count(assignment: Assignment, context: OperationContext) -> Mapping[str, Any]:
    total = assignment.request["to"]
    for number in range(total):
        context.report(100 * (number + 1) / total, items_processed=number + 1)
        await asyncio.sleep(0)
    context.checkpointed("the end")
    return {"counted": total}


class Patient:
    """Work that goes on until it is allowed to end, looking for a cancellation at each step if `polite`."""

    def __init__(self, *, polite: bool = True) -> None:
        self.polite = polite
        self.allowed = asyncio.Event()
        self.at_work: list[str] = []
        self.most_at_once = 0

    async def __call__(self, assignment: Assignment, context: OperationContext) -> Mapping[str, Any]:
        self.at_work.append(assignment.operation_id)
        self.most_at_once = max(self.most_at_once, len(self.at_work))
        try:
            while not self.allowed.is_set():
                if self.polite:
                    context.check()
                await asyncio.sleep(0)
        finally:
            self.at_work.remove(assignment.operation_id)
        return {"counted": 3}


async def test_work_is_done_reported_and_completed(tmp_path: Path) -> None:
    async with housing(count, tmp_path) as house:
        ended = await house.until(await house.start(), OperationStatus.COMPLETED)
    assert ended.result_summary == {"counted": 3}
    assert ended.progress.items_processed == 3
    assert ended.checkpoint == "the end"
    assert ended.worker is not None
    assert (ended.attempt, ended.fence) == (1, 1)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (InputInvalid("no such symbol"), "input_invalid", "input_invalid"),
        (TrainingFailed("no such symbol"), "error", "training_failed"),
        (ZeroDivisionError("no such symbol"), "internal", "internal"),
    ],
)
async def test_what_the_work_raises_is_the_failure(
    tmp_path: Path, error: Exception, reason: str, code: str
) -> None:
    async def fail(assignment: Assignment, context: OperationContext) -> Mapping[str, Any]:
        raise error

    async with housing(fail, tmp_path) as house:
        ended = await house.until(await house.start(), OperationStatus.FAILED)
    assert ended.error
    assert (ended.error.reason, ended.error.code) == (reason, code)
    assert "no such symbol" in ended.error.detail


async def test_slots_are_kept_and_those_who_wait_know_their_place(tmp_path: Path) -> None:
    work = Patient()
    async with housing(work, tmp_path, slots=2) as house:
        keys = [await house.start(f"op_count_{name}") for name in "abcd"]
        for key in keys[:2]:
            await house.until(key, OperationStatus.RUNNING)
        await house.service.wait(keys[3], (1, 0, 0), 5.0)
        page = await house.service.list(OperationFilter())
        places = {each.operation_id[-1]: each.progress.queue_position for each in page.operations}
        assert places == {"a": None, "b": None, "c": 1, "d": 2}
        assert house.dispatcher.running == 2
        while len(work.at_work) < 2:
            await asyncio.sleep(0)
        work.allowed.set()
        for key in keys:
            await house.until(key, OperationStatus.COMPLETED)
    assert work.most_at_once == 2


async def test_who_waits_is_told_of_every_place_and_no_cursor_goes_back(tmp_path: Path) -> None:
    async with housing(Patient(), tmp_path) as house:
        keys = [await house.start(f"op_count_{name}") for name in "abc"]
        seen = await house.service.wait(keys[2], (1, 0, 0), 5.0)
        assert seen.progress.queue_position == 2
        await house.dispatcher.cancel(keys[1], "me", "over")
        moved = await house.service.wait(keys[2], seen.cursor, 5.0)
        assert moved.progress.queue_position == 1
        await house.dispatcher.cancel(keys[0], "me", "over")
        begun = await house.service.wait(keys[2], moved.cursor, 5.0)
        assert begun.progress.queue_position is None
        assert seen.cursor < moved.cursor < begun.cursor
        await house.dispatcher.cancel(keys[2], "me", "over")
        assert (await house.service.get(keys[1])).progress.queue_position is None


async def test_another_server_counts_places_where_the_one_before_stopped(tmp_path: Path) -> None:
    """A follower's cursor is as good at the next server."""
    work = Patient()
    async with housing(work, tmp_path) as house:
        keys = [await house.start(f"op_count_{name}") for name in "abc"]
        before = await house.service.wait(keys[2], (1, 0, 0), 5.0)
        later = OperationsService(house.store, KINDS, SystemClock())
        later.place(await later.get(keys[2]), 1)
        assert (await later.get(keys[2])).cursor > before.cursor
        work.allowed.set()


async def test_cancelling_one_that_waits_never_starts_it(tmp_path: Path) -> None:
    work = Patient()
    async with housing(work, tmp_path) as house:
        first, second = await house.start("op_count_a"), await house.start("op_count_b")
        await house.until(first, OperationStatus.RUNNING)
        cancelled = await house.dispatcher.cancel(second, "alice", "")
        assert cancelled.status is OperationStatus.CANCELLED
        work.allowed.set()
        await house.until(first, OperationStatus.COMPLETED)
    assert (await house.service.get(second)).attempt == 0


async def test_a_polite_worker_acknowledges_its_cancellation(tmp_path: Path) -> None:
    async with housing(Patient(), tmp_path) as house:
        key = await house.start()
        await house.until(key, OperationStatus.RUNNING)
        asked = await house.dispatcher.cancel(key, "alice", "too slow")
        assert asked.status is OperationStatus.RUNNING
        ended = await house.until(key, OperationStatus.CANCELLED)
    assert ended.fence == 1


@pytest.mark.parametrize(("force", "grace"), [(True, 60.0), (False, 0.01)])
async def test_a_deaf_worker_is_killed_by_force_or_when_the_grace_is_over(
    tmp_path: Path, force: bool, grace: float
) -> None:
    work = Patient(polite=False)
    async with housing(work, tmp_path, cancel_grace=grace) as house:
        key = await house.start()
        await house.until(key, OperationStatus.RUNNING)
        await house.dispatcher.cancel(key, "alice", "", force=force)
        ended = await house.until(key, OperationStatus.CANCELLED)
        assert work.at_work == []
    assert ended.fence == 3  # moved by force before the kill, and by the proof that the worker is gone


async def test_work_that_was_done_first_completes_though_it_was_cancelled(tmp_path: Path) -> None:
    work = Patient(polite=False)
    async with housing(work, tmp_path) as house:
        key = await house.start()
        await house.until(key, OperationStatus.RUNNING)
        await house.dispatcher.cancel(key, "alice", "")
        work.allowed.set()
        ended = await house.until(key, OperationStatus.COMPLETED)
    assert ended.cancel_requested


async def test_a_worker_that_stops_unasked_has_failed(tmp_path: Path) -> None:
    async def stop(assignment: Assignment, context: OperationContext) -> Mapping[str, Any]:
        raise OperationCancelled("nobody asked")

    async with housing(stop, tmp_path) as house:
        ended = await house.until(await house.start(), OperationStatus.FAILED)
    assert ended.error
    assert ended.error.reason == "worker_lost"


async def test_a_server_that_stops_leaves_no_worker_and_no_running_operation(tmp_path: Path) -> None:
    work = Patient(polite=False)
    async with housing(work, tmp_path) as house:
        key = await house.start()
        await house.until(key, OperationStatus.RUNNING)
    assert work.at_work == []
    ended = await house.service.get(key)
    assert ended.status is OperationStatus.FAILED
    assert ended.error
    assert ended.error.reason == "worker_lost"


async def test_the_next_server_reaps_and_settles_what_was_running(tmp_path: Path) -> None:
    orphan = WorkerIdentity("host", 42, 1.5)
    house = House(count, tmp_path)
    await house.store.insert(running(operation_id="op_a", worker=orphan))
    await house.store.insert(cancelling(operation_id="op_b"))
    await house.store.insert(an_operation("op_c"))
    async with house.dispatcher:
        statuses = [(await house.service.get(f"op_{name}")).status for name in "ab"]
        await house.until("op_c", OperationStatus.COMPLETED)
    assert statuses == [OperationStatus.FAILED, OperationStatus.CANCELLED]
    assert house.engine.reaped == (orphan,)


async def test_an_operation_that_was_cancelled_before_its_claim_is_not_run(tmp_path: Path) -> None:
    work = Patient()
    house = House(work, tmp_path)
    key = await house.start()

    async def rival() -> None:
        await house.service.cancel(key, "alice", "quicker")

    house.store.fault, house.store.rival = Fault.RIVAL_FIRST, rival
    async with house.dispatcher:
        await house.until(key, OperationStatus.CANCELLED)
    assert work.most_at_once == 0


async def test_a_cancellation_before_the_worker_could_listen_reaches_it(tmp_path: Path) -> None:
    house = House(Patient(), tmp_path)

    class Slow(InlineEngine):
        async def run(self, assignment: Assignment) -> AsyncGenerator[events.WorkerEvent, None]:
            await house.service.cancel(assignment.operation_id, "alice", "quicker")
            async for event in super().run(assignment):
                yield event

    async with asyncio.timeout(10.0), Dispatcher(house.service, Slow(Patient(), tmp_path)):
        ended = await house.until(await house.start(), OperationStatus.CANCELLED)
    assert ended.fence == 1


async def test_cancelling_what_no_worker_here_runs_waits_for_nobody(tmp_path: Path) -> None:
    async with housing(count, tmp_path) as house:
        await house.store.insert(running(operation_id="op_elsewhere"))
        asked = await house.dispatcher.cancel("op_elsewhere", "alice", "")
    assert asked.cancel_requested


async def test_a_store_that_cannot_be_read_for_a_while_holds_up_but_loses_nothing(tmp_path: Path) -> None:
    house = House(count, tmp_path)
    async with asyncio.timeout(10.0), house.dispatcher:
        house.store.unreadable = 2
        await house.until(await house.start(), OperationStatus.COMPLETED)
    assert house.store.unreadable == 0


async def test_after_draining_all_work_is_settled_and_nothing_begins(tmp_path: Path) -> None:
    async with housing(Patient(), tmp_path) as house:
        first = await house.start()
        await house.until(first, OperationStatus.RUNNING)
        await house.dispatcher.drain()
        assert (await house.service.get(first)).is_terminal
        waiting = await house.start("op_count_b")
        await house.dispatcher.drain()
        assert (await house.service.get(waiting)).status is OperationStatus.PENDING


async def test_a_server_that_cannot_write_while_it_stops_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work = Patient()
    async with housing(work, tmp_path) as house:
        await house.until(await house.start(), OperationStatus.RUNNING)
        while not (await house.service.get("op_count_a")).worker:
            await asyncio.sleep(0)
        house.store.fault = Fault.REFUSED
    assert work.at_work == []
    assert "the end of op_count_a is not stored, the server stops: the disk is full" in caplog.text


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ERROR_AFTER_COMMIT, Fault.FALSE_AFTER_COMMIT])
async def test_a_store_that_cannot_write_for_a_while_ends_no_work(tmp_path: Path, fault: Fault) -> None:
    house = House(count, tmp_path)
    key = await house.start()
    house.store.fault = fault
    async with asyncio.timeout(10.0), house.dispatcher:
        ended = await house.until(key, OperationStatus.COMPLETED)
    assert ended.attempt == 1


async def test_the_last_report_of_a_burst_is_stored_though_nothing_more_is_said(tmp_path: Path) -> None:
    """What the next server shows after a crash is not below what was on the screen."""

    async def burst(_: Assignment, context: OperationContext) -> Mapping[str, Any]:
        for number in range(1, 51):
            context.report(2.0 * number, items_processed=number, at_once=True)
        await asyncio.Event().wait()
        return {}

    async with housing(burst, tmp_path, store_interval=0.01) as house:
        key = await house.start()
        while (await house.service.get(key)).progress.items_processed < 50:
            await asyncio.sleep(0)
        shown = await house.service.get(key)
        while (await house.store.get(key) or shown).progress.items_processed < 50:
            await asyncio.sleep(0)
        after_a_crash = OperationsService(house.store, KINDS, SystemClock())
        assert (await after_a_crash.get(key)).progress == shown.progress


async def test_an_operation_that_is_gone_from_the_store_is_dropped_and_the_rest_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work = Patient()
    async with housing(work, tmp_path) as house:
        key = await house.start()
        await house.until(key, OperationStatus.RUNNING)
        house.store.inner = MemoryOperationStore()
        work.allowed.set()
        while house.dispatcher.running:
            await asyncio.sleep(0)
        await house.until(await house.start("op_count_b"), OperationStatus.COMPLETED)
    assert "op_count_a is gone from the store; its worker was ended" in caplog.text


async def test_nobody_is_told_to_stop_who_is_gone(tmp_path: Path) -> None:
    engine = InlineEngine(count, tmp_path)
    await engine.cancel("op_count_gone")
    await engine.kill("op_count_gone")
    assert engine.log_path("op_count_gone") == str(tmp_path / "op_count_gone" / "worker.log")


async def test_the_last_word_of_a_worker_is_its_ending(tmp_path: Path) -> None:
    engine = InlineEngine(count, tmp_path)
    said = [each async for each in engine.run(Assignment("op_a", "count", 4, {"to": 2}))]
    assert [type(each) for each in said] == [
        events.Started,
        events.Progressed,
        events.Progressed,
        events.Checkpointed,
        events.Succeeded,
    ]
    assert {each.fence for each in said} == {4}
