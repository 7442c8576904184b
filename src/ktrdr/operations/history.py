"""What earlier operations of a kind tell of the next one."""

from collections import deque
from statistics import median

from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.store import OperationFilter, OperationStore

LAST_RUNS = 5


class History:
    """Knows how long the last runs of each kind took; the store is asked once a kind."""

    def __init__(self, store: OperationStore) -> None:
        self._store = store
        self._took: dict[str, deque[float]] = {}

    async def of(self, kind: str) -> dict[str, float]:
        """Return `usual_seconds`, the median of the last five that completed; nothing without any."""
        if kind not in self._took:
            completed = OperationFilter(frozenset({OperationStatus.COMPLETED}), kind, LAST_RUNS)
            runs = (await self._store.list(completed)).operations
            self._took[kind] = deque(map(_seconds, reversed(runs)), maxlen=LAST_RUNS)
        took = self._took[kind]
        return {"usual_seconds": round(median(took), 3)} if took else {}

    def note(self, operation: Operation) -> None:
        """Remember an operation that has ended, if it completed."""
        if operation.status is OperationStatus.COMPLETED and operation.operation_type in self._took:
            self._took[operation.operation_type].append(_seconds(operation))


def _seconds(operation: Operation) -> float:
    if operation.started_at is None or operation.completed_at is None:
        return 0.0
    return max((operation.completed_at - operation.started_at).total_seconds(), 0.0)
