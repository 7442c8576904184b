"""What the service promises to the API and to the dispatcher."""

import asyncio

import pytest

from ktrdr.errors import Conflict, InputInvalid, NotFound, QueueFull
from ktrdr.operations import events
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationFilter
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, LOST, CountRequest, StillClock, an_operation
from support.unreliable_store import Fault, UnreliableStore

pytestmark = pytest.mark.anyio

KEY = "op_count_aaaaaaaaaaaa"
NOTHING_YET = (0, 0, 0)
WHOLE = "should be a whole number"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def store() -> UnreliableStore:
    return UnreliableStore(MemoryOperationStore())


@pytest.fixture
def service(store: UnreliableStore, clock: StillClock) -> OperationsService:
    return OperationsService(store, KINDS, clock, queue_limit=2)


async def claimed(service: OperationsService) -> Operation:
    await service.start("count", CountRequest(), KEY)
    return await service.apply(KEY, events.Claimed())


def report(seq: int, fence: int = 1) -> events.Progressed:
    return events.Progressed(fence, GenericProgressState(KEY, percentage=float(seq), seq=seq))


async def test_a_start_stores_the_canonical_request_and_its_words(
    service: OperationsService, store: UnreliableStore, clock: StillClock
) -> None:
    started, replayed = await service.start("count", CountRequest(to=5), KEY)
    assert not replayed
    assert await store.get(KEY) == started
    assert started.request == {"to": 5}
    assert started.metadata == {"description": "count to 5"}
    assert started.created_at == clock.now()
    assert started.status is OperationStatus.PENDING


async def test_a_start_without_a_key_mints_one(service: OperationsService) -> None:
    started, _ = await service.start("count", CountRequest())
    assert started.operation_id.startswith("op_count_")


async def test_the_same_start_again_answers_with_the_first(service: OperationsService) -> None:
    first, _ = await service.start("count", CountRequest(), KEY)
    assert await service.start("count", CountRequest(to=3), KEY) == (first, True)


async def test_the_same_key_for_another_request_is_a_conflict(service: OperationsService) -> None:
    await service.start("count", CountRequest(), KEY)
    with pytest.raises(Conflict, match="different request"):
        await service.start("count", CountRequest(to=4), KEY)


async def test_two_starts_of_one_key_at_once_make_one_operation(service: OperationsService) -> None:
    both = await asyncio.gather(*(service.start("count", CountRequest(), KEY) for _ in range(2)))
    assert sorted(replayed for _, replayed in both) == [False, True]
    assert (await service.list(OperationFilter())).total_count == 1


async def test_a_start_whose_answer_was_lost_is_dispatched(
    service: OperationsService, store: UnreliableStore
) -> None:
    store.fault = Fault.FALSE_AFTER_COMMIT
    _, replayed = await service.start("count", CountRequest(), KEY)
    assert replayed
    assert service.changed.is_set()


async def test_a_full_queue_refuses_but_still_answers_a_replay(service: OperationsService) -> None:
    first, _ = await service.start("count", CountRequest(), KEY)
    await service.start("count", CountRequest())
    with pytest.raises(QueueFull, match="2 operations are waiting"):
        await service.start("count", CountRequest())
    assert await service.start("count", CountRequest(), KEY) == (first, True)


async def test_starts_at_once_do_not_exceed_the_queue(service: OperationsService) -> None:
    starts = (service.start("count", CountRequest()) for _ in range(20))
    answers = await asyncio.gather(*starts, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, QueueFull)]
    assert len(refused) == 18
    assert (await service.list(OperationFilter())).total_count == 2


async def test_an_unknown_operation_is_not_found(service: OperationsService) -> None:
    with pytest.raises(NotFound):
        await service.get(KEY)
    with pytest.raises(NotFound):
        await service.cancel(KEY, "alice", "")


async def test_cancelling_twice_remembers_who_asked_first(service: OperationsService) -> None:
    await claimed(service)
    first = await service.cancel(KEY, "alice", "too slow")
    assert await service.cancel(KEY, "bob", "me too") == first
    assert first.cancel_requested
    assert first.cancel_requested.by == "alice"


async def test_progress_is_shown_at_once_and_stored_when_the_service_keeps_up(
    service: OperationsService, store: UnreliableStore
) -> None:
    before = await claimed(service)
    await service.apply(KEY, report(1))
    assert (await service.get(KEY)).progress.seq == 1
    assert (await service.list(OperationFilter())).operations[0].progress.seq == 1
    assert await store.get(KEY) == before
    assert service.behind.is_set()


async def test_the_last_report_of_a_burst_is_stored_and_nothing_twice(
    service: OperationsService, store: UnreliableStore
) -> None:
    before = await claimed(service)
    for number in range(1, 8):
        await service.apply(KEY, report(number))
    for _ in range(2):
        await service.keep_up()
    stored = await store.get(KEY)
    assert stored
    assert (stored.progress.seq, stored.version) == (7, before.version + 1)
    assert not service.behind.is_set()


