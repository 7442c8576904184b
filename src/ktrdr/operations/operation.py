"""What an operation is: frozen values that travel from the store to the screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ktrdr.operations.progress import GenericProgressState


class OperationStatus(StrEnum):
    """The five states of the operations contract; cancelling is `running` with a flag."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({OperationStatus.COMPLETED, OperationStatus.FAILED, OperationStatus.CANCELLED})
OPEN = frozenset(OperationStatus) - TERMINAL


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Who asked for the end, when and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OperationError:
    """Why an operation failed: `reason` is one of the contract's words, `code` the error's own."""

    reason: str
    code: str
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """A process that cannot be mistaken for another: `started_at` is as `process_identity` tells it."""

    host: str
    pid: int
    started_at: str | float


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the store keeps it; `version` grows by one with each durable write."""

    operation_id: str
    operation_type: str
    request: Mapping[str, Any]
    fingerprint: str
    created_at: datetime
    status: OperationStatus = OperationStatus.PENDING
    version: int = 1
    attempt: int = 0
    fence: int = 0
    heartbeat: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    worker: WorkerIdentity | None = None
    cancel_requested: CancelRequest | None = None
    progress: GenericProgressState = field(default_factory=GenericProgressState)
    result_summary: Mapping[str, Any] | None = None
    error: OperationError | None = None
    checkpoint: str | None = None
    warnings: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    resumed_from: str | None = None

    @property
    def is_terminal(self) -> bool:
        """Tell whether the operation has ended for good."""
        return self.status in TERMINAL

    @property
    def cursor(self) -> tuple[int, int, int]:
        """Return the follower's position: version, attempt, progress report."""
        return (self.version, self.attempt, self.progress.seq)


def format_cursor(cursor: tuple[int, int, int]) -> str:
    """Write a cursor as `<version>.<attempt>.<seq>`."""
    return ".".join(map(str, cursor))


def parse_cursor(text: str) -> tuple[int, int, int]:
    """Read `<version>.<attempt>.<seq>`; raises ValueError for anything else."""
    version, attempt, seq = map(int, text.split("."))
    return (version, attempt, seq)


def to_public_dict(operation: Operation, server_time: datetime) -> dict[str, Any]:
    """Return the JSON shape that clients read."""
    error = operation.error
    cancel = operation.cancel_requested
    return {
        "operation_id": operation.operation_id,
        "operation_type": operation.operation_type,
        "status": operation.status.value,
        "version": operation.version,
        "attempt": operation.attempt,
        "cursor": format_cursor(operation.cursor),
        "created_at": operation.created_at.isoformat(),
        "started_at": _isoformat(operation.started_at),
        "completed_at": _isoformat(operation.completed_at),
        "server_time": server_time.isoformat(),
        "progress": operation.progress.to_dict(),
        "metadata": dict(operation.metadata),
        "result_summary": operation.result_summary,
        "error_message": error.detail if error else None,
        "error": {"reason": error.reason, "code": error.code, "detail": error.detail, "hint": error.hint}
        if error
        else None,
        "warnings": list(operation.warnings),
        "cancel_requested": {"at": cancel.at.isoformat(), "by": cancel.by, "reason": cancel.reason}
        if cancel
        else None,
        "resumed_from": operation.resumed_from,
    }


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
