"""Row 37: a wall clock that jumps a day makes no duration, estimate or metric negative, and ends nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from ktrdr.cli.operation_facts import elapsed_seconds, first_estimate
from ktrdr.operations import events
from ktrdr.operations.history import History
from ktrdr.operations.operation import Operation, OperationStatus, to_public_dict
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.transitions import transition
from ktrdr.server.metrics import Metrics
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import an_operation

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def after(jump: timedelta) -> Operation:
    """Return a running operation that began at noon and reported after the clock jumped."""
    begun = transition(
        an_operation(created_at=NOON, metadata={"usual_seconds": 60.0}), events.Claimed(), NOON
    )
    report = events.Progressed(begun.fence, GenericProgressState(percentage=10.0, seq=1))
    return transition(begun, report, NOON + jump)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_fault_37_no_time_that_is_shown_is_negative(jump: timedelta) -> None:
    shown = to_public_dict(after(jump), NOON + jump)
    assert shown["status"] == "running"
    assert elapsed_seconds(shown) == max(jump.total_seconds(), 0.0)
    assert first_estimate(shown) == (60.0 if jump < timedelta() else None)


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_fault_37_no_time_that_is_counted_is_negative(jump: timedelta) -> None:
    running = after(jump)
    ended = transition(running, events.Succeeded(running.fence, {}), NOON + jump)
    assert ended.status is OperationStatus.COMPLETED
    metrics = Metrics(lambda: 0, lambda: 0)
    metrics.observe(an_operation(created_at=NOON), running)
    metrics.observe(running, ended)
    text = metrics.text().decode()
    spent = max(jump.total_seconds(), 0.0)
    assert f'ktrdr_operation_seconds_sum{{kind="count"}} {spent}' in text
    store = MemoryOperationStore()
    await store.insert(ended)
    assert await History(store).of("count") == {"usual_seconds": spent}


def test_what_waits_behind_others_has_no_estimate() -> None:
    """What its kind usually takes says nothing of how long those before it take."""
    waiting = an_operation(metadata={"usual_seconds": 18.0})
    assert first_estimate(to_public_dict(waiting, NOON)) is None
    assert first_estimate(to_public_dict(after(-DAY), NOON)) == 60.0
