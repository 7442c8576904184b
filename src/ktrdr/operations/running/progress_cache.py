"""The newest progress of each operation: shown from memory at once, stored a little later."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ktrdr.operations.events import Progressed
from ktrdr.operations.operation import Operation
from ktrdr.operations.progress import GenericProgressState


@dataclass(frozen=True, slots=True)
class _Newest:
    attempt: int
    progress: GenericProgressState


class ProgressCache:
    """Keeps one report an operation; one that is not newer is dropped, and so is one of another attempt."""

    def __init__(self) -> None:
        self._newest: dict[str, _Newest] = {}
        self._due: dict[str, Progressed] = {}

    @property
    def due(self) -> Mapping[str, Progressed]:
        """Return the reports that are not stored, by operation."""
        return self._due

    def over(self, operation: Operation) -> Operation:
        """Return the operation with its newest progress."""
        newest = self._newest.get(operation.operation_id)
        if newest is None or operation.is_terminal or newest.attempt != operation.attempt:
            return operation
        if newest.progress.seq <= operation.progress.seq:
            return operation
        return replace(operation, progress=newest.progress)

    def keep(self, operation: Operation, progress: GenericProgressState) -> bool:
        """Keep progress of an operation's present attempt, in memory only; tell whether it was newer."""
        if progress.seq <= self.over(operation).progress.seq:
            return False
        self._newest[operation.operation_id] = _Newest(operation.attempt, progress)
        return True

    def report(self, operation: Operation, event: Progressed) -> bool:
        """Keep a worker's report, to be stored; tell whether it was newer."""
        is_newer = self.keep(operation, event.progress)
        if is_newer:
            self._due[operation.operation_id] = event
        return is_newer

    def stored(self, operation: Operation) -> None:
        """Take note of what was stored; nothing is kept of an operation that has ended."""
        due = self._due.get(operation.operation_id)
        if operation.is_terminal:
            self._newest.pop(operation.operation_id, None)
        if due and (operation.is_terminal or due.progress.seq <= operation.progress.seq):
            del self._due[operation.operation_id]

    def outdated(self, operation_id: str, report: Progressed) -> None:
        """Forget a report that changes its operation no more; a newer one stays."""
        if self._due.get(operation_id) is report:
            del self._due[operation_id]
