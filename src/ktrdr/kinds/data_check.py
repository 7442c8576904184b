"""What a check of stored bars is asked and what it answers."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.bar_terms import Day
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.strategy import Symbol, Timeframe

CalendarName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,31}$")]
GapKind = Literal["weekend", "holiday", "session", "unexpected"]


class DataCheckRequest(BaseModel):
    """Which bars, of which dates (both inclusive); `calendar` replaces the one that is kept with them.

    With `fail_on_gaps` an operation that finds an unexpected gap fails and names the first ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Symbol
    timeframe: Timeframe = "1d"
    provider: ProviderName | None = None
    calendar: CalendarName | None = None
    start: Day | None = None
    end: Day | None = None
    fail_on_gaps: bool = False

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"the range ends ({self.end}) before it starts ({self.start})")
        return self


class FoundGap(BaseModel):
    """A gap nobody can explain, from `start` up to `end`, and how many bars it lacks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: datetime
    end: datetime
    missing: int


class FoundJump(BaseModel):
    """An open that is `ratio` of the close before, as after a split of that name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time: datetime
    ratio: float
    split: str


class DataCheckResult(BaseModel):
    """The quality of a series; what only a calendar can tell is null without one, and `note` says why.

    `expected`, `present` and `missing` count bars within the calendar's sessions, `outside` the others, of
    which `flat_outside` have one price, as fillers do; `unexpected` lists the first of the gaps that `gaps`
    counts under that name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    symbol: str
    timeframe: str
    provider: str
    adjustment: str
    hours: str
    calendar: str | None
    note: str | None
    bars: int
    first: datetime
    last: datetime
    expected: int | None
    present: int | None
    outside: int | None
    flat_outside: int | None
    missing: int | None
    coverage: float | None
    gaps: dict[GapKind, int] | None
    unexpected: tuple[FoundGap, ...]
    jumps: tuple[FoundJump, ...]


def describe(request: DataCheckRequest) -> str:
    """Return the words of a list: symbol, timeframe, provider."""
    origin = f" from {request.provider}" if request.provider else ""
    return f"{request.symbol} {request.timeframe}{origin}"


KIND = OperationKind(
    name="data_check",
    start_path="/api/v1/data/check",
    request_model=DataCheckRequest,
    result_model=DataCheckResult,
    describe=describe,
)
