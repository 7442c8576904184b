"""The port behind which operations are kept."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ktrdr.errors import QueueFull
from ktrdr.operations.operation import Operation, OperationStatus


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """Which operations are wanted, newest first."""

    statuses: frozenset[OperationStatus] = frozenset()
    operation_type: str | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class OperationPage:
    """One page of a list; `total_count` counts all that match."""

    operations: tuple[Operation, ...]
    total_count: int
    active_count: int


class OperationStore(ABC):
    """Keeps operations durably; decides nothing.

    A write that returns is durable; one that raises Unavailable may have happened all the same, and so may
    one whose caller was cancelled: whoever asks again reads the truth first. Reading an operation that has
    not ended waits for no write. Any number of tasks of one event loop may call every method at any time.
    """

    @abstractmethod
    async def insert(self, operation: Operation, *, most_pending: int | None = None) -> bool:
        """Store a new operation durably; False if its id is taken.

        Raises QueueFull, before anything is written, if `most_pending` operations are pending already.
        """

    @abstractmethod
    async def replace(self, operation: Operation) -> bool:
        """Replace the stored version `operation.version - 1` durably; False if the stored one is another.

        A terminal row is never replaced.
        """

    @abstractmethod
    async def get(self, operation_id: str) -> Operation | None:
        """Return the stored operation, or None."""

    @abstractmethod
    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return the operations that match, newest first."""

    @abstractmethod
    async def open_operations(self) -> Sequence[Operation]:
        """Return every operation that has not ended, oldest first."""

    @abstractmethod
    async def close(self) -> None:
        """Release files and connections; what was stored stays."""


def refuse_when_full(operations: Iterable[Operation], most_pending: int | None) -> None:
    """Raise QueueFull if so many of the operations are pending already."""
    if most_pending is None:
        return
    pending = sum(each.status is OperationStatus.PENDING for each in operations)
    if pending >= most_pending:
        raise QueueFull(f"the queue is full ({most_pending} operations are waiting)", retry_after=5.0)
