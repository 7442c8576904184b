"""What an import of one's own bars is asked and what it answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ktrdr.operations.identifier import UPLOAD_ID
from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.bar_terms import Adjustment
from ktrdr.strategies.strategy import Symbol, Timeframe

BarField = Literal["time", "open", "high", "low", "close", "volume"]
Column = Annotated[str, Field(min_length=1, max_length=200)]
FieldColumn = Annotated[str, Field(max_length=200)]
MAY_BE_UNNAMED = frozenset({"time", "volume"})
MOST_SKIPPED = 1000
SOME_DAY = datetime(2007, 12, 25, 13, 45, 59, tzinfo=UTC)
MONTHS = frozenset({"1mo", "1M", "1mon", "1MN", "mn1", "MN1", "1month", "month", "monthly"})
SPELLED: Mapping[object, str] = {"tab": "\t", "\\t": "\t"}


def _spelled(separator: object) -> object:
    return SPELLED.get(separator, separator) if isinstance(separator, str) else separator


Separator = Annotated[Literal[",", ";", "\t", "|"], BeforeValidator(_spelled)]


def _is_read_as_written(layout: str) -> bool:
    try:
        read = datetime.strptime(SOME_DAY.strftime(layout), layout)
    except (ValueError, UnicodeError):
        return False
    return read.date() == SOME_DAY.date() and read.hour in {0, SOME_DAY.hour}


def _is_honoured(layout: str) -> bool:
    """Tell whether every directive has an effect: a zone comes last, and AM or PM belongs to 12 hours."""
    written = layout.replace("%%", "")
    return written.find("%Z") in {-1, len(written) - 2} and ("%p" not in written or "%I" in written)


class DataImportRequest(BaseModel):
    """An uploaded CSV or Parquet file, what its bars are of, and where it differs from what is expected.

    All bars are of `symbol`, or each of the one that the file names, in `symbol_column` where that does not
    show. `columns` maps fields of a bar to columns of the file, the time to two as `Date+Time`; an empty name
    is the column without one for the time, and no column for the volume. `tz` is the zone of times that do
    not say theirs, `time_format` how they are written where it is none of the usual ways, a separator is
    found where none is given. `skip_lines` come before the header; with `no_header` there is none, and
    columns are numbers from 1. `thousands` groups the digits of numbers. With `quarantine` wrong lines are
    set aside; with `dry_run` nothing is written.
    Bars join those imported before, on their terms where no `calendar` or `adjustment` is given; with
    `replace` they take their place. `outside` tells what becomes of bars in no session of the calendar.
    Unless `is_timeframe_sure`, bars that are further apart are refused as those of another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_id: str = Field(pattern=UPLOAD_ID)
    file_name: str = Field(max_length=255)
    symbol: Symbol | None = None
    timeframe: Timeframe
    is_timeframe_sure: bool = True
    columns: dict[BarField, FieldColumn] = Field(default_factory=dict)
    tz: str | None = Field(default=None, max_length=64)
    time_format: str | None = Field(default=None, max_length=64)
    separator: Separator | None = None
    symbol_column: Column | None = None
    calendar: str | None = Field(default=None, min_length=1, max_length=64)
    adjustment: Adjustment | None = None
    no_header: bool = False
    skip_lines: int | None = Field(default=None, ge=0, le=MOST_SKIPPED)
    thousands: Literal[",", "."] | None = None
    decimal_comma: bool = False
    quarantine: bool = False
    dry_run: bool = False
    replace: bool = False
    outside: Literal["refuse", "keep"] = "refuse"

    @field_validator("timeframe", mode="before")
    @classmethod
    def _is_no_month(cls, timeframe: object) -> object:
        if timeframe in MONTHS:
            raise ValueError(
                f"`{timeframe}` bars are not kept, since a month is no length of time; 1w is the longest"
            )
        return timeframe

    @field_validator("tz")
    @classmethod
    def _zone_is_known(cls, tz: str | None) -> str | None:
        try:
            return tz if tz is None else ZoneInfo(tz).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`{tz}` is no time zone; write it as America/New_York or UTC") from None

    @field_validator("time_format")
    @classmethod
    def _format_says_a_day(cls, layout: str | None) -> str | None:
        if layout is not None and not _is_read_as_written(layout):
            raise ValueError(f"`{layout}` does not say a day; write it as %m/%d/%Y or %d.%m.%Y %H:%M")
        if layout is not None and not _is_honoured(layout):
            raise ValueError(
                f"`{layout}` has %Z before its end, or %p without %I, which would have no effect"
            )
        return layout

    @field_validator("columns")
    @classmethod
    def _columns_are_named(cls, columns: dict[BarField, str]) -> dict[BarField, str]:
        unnamed = [name for name, column in columns.items() if not column and name not in MAY_BE_UNNAMED]
        if unnamed:
            raise ValueError(f"`{unnamed[0]}` needs a column; only `time=` and `volume=` mean something")
        return columns

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.symbol is not None and self.symbol_column is not None:
            raise ValueError("the symbols come from symbol_column; leave symbol out")
        if self.decimal_comma and self.separator == ",":
            raise ValueError("a comma cannot both separate columns and begin decimals")
        if self.decimal_comma and self.thousands == ",":
            raise ValueError("a comma cannot both begin decimals and group digits")
        return self


class ImportedSeries(BaseModel):
    """What came of one symbol, and what became of it.

    Of its `bars` some are `new_bars`, the others are equal to stored ones; `replaced_bars` were stored before
    and are gone; `total_bars` are stored now. `outside` are in no session of the calendar, None without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    timeframe: str
    bars: int
    first: datetime
    last: datetime
    new_bars: int
    equal_bars: int
    replaced_bars: int
    total_bars: int
    adjustment: Adjustment
    calendar: str | None
    outside: int | None


class PreviewBar(BaseModel):
    """A bar as it was understood."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    symbol: str
    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class DataImportResult(BaseModel):
    """What was kept, and what was dropped, ignored, set aside or replaced on the way.

    `series` lists at most a thousand of `series_count`. `quarantined` lines or rows are wrong, `offenders`
    are the first ten of them as text, and `quarantine_file` is where the server keeps all of them. `columns`
    tells from which column each field was read, `skipped_lines` stood before the header, `rows_without_price`
    were no bars, and of `unknown_volumes` bars the file does not know the volume. After a `dry_run` nothing
    was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: tuple[ImportedSeries, ...]
    series_count: int
    duplicates_dropped: int
    ignored_columns: tuple[str, ...]
    columns: dict[str, str]
    skipped_lines: tuple[str, ...]
    rows_without_price: int
    unknown_volumes: int
    quarantined: int
    quarantine_file: str | None
    offenders: tuple[str, ...]
    dry_run: bool
    remarks: tuple[str, ...]
    preview: tuple[PreviewBar, ...]


def describe(request: DataImportRequest) -> str:
    """Return the words of a list: symbol, timeframe, file."""
    words = f"{request.symbol or 'symbols'} {request.timeframe} from {request.file_name}"
    return f"{words} (dry run)" if request.dry_run else words


KIND = OperationKind(
    name="data_import",
    start_path="/api/v1/data/import",
    request_model=DataImportRequest,
    result_model=DataImportResult,
    describe=describe,
    repeatable=False,  # the upload is gone with the first attempt
)
