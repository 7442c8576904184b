"""What a load of bars from a provider is asked and what it answers."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.bar_terms import Adjustment, Day, Hours
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.strategy import Symbol, Timeframe

LoadMode = Literal["local", "tail", "backfill", "full"]
WITHOUT_HOURS = frozenset({"1d", "1w"})


class DataLoadRequest(BaseModel):
    """Whose bars, of which dates (both inclusive), from where, and what to do about those that are there.

    `full` fetches what is missing of the range, `tail` what came after the last bar, `backfill` what was
    before the first; `local` fetches nothing, and makes bars of finer ones. Without a provider it is the one
    whose bars are there, else the sample; without an adjustment that of what is there, else the provider's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: tuple[Symbol, ...] = Field(min_length=1, max_length=50)
    timeframe: Timeframe = "1d"
    start: Day | None = None
    end: Day | None = None
    mode: LoadMode = "full"
    provider: ProviderName | None = None
    adjustment: Adjustment | None = None
    trading_hours: bool = False
    include_extended: bool = False

    @property
    def hours(self) -> Hours:
        """Return which hours of the day are kept."""
        if not self.trading_hours:
            return "all"
        return "extended" if self.include_extended else "regular"

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"the range ends ({self.end}) before it starts ({self.start})")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("a symbol is named twice")
        if self.mode == "tail" and self.start:
            raise ValueError("tail begins with the last bar that is there; leave start out")
        if self.mode == "backfill" and self.end:
            raise ValueError("backfill ends with the first bar that is there; leave end out")
        if self.include_extended and not self.trading_hours:
            raise ValueError("include_extended has no effect without trading_hours")
        if self.trading_hours and self.timeframe in WITHOUT_HOURS:
            raise ValueError(f"{self.timeframe} bars have no hours; leave trading_hours out")
        return self


class GapCounts(BaseModel):
    """How often bars pause, by the reason the calendar gives; unexpected is where bars are missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekend: int
    holiday: int
    session: int
    unexpected: int


class LoadedSeries(BaseModel):
    """What is there of one symbol now, what it took, and how whole it is.

    What needs a trading calendar is `null` where there is none: `expected` bars, those `missing`, the share
    that is there as `coverage`, and `gaps`. `jumps` are opens that look like a split nobody adjusted for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    symbol: str
    timeframe: str
    provider: str
    adjustment: Adjustment
    calendar: str | None
    hours: Hours
    bars: int
    first: datetime
    last: datetime
    new_bars: int
    requests: int
    duplicates_dropped: int
    outside_hours_dropped: int
    mended_files: tuple[str, ...]
    expected: int | None
    missing: int | None
    coverage: float | None
    gaps: GapCounts | None
    jumps: tuple[datetime, ...]


class DataLoadResult(BaseModel):
    """Every series that was asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: tuple[LoadedSeries, ...]


def describe(request: DataLoadRequest) -> str:
    """Return the words of a list: symbols, timeframe, provider."""
    source = f" from {request.provider}" if request.provider else ""
    return f"{', '.join(request.symbols)} {request.timeframe}{source}"


def sources(request: DataLoadRequest) -> frozenset[str] | None:
    """Return the provider that is named."""
    return frozenset({request.provider}) if request.provider else None


KIND = OperationKind(
    name="data_load",
    start_path="/api/v1/data/load",
    request_model=DataLoadRequest,
    result_model=DataLoadResult,
    describe=describe,
    sources=sources,
)
