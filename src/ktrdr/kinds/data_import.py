"""What an import of one's own bars is asked and what it answers."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ktrdr.operations.identifier import UPLOAD_ID
from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.strategy import Symbol, Timeframe

BarField = Literal["time", "open", "high", "low", "close", "volume"]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class DataImportRequest(BaseModel):
    """An uploaded CSV file, what its bars are of, and where it differs from what is expected.

    `columns` maps fields of a bar to columns of the file; `tz` is the zone of times that do not say theirs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_id: str = Field(pattern=UPLOAD_ID)
    file_name: str = Field(max_length=255)
    symbol: Symbol
    timeframe: Timeframe
    columns: dict[BarField, Column] = Field(default_factory=dict)
    tz: str | None = Field(default=None, max_length=64)

    @field_validator("tz")
    @classmethod
    def _zone_is_known(cls, tz: str | None) -> str | None:
        try:
            return tz if tz is None else ZoneInfo(tz).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`{tz}` is no time zone; write it as America/New_York or UTC") from None


class DataImportResult(BaseModel):
    """What was kept, and what was dropped, ignored or replaced on the way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    timeframe: str
    bars: int
    first: datetime
    last: datetime
    duplicates_dropped: int
    ignored_columns: tuple[str, ...]
    replaced_bars: int


def describe(request: DataImportRequest) -> str:
    """Return the words of a list: symbol, timeframe, file."""
    return f"{request.symbol} {request.timeframe} from {request.file_name}"


KIND = OperationKind(
    name="data_import",
    start_path="/api/v1/data/import",
    request_model=DataImportRequest,
    result_model=DataImportResult,
    describe=describe,
    repeatable=False,  # the upload is gone with the first attempt
)
