"""The kind to copy: count to a number of iterations within a duration."""

from pydantic import BaseModel, ConfigDict, Field

from ktrdr.operations.kind import OperationKind


class DummyRequest(BaseModel):
    """How long to work, in seconds, and in how many iterations."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    duration: float = Field(default=10.0, gt=0, le=86_400)
    iterations: int = Field(default=100, ge=1, le=1_000_000)


class DummyResult(BaseModel):
    """What was done, and in how many seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations_completed: int
    total_time: float


def describe(request: DummyRequest) -> str:
    """Return the words of a list."""
    return f"{request.iterations} iterations in {request.duration:g} s"


KIND = OperationKind(
    name="dummy",
    start_path="/api/v1/dummy/start",
    request_model=DummyRequest,
    result_model=DummyResult,
    describe=describe,
)
