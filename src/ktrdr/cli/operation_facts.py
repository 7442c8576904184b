"""What an operation, as a server shows it, says of itself: pure readings of its JSON."""

from datetime import datetime
from typing import Any

from ktrdr.operations.operation import TERMINAL, OperationStatus


def status_of(operation: dict[str, Any]) -> str:
    """Return the status word of an operation."""
    return str(operation.get("status", "unknown"))


def has_ended(operation: dict[str, Any]) -> bool:
    """Tell whether the status is final; one that a newer server invented is not."""
    return status_of(operation) in TERMINAL


def has_completed(operation: dict[str, Any]) -> bool:
    """Tell whether the operation has a result."""
    return status_of(operation) == OperationStatus.COMPLETED


def has_failed(operation: dict[str, Any]) -> bool:
    """Tell whether the operation ended with an error."""
    return status_of(operation) == OperationStatus.FAILED


def elapsed_seconds(operation: dict[str, Any]) -> float:
    """Return how long the operation has worked by the server's own clock; 0.0 where that is not known."""
    end = operation.get("completed_at") or operation.get("server_time")
    try:
        started = datetime.fromisoformat(str(operation.get("started_at")))
        return max((datetime.fromisoformat(str(end)) - started).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0


def first_estimate(operation: dict[str, Any]) -> float | None:
    """Return the seconds left if it takes as long as its kind usually does; None where that is unknown.

    It is unknown while the operation waits: others are before it, and nobody knows for how long.
    """
    if operation.get("started_at") is None:
        return None
    usual = (operation.get("metadata") or {}).get("usual_seconds")
    left = usual - elapsed_seconds(operation) if isinstance(usual, int | float) else 0.0
    return left if left > 0 else None
