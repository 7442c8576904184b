"""What a handler may rely on while it works."""

from pathlib import Path

import pytest

from ktrdr.errors import OperationCancelled
from ktrdr.operations.context import OperationContext
from ktrdr.operations.events import Checkpointed, Progressed, WorkerEvent
from ktrdr.operations.progress import GenericProgressState, PhaseProgress
from support.operations import StillClock

PHASES = (PhaseProgress("load", 1.0), PhaseProgress("train", 3.0))


class Desk:
    """A context, its clock, and what it said."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.said: list[WorkerEvent] = []
        self.cancelled = False
        self.context = OperationContext(
            operation_id="op",
            fence=4,
            emit=self.said.append,
            cancelled=lambda: self.cancelled,
            clock=self.clock,
            work_folder=Path("attempts/4"),
        )

    def reports(self) -> list[GenericProgressState]:
        return [each.progress for each in self.said if isinstance(each, Progressed)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_report_is_sent_under_the_fence_of_the_attempt(desk: Desk) -> None:
    desk.context.report(12.5, "going", items_processed=1, items_total=8, context={"loss": 0.5})
    expected = GenericProgressState(
        "op", 12.5, message="going", items_processed=1, items_total=8, seq=1, context={"loss": 0.5}
    )
    assert desk.said == [Progressed(4, expected, desk.clock.now().timestamp())]


def test_at_most_ten_reports_a_second_are_sent(desk: Desk) -> None:
    for number in range(1000):
        desk.context.report(number / 20)
        desk.clock.advance(0.01)
    assert 90 <= len(desk.said) <= 101


def test_a_report_before_silence_is_sent_at_once(desk: Desk) -> None:
    """Whoever asks a source that may not answer says before it how far the work is."""
    desk.context.report(10.0, "one")
    desk.context.report(20.0, "throttled")
    desk.context.report(30.0, "three", at_once=True)
    assert [each.message for each in desk.reports()] == ["one", "three"]


def test_what_the_work_uses_is_measured_once_a_second_and_told_with_each_report(desk: Desk) -> None:
    looks: list[None] = []

    def measure() -> dict[str, float]:
        looks.append(None)
        return {"rss_mb": float(len(looks))}

    context = OperationContext(
        operation_id="op",
        fence=1,
        emit=desk.said.append,
        cancelled=lambda: False,
        clock=desk.clock,
        work_folder=Path("attempts/1"),
        measure=measure,
    )
    for number in range(40):
        context.report(number, context={"loss": 0.5})
        desk.clock.advance(0.1)
    assert len(looks) == 4
    told = [dict(each.context) for each in desk.reports()]
    assert told[0] == {"loss": 0.5, "resource_usage": {"rss_mb": 1.0}}
    assert all("resource_usage" in each for each in told)


def test_the_last_report_of_a_phase_is_always_sent(desk: Desk) -> None:
    desk.context.report(10.0)
    desk.context.report(99.0)
    desk.context.report(100.0)
    assert [each.percentage for each in desk.reports()] == [10.0, 100.0]


def test_the_first_report_of_a_phase_is_always_sent(desk: Desk) -> None:
    desk.context.plan(PHASES)
    desk.context.enter("load")
    desk.context.enter("train", "warming up")
    assert [(each.current_step, each.percentage) for each in desk.reports()] == [
        ("load", 0.0),
        ("train", 25.0),
    ]
    assert desk.reports()[-1].steps_completed == 1
    assert desk.reports()[-1].steps_total == 2


def test_the_percentage_weighs_phases_and_never_falls(desk: Desk) -> None:
    desk.context.plan(PHASES)
    desk.context.enter("train")
    for percentage in (40.0, 20.0, 60.0):
        desk.clock.advance(1.0)
        desk.context.report(percentage)
    assert [each.percentage for each in desk.reports()] == [25.0, 55.0, 55.0, 70.0]
    assert desk.reports()[-1].phases[1] == PhaseProgress("train", 3.0, 60.0, 3.0)


def test_remaining_time_needs_three_samples_and_starts_again_with_each_phase(desk: Desk) -> None:
    desk.context.plan(PHASES)
    desk.context.enter("load")
    for percentage in (10.0, 20.0):
        desk.clock.advance(1.0)
        desk.context.report(percentage)
    desk.context.enter("train")
    assert [each.estimated_remaining_seconds for each in desk.reports()] == [None, None, 8.0, None]


def test_a_checkpoint_is_told(desk: Desk) -> None:
    desk.context.checkpointed("epoch-2")
    assert desk.said == [Checkpointed(4, "epoch-2")]


def test_the_next_report_after_a_cancellation_raises_and_says_nothing(desk: Desk) -> None:
    desk.cancelled = True
    with pytest.raises(OperationCancelled):
        desk.context.report(10.0)
    assert desk.said == []
