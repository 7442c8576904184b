"""Operations in memory: for tests and for a server whose history may be lost."""

from collections.abc import Sequence

from ktrdr.operations.operation import OPEN, Operation
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore, refuse_when_full


class MemoryOperationStore(OperationStore):
    """Keeps operations in a dictionary, in the order they came."""

    def __init__(self) -> None:
        self._rows: dict[str, Operation] = {}

    async def insert(self, operation: Operation, *, most_pending: int | None = None) -> bool:
        """Store a new operation; False if its id is taken; raises QueueFull."""
        if operation.operation_id not in self._rows:
            refuse_when_full(self._rows.values(), most_pending)
        return self._rows.setdefault(operation.operation_id, operation) is operation

    async def replace(self, operation: Operation) -> bool:
        """Replace the previous version; False if the stored one is another or has ended."""
        stored = self._rows.get(operation.operation_id)
        if stored is None or stored.is_terminal or stored.version != operation.version - 1:
            return False
        self._rows[operation.operation_id] = operation
        return True

    async def get(self, operation_id: str) -> Operation | None:
        """Return the stored operation, or None."""
        return self._rows.get(operation_id)

    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return the operations that match, newest first."""
        found = [each for each in reversed(self._rows.values()) if _matches(each, wanted)]
        page = found[wanted.offset : wanted.offset + wanted.limit]
        return OperationPage(tuple(page), len(found), len(await self.open_operations()))

    async def open_operations(self) -> Sequence[Operation]:
        """Return every operation that has not ended, oldest first."""
        return [each for each in self._rows.values() if each.status in OPEN]

    async def close(self) -> None:
        """Nothing is held outside the process."""


def _matches(operation: Operation, wanted: OperationFilter) -> bool:
    if wanted.statuses and operation.status not in wanted.statuses:
        return False
    return wanted.operation_type in {None, operation.operation_type}
