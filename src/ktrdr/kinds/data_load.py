"""What a load of bars from a provider is asked and what it answers."""

from datetime import date, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.strategy import Symbol, Timeframe

LoadMode = Literal["local", "tail", "backfill", "full"]
Provider = Literal["sample"]


class DataLoadRequest(BaseModel):
    """Whose bars, of which dates (both inclusive), from where, and what to do about those that are there.

    `full` fetches what is missing of the range, `tail` what came after the last bar, `backfill` what was
    before the first, `local` nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: tuple[Symbol, ...] = Field(min_length=1, max_length=50)
    timeframe: Timeframe = "1d"
    start: date | None = None
    end: date | None = None
    mode: LoadMode = "full"
    provider: Provider = "sample"

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"the range ends ({self.end}) before it starts ({self.start})")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("a symbol is named twice")
        return self


class LoadedSeries(BaseModel):
    """What is there of one symbol now, and what it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    timeframe: str
    provider: str
    adjustment: str
    bars: int
    first: datetime
    last: datetime
    new_bars: int
    requests: int
    duplicates_dropped: int


class DataLoadResult(BaseModel):
    """Every series that was asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: tuple[LoadedSeries, ...]


def describe(request: DataLoadRequest) -> str:
    """Return the words of a list: symbols, timeframe, provider."""
    return f"{', '.join(request.symbols)} {request.timeframe} from {request.provider}"


KIND = OperationKind(
    name="data_load",
    start_path="/api/v1/data/load",
    request_model=DataLoadRequest,
    result_model=DataLoadResult,
    describe=describe,
)
