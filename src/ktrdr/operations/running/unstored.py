"""What has happened and could not be written: kept in memory in its order, and said.

A cancellation must reach its worker also while the disk is full. Such an event counts at once; the operation
is shown as it then is, with a warning, and the event is written as soon as the store takes it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ktrdr.operations.events import Event
from ktrdr.operations.operation import Operation
from ktrdr.operations.transitions import Transition, transition

NOT_STORED = "not stored yet"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event and when it happened."""

    event: Event
    at: datetime


class Unstored:
    """Keeps the events of each operation that are not written, and which operations are behind."""

    def __init__(self, table: Sequence[Transition]) -> None:
        self._table = table
        self._waiting: dict[str, deque[Happening]] = {}
        self._refused: set[str] = set()

    @property
    def operations(self) -> Sequence[str]:
        """Return the operations with events to be written."""
        return tuple(self._waiting)

    def keep(self, operation_id: str, happening: Happening) -> None:
        """Keep an event until it is written."""
        self._waiting.setdefault(operation_id, deque()).append(happening)

    def first(self, operation_id: str) -> Happening | None:
        """Return the event that has to be written next."""
        waiting = self._waiting.get(operation_id)
        return waiting[0] if waiting else None

    def written(self, operation_id: str, happening: Happening) -> None:
        """Forget an event that is written; two writers may both say so."""
        waiting = self._waiting.get(operation_id)
        if waiting and waiting[0] is happening:
            waiting.popleft()
            if not waiting:
                del self._waiting[operation_id]

    def refused(self, operation_id: str) -> None:
        """Remember that the store did not take the operation as it is."""
        self._refused.add(operation_id)

    def taken(self, operation_id: str) -> None:
        """Remember that it did."""
        self._refused.discard(operation_id)

    def over(self, stored: Operation) -> Operation:
        """Return the operation as it is, with a warning if that is not what is stored."""
        waiting = self._waiting.get(stored.operation_id, ())
        if not waiting and stored.operation_id not in self._refused:
            return stored
        known = stored
        for each in waiting:
            known = transition(known, each.event, each.at, self._table)
        if known is stored and stored.is_terminal:
            return stored
        return replace(known, warnings=(*known.warnings, NOT_STORED))
