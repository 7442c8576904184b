"""Operations, a clock that stands still, and a kind, for tests of the generic core."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from ktrdr.operations.kind import OperationKind
from ktrdr.operations.operation import CancelRequest, Operation, OperationError, OperationStatus

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
LOST = OperationError("worker_lost", "worker_lost", "the worker is gone", "see its log")
WRONG = OperationError("error", "training_failed", "the loss is not finite")


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class CountRequest(BaseModel):
    """How far to count."""

    to: int = 3


class CountResult(BaseModel):
    """How far it got."""

    counted: int


COUNT = OperationKind("count", "/count", CountRequest, CountResult, lambda request: f"count to {request.to}")
KINDS = {"count": COUNT}


def an_operation(operation_id: str = "op_count_aaaaaaaaaaaa", **changes: Any) -> Operation:
    """Return a pending operation."""
    pending = Operation(
        operation_id=operation_id,
        operation_type="count",
        request={"to": 3},
        fingerprint="f" * 64,
        created_at=NOW,
    )
    return replace(pending, **changes)


def running(**changes: Any) -> Operation:
    """Return an operation at work under fence 4."""
    return an_operation(
        **{"status": OperationStatus.RUNNING, "fence": 4, "attempt": 1, "started_at": NOW, **changes}
    )


def cancelling(**changes: Any) -> Operation:
    """Return an operation at work whose end was asked for."""
    return running(**{"cancel_requested": CancelRequest(NOW, "alice", "too slow"), **changes})
