"""What is usual of a kind is the middle of its last five runs, read once and then remembered."""

from datetime import timedelta

import pytest

from ktrdr.operations.history import History
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import NOW, an_operation

pytestmark = pytest.mark.anyio


def ran(number: int, seconds: float, status: OperationStatus = OperationStatus.COMPLETED) -> Operation:
    ended = NOW + timedelta(seconds=seconds)
    return an_operation(f"op_count_{number}", status=status, started_at=NOW, completed_at=ended)


async def test_it_is_the_median_of_the_last_five_that_completed() -> None:
    store = MemoryOperationStore()
    for number, seconds in enumerate((900.0, 1.0, 2.0, 3.0, 4.0, 5.0)):
        await store.insert(ran(number, seconds))
    await store.insert(ran(9, 700.0, OperationStatus.FAILED))
    assert await History(store).of("count") == {"usual_seconds": 3.0}
    assert await History(store).of("dummy") == {}


async def test_what_ends_later_is_remembered_without_asking_again() -> None:
    store = MemoryOperationStore()
    history = History(store)
    assert await history.of("count") == {}
    history.note(ran(1, 8.0))
    history.note(ran(2, 99.0, OperationStatus.CANCELLED))
    history.note(an_operation(status=OperationStatus.COMPLETED, operation_type="other"))
    assert await history.of("count") == {"usual_seconds": 8.0}


async def test_one_that_never_began_took_no_time() -> None:
    store = MemoryOperationStore()
    await store.insert(an_operation(status=OperationStatus.COMPLETED))
    assert await History(store).of("count") == {"usual_seconds": 0.0}
