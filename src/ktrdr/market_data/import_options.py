"""What is asked of an import: how its file is to be understood, and how much of it is held at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.calendars.base import TradingCalendar

SYMBOL = "symbol"
LINE = "\0line"  # no header can hold a NUL
FIELDS = (SYMBOL, *SCHEMA)
MOST_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class Portions:
    """How much of a file is in memory at once.

    `block` bytes of text and `rows` of a Parquet file are read together; `held` bars wait before the disk has
    to take them.
    """

    block: int = 16 * 2**20
    rows: int = 2**18
    held: int = 1_000_000


WHOLE_PORTIONS = Portions()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be understood.

    All bars are of `symbol`, unless the file or its `symbol_column` tells of which each is. `columns` maps
    fields of a bar to columns, the time to one without a name if that is empty, the volume to none; `tz` is
    the zone of times that carry no offset, `calendar` has the sessions that daily bars are of; without a
    `separator` it is found. `skip_lines` come before the header; with `no_header` there is none, and columns
    are named by number from 1. `thousands` groups the digits of numbers. With `tolerant` what is wrong is set
    aside instead of refusing the file. Nothing may be later than `now`. `time_format` says how times are
    written, in `datetime.strptime`'s way. Without `is_timeframe_sure` nobody gave the timeframe.
    """

    timeframe: str
    now: datetime
    symbol: str = ""
    symbol_column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tz: str | None = None
    separator: str | None = None
    decimal_comma: bool = False
    tolerant: bool = False
    time_format: str | None = None
    no_header: bool = False
    skip_lines: int | None = None
    thousands: str | None = None
    calendar: TradingCalendar | None = None
    is_timeframe_sure: bool = False


def refuse_too_many_columns(count: int) -> None:
    """Raise DataInvalid for a file so wide that it cannot be one of bars."""
    if count > MOST_COLUMNS:
        raise DataInvalid(f"there are {count:,} columns", hint=f"at most {MOST_COLUMNS:,} are read")