async def test_a_report_that_comes_while_an_older_one_is_stored_is_stored_next(
    service: OperationsService, store: UnreliableStore
) -> None:
    await claimed(service)
    await service.apply(KEY, report(1))

    async def rival() -> None:
        await service.apply(KEY, report(2))

    store.fault, store.rival = Fault.RIVAL_FIRST, rival
    await service.keep_up()
    assert service.behind.is_set()
    await service.keep_up()
    stored = await store.get(KEY)
    assert stored
    assert stored.progress.seq == 2


async def test_a_report_is_still_stored_after_a_cancellation_whose_answer_was_lost(
    service: OperationsService, store: UnreliableStore
) -> None:
    await claimed(service)
    store.fault = Fault.ERROR_AFTER_COMMIT
    await service.cancel(KEY, "alice", "")
    await service.apply(KEY, report(1))
    await service.keep_up()
    stored = await store.get(KEY)
    assert stored
    assert (stored.progress.seq, stored.cancel_requested is not None) == (1, True)


async def test_a_report_of_a_lease_that_was_taken_away_is_forgotten(
    service: OperationsService, store: UnreliableStore
) -> None:
    await claimed(service)
    await service.apply(KEY, report(1))
    await service.cancel(KEY, "alice", "")
    forced = await service.apply(KEY, events.Forced())
    for _ in range(2):
        await service.keep_up()
    stored = await store.get(KEY)
    assert stored
    assert (stored.version, stored.fence) == (forced.version, 2)
    assert not service.behind.is_set()


@pytest.mark.parametrize("late", [report(1), report(2), report(3, fence=0)])
async def test_a_report_that_is_not_newer_is_dropped(
    service: OperationsService, late: events.Progressed
) -> None:
    await claimed(service)
    newest = await service.apply(KEY, report(2))
    assert await service.apply(KEY, late) == newest


async def test_the_newest_progress_is_kept_when_the_operation_ends(
    service: OperationsService, store: UnreliableStore
) -> None:
    await claimed(service)
    await service.apply(KEY, report(7))
    ended = await service.apply(KEY, events.Succeeded(1, {"counted": 3}))
    assert ended.progress.seq == 7
    assert await store.get(KEY) == ended


async def test_waiting_answers_at_once_with_what_is_newer(service: OperationsService) -> None:
    running = await claimed(service)
    assert await service.wait(KEY, NOTHING_YET, 60.0) == running


async def test_waiting_answers_at_once_when_it_has_ended(service: OperationsService) -> None:
    await service.start("count", CountRequest(), KEY)
    ended = await service.cancel(KEY, "alice", "")
    assert await service.wait(KEY, ended.cursor, 60.0) == ended


async def test_waiting_answers_with_the_old_when_the_time_is_over(service: OperationsService) -> None:
    running = await claimed(service)
    assert await service.wait(KEY, running.cursor, 0.0) == running


async def test_waiting_ends_by_itself(store: UnreliableStore, clock: StillClock) -> None:
    class Passing(StillClock):
        def monotonic(self) -> float:
            self.advance(0.02)
            return self.seconds

    service = OperationsService(store, KINDS, Passing())
    running = await claimed(service)
    assert await service.wait(KEY, running.cursor, 0.05) == running


@pytest.mark.parametrize("news", [report(1), events.Checkpointed(1, "a"), events.Cancelled(0)])
@pytest.mark.parametrize("fault", [Fault.NONE, Fault.FALSE_AFTER_COMMIT])
async def test_all_who_wait_are_told_also_when_the_answer_was_lost(
    service: OperationsService, store: UnreliableStore, news: events.WorkerEvent, fault: Fault
) -> None:
    running = await claimed(service)
    waiting = [asyncio.create_task(service.wait(KEY, running.cursor, 60.0)) for _ in range(3)]
    await asyncio.sleep(0)
    store.fault = fault
    await service.apply(KEY, news)
    store.fault = fault
    ended = await service.apply(KEY, events.Succeeded(1, {"counted": 3}))
    told = await asyncio.wait_for(asyncio.gather(*waiting), 5.0)
    assert all(each.cursor > running.cursor for each in told)
    assert ended.status is OperationStatus.COMPLETED


async def test_a_rival_that_was_quicker_is_taken_into_account(
    service: OperationsService, store: UnreliableStore
) -> None:
    await claimed(service)

    async def rival() -> None:
        await service.cancel(KEY, "alice", "quicker")

    store.fault, store.rival = Fault.RIVAL_FIRST, rival
    wrong = await service.apply(KEY, events.LeaseLost(1, LOST))
    assert wrong.status is OperationStatus.CANCELLED


async def test_a_request_of_an_earlier_build_that_is_not_accepted_any_more_is_refused_in_words(
    service: OperationsService, store: UnreliableStore
) -> None:
    ended = an_operation(KEY, request={"to": "the end"}, status=OperationStatus.COMPLETED)
    await store.insert(ended, most_pending=1)
    with pytest.raises(InputInvalid) as refused:
        await service.retry(KEY)
    assert refused.value.message == f"`{KEY}` was asked what is not accepted any more: `to`: {WHOLE}"
    assert refused.value.hint == "run its command again"
