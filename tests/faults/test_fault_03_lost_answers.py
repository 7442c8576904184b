"""What was committed before its answer was lost is found again, and happens once."""

from collections import Counter
from pathlib import Path

import pytest

from ktrdr.clock import SystemClock
from ktrdr.errors import Unavailable
from ktrdr.operations import events
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationFilter
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.server.stores.sqlite import SqliteOperationStore
from support.operations import KINDS, CountRequest
from support.small_api import small_api
from support.unreliable_store import Fault, UnreliableStore

pytestmark = pytest.mark.anyio
KEY = "op_dummy_aaaaaaaaaaaa"
START = "/api/v1/dummy/start"


class Killed(BaseException):
    """The server is gone, without a word to anybody."""


class DyingStore(SqliteOperationStore):
    """A store whose server is killed as soon as a start is committed."""

    async def insert(self, operation: Operation, *, most_pending: int | None = None) -> bool:
        await super().insert(operation, most_pending=most_pending)
        raise Killed


async def test_fault_03_a_start_committed_before_the_server_was_killed_is_the_same_operation(
    tmp_path: Path,
) -> None:
    path, headers = tmp_path / "operations.sqlite", {"Idempotency-Key": KEY}
    async with small_api(tmp_path, DyingStore(path)) as http:
        with pytest.raises(Killed):
            await http.post(START, json={"iterations": 3}, headers=headers)
    async with small_api(tmp_path, SqliteOperationStore(path)) as http:
        again = await http.post(START, json={"iterations": 3}, headers=headers)
        other = await http.post(START, json={"iterations": 4}, headers=headers)
        listed = (await http.get("/api/v1/operations")).json()
    assert (again.status_code, again.json()["data"]["operation_id"]) == (200, KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert (listed["total_count"], listed["data"][0]["operation_id"]) == (1, KEY)


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER_COMMIT, Fault.FALSE_AFTER_COMMIT, Fault.NONE])
async def test_fault_25_a_completion_whose_answer_was_lost_is_accepted_once(fault: Fault) -> None:
    store = UnreliableStore(MemoryOperationStore())
    ended: Counter[OperationStatus] = Counter()
    service = OperationsService(store, KINDS, SystemClock())
    await service.start("count", CountRequest(), KEY)
    claimed = await service.apply(KEY, events.Claimed())
    store.event = done = events.Succeeded(claimed.fence, {"counted": 3})
    store.fault = fault
    for _ in range(3):
        try:
            ended[(await service.apply(KEY, done)).status] += 1
        except Unavailable:
            assert fault is Fault.ERROR_AFTER_COMMIT
    (commit,) = store.commits
    assert commit.after.status is OperationStatus.COMPLETED
    assert ended == {OperationStatus.COMPLETED: 2 if fault is Fault.ERROR_AFTER_COMMIT else 3}
    assert await service.get(KEY) == commit.after
    assert (await service.list(OperationFilter())).total_count == 1


async def test_fault_25_another_ending_after_it_changes_nothing() -> None:
    service = OperationsService(MemoryOperationStore(), KINDS, SystemClock())
    await service.start("count", CountRequest(), KEY)
    claimed = await service.apply(KEY, events.Claimed())
    done = await service.apply(KEY, events.Succeeded(claimed.fence, {"counted": 3}))
    for late in (events.Cancelled(claimed.fence), events.Succeeded(claimed.fence, {"counted": 4})):
        assert await service.apply(KEY, late) == done
