"""What earlier operations of a kind tell of the next one: how long it takes, and each of its phases."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from ktrdr.operations.events import Progressed
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.store import OperationFilter, OperationStore

LAST_RUNS = 5


@dataclass(frozen=True, slots=True)
class Run:
    """How many seconds one operation took, and each of its phases if all of them took any."""

    seconds: float
    phases: Mapping[str, float]


class History:
    """Knows how long the last runs of each kind took; the store is asked once a kind."""

    def __init__(self, store: OperationStore) -> None:
        self._store = store
        self._runs: dict[str, deque[Run]] = {}

    async def of(self, kind: str) -> dict[str, Any]:
        """Return medians of the last five that completed, nothing without any.

        `usual_seconds` is the whole; `usual_phases` is there where those that went through the most phases
        say how long each takes.
        """
        if kind not in self._runs:
            completed = OperationFilter(frozenset({OperationStatus.COMPLETED}), kind, LAST_RUNS)
            runs = (await self._store.list(completed)).operations
            self._runs[kind] = deque(map(_run, reversed(runs)), maxlen=LAST_RUNS)
        runs_of_kind = self._runs[kind]
        if not runs_of_kind:
            return {}
        usual = round(median(run.seconds for run in runs_of_kind), 3)
        phases = _usual_phases([run.phases for run in runs_of_kind if run.phases])
        return {"usual_seconds": usual, **({"usual_phases": phases} if phases else {})}

    def note(self, operation: Operation) -> None:
        """Remember an operation that has ended, if it completed."""
        if operation.status is OperationStatus.COMPLETED and operation.operation_type in self._runs:
            self._runs[operation.operation_type].append(_run(operation))


def as_usual(operation: Operation, report: Progressed) -> Progressed:
    """Return a report whose phases weigh what they usually take, where the operation knows that."""
    usual = operation.metadata.get("usual_phases") or {}
    return replace(report, progress=report.progress.weighed(usual))


def _usual_phases(runs: list[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each phase over runs like the newest with the most: a dry run leaves some out."""
    whole: Mapping[str, float] = max(reversed(runs), key=len, default={})
    alike = [run for run in runs if run.keys() == whole.keys()]
    return {name: round(median(run[name] for run in alike), 3) for name in whole}


def _run(operation: Operation) -> Run:
    phases = {phase.name: phase.elapsed_seconds for phase in operation.progress.phases}
    is_told = len(phases) > 1 and min(phases.values()) > 0
    return Run(_seconds(operation), phases if is_told else {})


def _seconds(operation: Operation) -> float:
    if operation.started_at is None or operation.completed_at is None:
        return 0.0
    return max((operation.completed_at - operation.started_at).total_seconds(), 0.0)
