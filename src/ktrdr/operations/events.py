"""What can happen to an operation: what a worker says, and what the server decides."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from ktrdr.operations.operation import OperationError, WorkerIdentity
from ktrdr.operations.progress import GenericProgressState


@dataclass(frozen=True, slots=True)
class Started:
    """The worker process exists and says who it is."""

    fence: int
    worker: WorkerIdentity
    type: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class Progressed:
    """The worker is this far, at a time in seconds since 1970; every report is also a heartbeat."""

    fence: int
    progress: GenericProgressState
    at: float | None = None
    type: Literal["progressed"] = "progressed"


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint is durable under this name."""

    fence: int
    checkpoint: str
    type: Literal["checkpointed"] = "checkpointed"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The work is done, its files are durable, its result is valid for its kind."""

    fence: int
    result: dict[str, Any]
    warnings: tuple[str, ...] = ()
    type: Literal["succeeded"] = "succeeded"


@dataclass(frozen=True, slots=True)
class Failed:
    """The work went wrong and will not be tried again."""

    fence: int
    error: OperationError
    type: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The worker stopped because it was asked to."""

    fence: int
    type: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The engine has proved that the process is gone without a word about its end."""

    fence: int
    error: OperationError
    type: Literal["lease_lost"] = "lease_lost"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A slot is free and this attempt gets it."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the operation to stop."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Forced:
    """The grace after a cancellation is over, or force was asked: the worker is about to be killed."""


WorkerEvent = Started | Progressed | Checkpointed | Succeeded | Failed | Cancelled | LeaseLost
Event = WorkerEvent | Claimed | CancelRequested | Forced

ENDINGS = (Succeeded, Failed, Cancelled, LeaseLost)

_ADAPTER: TypeAdapter[WorkerEvent] = TypeAdapter(WorkerEvent)


def event_to_json(event: WorkerEvent) -> bytes:
    """Write what a worker says as one JSON document; NaN and infinity become null, half characters escapes.

    A file name that is not in UTF-8 has such halves, and is part of many an error.
    """
    try:
        return _ADAPTER.dump_json(event)
    except PydanticSerializationError:
        return _ADAPTER.dump_json(_ADAPTER.validate_python(_spelled(_ADAPTER.dump_python(event))))


def event_from_json(document: bytes) -> WorkerEvent:
    """Read what a worker said; raises pydantic's ValidationError for anything else."""
    return _ADAPTER.validate_json(document)


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_spelled(name): _spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(_spelled, value))
    return value
