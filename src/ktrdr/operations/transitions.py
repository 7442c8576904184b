"""One pure function over one table: how an operation may change.

The numbers are those of the operations contract. An event that no row accepts changes nothing, which is
what makes every event safe to repeat. A row that may wait counts before it is durable: while the store cannot
be written its event is kept in memory. Nothing waits that would be told as a result or begin an attempt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ktrdr.operations import events
from ktrdr.operations.operation import TERMINAL, CancelRequest, Operation, OperationStatus
from ktrdr.operations.progress import GenericProgressState

Guard = Callable[[Operation, Any], bool]
Change = Callable[[Operation, Any, datetime], Operation]


@dataclass(frozen=True, slots=True)
class Transition:
    """A row: this event, in this status, if every guard holds, makes this change."""

    number: str
    event: type
    status: OperationStatus
    guards: tuple[Guard, ...]
    change: Change
    may_wait: bool = False


def fence_matches(operation: Operation, event: Any) -> bool:
    """Only the holder of the newest lease may speak."""
    return bool(event.fence == operation.fence)


def flag_set(operation: Operation, _: Any) -> bool:
    """Cancellation was asked for."""
    return operation.cancel_requested is not None


def flag_not_set(operation: Operation, _: Any) -> bool:
    """Nobody asked for cancellation."""
    return operation.cancel_requested is None


def _claim(operation: Operation, _: events.Claimed, now: datetime) -> Operation:
    return replace(
        operation,
        status=OperationStatus.RUNNING,
        fence=operation.fence + 1,
        attempt=operation.attempt + 1,
        started_at=now,
        progress=_not_begun(operation),
    )


def _not_begun(operation: Operation) -> GenericProgressState:
    return GenericProgressState(operation_id=operation.operation_id)


def _attach(operation: Operation, event: events.Started, _: datetime) -> Operation:
    return replace(operation, worker=event.worker, heartbeat=operation.heartbeat + 1)


def _progress(operation: Operation, event: events.Progressed, _: datetime) -> Operation:
    return replace(operation, progress=event.progress, heartbeat=operation.heartbeat + 1)


def _checkpoint(operation: Operation, event: events.Checkpointed, _: datetime) -> Operation:
    return replace(operation, checkpoint=event.checkpoint, heartbeat=operation.heartbeat + 1)


def _complete(operation: Operation, event: events.Succeeded, now: datetime) -> Operation:
    warnings = operation.warnings + event.warnings
    progress = operation.progress.finished()
    ended = replace(operation, result_summary=event.result, warnings=warnings, progress=progress)
    return _end(ended, OperationStatus.COMPLETED, now)


def _fail(operation: Operation, event: events.Failed, now: datetime) -> Operation:
    return _end(replace(operation, error=event.error), OperationStatus.FAILED, now)


def _cancel_with_error(operation: Operation, event: events.Failed, now: datetime) -> Operation:
    return _end(replace(operation, error=event.error), OperationStatus.CANCELLED, now)


def _cancel_pending(operation: Operation, event: events.CancelRequested, now: datetime) -> Operation:
    flagged = replace(_flag(operation, event, now), progress=_not_begun(operation))
    return _end(flagged, OperationStatus.CANCELLED, now)


def _flag(operation: Operation, event: events.CancelRequested, now: datetime) -> Operation:
    return replace(operation, cancel_requested=CancelRequest(now, event.by, event.reason))


def _cancel(operation: Operation, _: events.Cancelled, now: datetime) -> Operation:
    return _end(operation, OperationStatus.CANCELLED, now)


def _lose(operation: Operation, event: events.LeaseLost, now: datetime) -> Operation:
    lost = replace(operation, fence=operation.fence + 1, error=event.error)
    return _end(lost, OperationStatus.FAILED, now)


def _lose_cancelled(operation: Operation, _: events.LeaseLost, now: datetime) -> Operation:
    return _end(replace(operation, fence=operation.fence + 1), OperationStatus.CANCELLED, now)


def _force(operation: Operation, _: events.Forced, __: datetime) -> Operation:
    return replace(operation, fence=operation.fence + 1)


def _end(operation: Operation, status: OperationStatus, now: datetime) -> Operation:
    return replace(operation, status=status, completed_at=now)


_PENDING, _RUNNING = OperationStatus.PENDING, OperationStatus.RUNNING

TRANSITIONS: tuple[Transition, ...] = (
    Transition("T2", events.Claimed, _PENDING, (), _claim),
    Transition("T3a", events.Started, _RUNNING, (fence_matches,), _attach, may_wait=True),
    Transition("T3p", events.Progressed, _RUNNING, (fence_matches,), _progress, may_wait=True),
    Transition("T3c", events.Checkpointed, _RUNNING, (fence_matches,), _checkpoint, may_wait=True),
    Transition("T4", events.Succeeded, _RUNNING, (fence_matches,), _complete),
    Transition("T5", events.Failed, _RUNNING, (fence_matches, flag_not_set), _fail),
    Transition("T7", events.Failed, _RUNNING, (fence_matches, flag_set), _cancel_with_error, may_wait=True),
    Transition("T8", events.CancelRequested, _PENDING, (), _cancel_pending, may_wait=True),
    Transition("T9", events.CancelRequested, _RUNNING, (flag_not_set,), _flag, may_wait=True),
    Transition("T10", events.Cancelled, _RUNNING, (fence_matches, flag_set), _cancel, may_wait=True),
    Transition("T11f", events.LeaseLost, _RUNNING, (fence_matches, flag_not_set), _lose),
    Transition("T11c", events.LeaseLost, _RUNNING, (fence_matches, flag_set), _lose_cancelled, may_wait=True),
    Transition("T13", events.Forced, _RUNNING, (flag_set,), _force, may_wait=True),
)


def transition(
    operation: Operation,
    event: events.Event,
    now: datetime,
    table: Sequence[Transition] = TRANSITIONS,
) -> Operation:
    """Return the operation after the event, or the very same object if the event changes nothing."""
    row = row_of(operation, event, table)
    if row is None:
        return operation
    return replace(row.change(operation, event, now), version=operation.version + 1)


def row_of(
    operation: Operation, event: events.Event, table: Sequence[Transition] = TRANSITIONS
) -> Transition | None:
    """Return the row that accepts the event, or None if it changes nothing."""
    if operation.status in TERMINAL:
        return None
    return next((row for row in table if _applies(row, operation, event)), None)


def _applies(row: Transition, operation: Operation, event: events.Event) -> bool:
    if row.event is not type(event) or row.status is not operation.status:
        return False
    return all(guard(operation, event) for guard in row.guards)
