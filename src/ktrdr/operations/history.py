"""What earlier operations of a kind tell of the next one."""

from statistics import median

from ktrdr.operations.operation import OperationStatus
from ktrdr.operations.store import OperationFilter, OperationStore

LAST_RUNS = 5


async def history_of(store: OperationStore, kind: str) -> dict[str, float]:
    """Return `usual_seconds`, the median of what the last five runs of a kind took; nothing without any."""
    completed = OperationFilter(frozenset({OperationStatus.COMPLETED}), kind, LAST_RUNS)
    took = [
        max((each.completed_at - each.started_at).total_seconds(), 0.0)
        for each in (await store.list(completed)).operations
        if each.started_at and each.completed_at
    ]
    return {"usual_seconds": round(median(took), 3)} if took else {}
