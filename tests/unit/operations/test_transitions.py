"""The table of the operations contract, row by row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ktrdr.operations import events
from ktrdr.operations.operation import TERMINAL, CancelRequest, Operation, OperationStatus, WorkerIdentity
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.transitions import TRANSITIONS, transition
from support.operations import LOST, NOW, WRONG, an_operation, cancelling, running

LATER = NOW + timedelta(seconds=5)
WORKER = WorkerIdentity("host", 42, 1.5)
PROGRESS = GenericProgressState(percentage=50.0, seq=9)
ASKED = CancelRequest(LATER, "bob", "changed my mind")
CANCEL = events.CancelRequested("bob", "changed my mind")
CANCELLED, FAILED = OperationStatus.CANCELLED, OperationStatus.FAILED
COMPLETED, RUNNING = OperationStatus.COMPLETED, OperationStatus.RUNNING

DONE = GenericProgressState(percentage=100.0)
NOT_BEGUN = GenericProgressState(operation_id=an_operation().operation_id)
IN_THE_QUEUE = replace(NOT_BEGUN, queue_position=2, seq=999_998)
ROWS: dict[str, tuple[Operation, events.Event, Operation]] = {
    "T2": (
        an_operation(progress=IN_THE_QUEUE),
        events.Claimed(),
        an_operation(status=RUNNING, fence=1, attempt=1, started_at=LATER, progress=NOT_BEGUN),
    ),
    "T3a": (running(), events.Started(4, WORKER), running(worker=WORKER, heartbeat=1)),
    "T3p": (running(), events.Progressed(4, PROGRESS), running(progress=PROGRESS, heartbeat=1)),
    "T3c": (running(), events.Checkpointed(4, "epoch-2"), running(checkpoint="epoch-2", heartbeat=1)),
    "T4": (
        running(warnings=("old",)),
        events.Succeeded(4, {"counted": 3}, ("new",)),
        running(
            status=COMPLETED,
            completed_at=LATER,
            result_summary={"counted": 3},
            warnings=("old", "new"),
            progress=DONE,
        ),
    ),
    "T4 with the flag": (
        cancelling(),
        events.Succeeded(4, {"counted": 3}),
        cancelling(status=COMPLETED, completed_at=LATER, result_summary={"counted": 3}, progress=DONE),
    ),
    "T5": (running(), events.Failed(4, WRONG), running(status=FAILED, completed_at=LATER, error=WRONG)),
    "T7": (
        cancelling(),
        events.Failed(4, WRONG),
        cancelling(status=CANCELLED, completed_at=LATER, error=WRONG),
    ),
    "T8": (
        an_operation(progress=IN_THE_QUEUE),
        CANCEL,
        an_operation(status=CANCELLED, completed_at=LATER, cancel_requested=ASKED, progress=NOT_BEGUN),
    ),
    "T9": (running(), CANCEL, running(cancel_requested=ASKED)),
    "T10": (cancelling(), events.Cancelled(4), cancelling(status=CANCELLED, completed_at=LATER)),
    "T11f": (
        running(),
        events.LeaseLost(4, LOST),
        running(status=FAILED, fence=5, completed_at=LATER, error=LOST),
    ),
    "T11c": (
        cancelling(),
        events.LeaseLost(4, LOST),
        cancelling(status=CANCELLED, fence=5, completed_at=LATER),
    ),
    "T13": (cancelling(), events.Forced(), cancelling(fence=5)),
}

NOTHING: dict[str, tuple[Operation, events.Event]] = {
    "T2 is for pending alone": (running(), events.Claimed()),
    "T9 happens once": (cancelling(), CANCEL),
    "T10 needs the flag": (running(), events.Cancelled(4)),
    "T13 needs the flag": (running(), events.Forced()),
    "T13 is for running alone": (an_operation(), events.Forced()),
}

EVENTS = (
    events.Started(4, WORKER),
    events.Progressed(4, PROGRESS),
    events.Checkpointed(4, "epoch-2"),
    events.Succeeded(4, {}),
    events.Failed(4, WRONG),
    events.Cancelled(4),
    events.LeaseLost(4, LOST),
)


def name_of(event: events.Event) -> str:
    return type(event).__name__


@pytest.mark.parametrize("row", ROWS)
def test_a_row_makes_exactly_its_change(row: str) -> None:
    before, event, after = ROWS[row]
    assert transition(before, event, LATER) == replace(after, version=before.version + 1)


def test_every_row_of_the_table_is_tried() -> None:
    assert {row.number for row in TRANSITIONS} == {name.split()[0] for name in ROWS}


def test_no_claim_and_no_result_counts_before_it_is_durable() -> None:
    assert {row.number for row in TRANSITIONS if not row.may_wait} == {"T2", "T4", "T5", "T11f"}


@pytest.mark.parametrize("case", NOTHING)
def test_what_no_row_accepts_changes_nothing(case: str) -> None:
    before, event = NOTHING[case]
    assert transition(before, event, LATER) is before


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
@pytest.mark.parametrize("fence", [3, 5])
@pytest.mark.parametrize("make", [running, cancelling])
def test_only_the_holder_of_the_lease_is_heard(make: type, fence: int, event: events.Event) -> None:
    before = make()
    assert transition(before, replace(event, fence=fence), LATER) is before


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_a_worker_is_not_heard_before_a_claim(event: events.Event) -> None:
    before = an_operation(fence=4)
    assert transition(before, event, LATER) is before


@pytest.mark.parametrize("status", sorted(TERMINAL))
@pytest.mark.parametrize("event", [*EVENTS, events.Claimed(), CANCEL, events.Forced()], ids=name_of)
def test_what_has_ended_never_changes(status: OperationStatus, event: events.Event) -> None:
    ended = cancelling(status=status)
    assert transition(ended, event, LATER) is ended


@pytest.mark.parametrize("row", ROWS)
def test_the_order_of_the_rows_does_not_matter(row: str) -> None:
    before, event, _ = ROWS[row]
    assert transition(before, event, LATER, TRANSITIONS[::-1]) == transition(before, event, LATER)
