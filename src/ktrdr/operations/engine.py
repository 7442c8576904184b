"""The port behind which workers run."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from ktrdr.operations.events import WorkerEvent
from ktrdr.operations.operation import WorkerIdentity


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is asked to do, the fence under which it may speak, and the trace it is part of."""

    operation_id: str
    operation_type: str
    fence: int
    request: Mapping[str, Any]
    traceparent: str | None = None


class WorkerEngine(ABC):
    """Runs one worker an operation and proves how each one ended."""

    slots: int

    @abstractmethod
    def run(self, assignment: Assignment) -> AsyncGenerator[WorkerEvent, None]:
        """Start a worker and yield what it says; the last event is an ending, and but for success the
        whole process group is gone before it is yielded.
        """

    @abstractmethod
    async def cancel(self, operation_id: str) -> None:
        """Tell the worker to stop; nothing happens if it is gone."""

    @abstractmethod
    async def kill(self, operation_id: str) -> None:
        """End the worker's process group, politely and then not; `run` yields the ending."""

    @abstractmethod
    async def reap_orphan(self, worker: WorkerIdentity) -> None:
        """Return once a worker of an earlier server is certainly gone."""

    @abstractmethod
    def log_path(self, operation_id: str) -> str:
        """Return where the worker's own words are kept."""

    @abstractmethod
    async def close(self) -> None:
        """Let running workers keep their checkpoints and end; every `run` yields its ending."""
