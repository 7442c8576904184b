"""When bars opened, in UTC: text, dates, datetimes and seconds since 1970."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import EARLIEST, LATEST, TIMEFRAME_SECONDS
from ktrdr.market_data.import_offences import ALL_OR_NONE, Fault
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.importing.asking import Asks, ask_for_zone
from ktrdr.market_data.importing.session_days import SessionDays
from ktrdr.market_data.importing.values.time_layouts import short_year_layouts
from ktrdr.market_data.importing.values.wall_times import WallTimes
from ktrdr.market_data.time_text import TimeText, zero_offset

FIRST_DAY = datetime(1600, 1, 1, tzinfo=UTC)
DAY = TIMEFRAME_SECONDS["1d"]
UNITS = {"ms": 10**3, "us": 10**6, "ns": 10**9}
MOST = 2**63 - 1
BEGIN_OF_YEARS, END_OF_YEARS = EARLIEST.timestamp(), LATEST.timestamp()
DAYS_OF_SPREADSHEETS = r"^[2-7]\d{4}(?:\.\d+)?$"
READABLE = (
    "write times as 2024-01-31 or 2024-01-31 15:30, with or without an offset as +01:00, "
    "or as seconds or milliseconds since 1970; another way is said with --time-format, as %m/%d/%Y"
)


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """UTC times [n], null where a fault says so, and the moments [n] whose distance tells the timeframe."""

    times: pl.Series
    moments: pl.Series
    faults: tuple[Fault, ...]


class TimeReader:
    """Reads the times of a file, a column [n] after the other; how they are written the first one tells.

    Daily and weekly bars carry their session's date, as `days` finds it. `zone` is said by the name of the
    column, `is_day_first` tells what 1/2/2024 is. Raises DataInvalid for a file whose times do not say their
    zone, or whose zone is said twice.
    """

    def __init__(
        self,
        column: str,
        options: ImportOptions,
        zone: str | None = None,
        *,
        is_day_first: bool | None = None,
    ) -> None:
        self._column = column
        self._options = options
        self._tz = options.tz or zone
        self._now = options.now
        self._is_daily = TIMEFRAME_SECONDS[options.timeframe] >= DAY
        self._text = TimeText(options.time_format, is_day_first=is_day_first)
        self._has_offset: bool | None = None
        self.days = SessionDays(column, options)
        if zone is not None and options.tz is not None:
            raise DataInvalid(
                f"column `{column}` says by its name that it is in {zone}", hint="leave --tz out"
            )

    def read(self, written: pl.Series) -> ReadTimes:
        """Return the times; a fault names each that is none, is in the future, or happened twice or never."""
        written = _possible(written)
        found = self._walls(written)
        self._refuse_unreadable(written, found.wall)
        self._tz = self._tz or found.zone
        self._learn(found)
        wall, offset = found.wall, found.offset
        faults = list(self._no_times(written, wall))
        if self._has_offset is not None:
            is_odd = offset.is_null() if self._has_offset else offset.is_not_null()
            words = (
                "has no offset where other times have one"
                if self._has_offset
                else "has an offset where other times have none"
            )
            faults.append(self._fault(written, is_odd, words, READABLE))
        if self._is_daily:
            times = self.days.read(found, self._tz)
        elif self._has_offset:
            times = (wall - offset).dt.replace_time_zone("UTC")
        else:
            times, lost = self._in_zone(wall)
            words = f"happened twice or never in {self._tz}, where clocks changed"
            faults.append(self._fault(written, lost, words, "write the times with their offset, as +01:00"))
        faults += [
            self._fault(written, times < FIRST_DAY, "has no year of four digits", READABLE),
            self._fault(
                written, times > self._now, "is in the future", "are day and month the right way round?"
            ),
        ]
        return ReadTimes(times, wall if self._is_daily else times, tuple(faults))

    def finish(self) -> None:
        """Raise DataInvalid for days that cannot be known, when all times have been read."""
        if self._is_daily:
            self.days.finish()

    def _walls(self, written: pl.Series) -> WallTimes:
        kind = written.dtype
        if self._options.time_format is not None and kind.is_temporal():
            raise DataInvalid(
                f"column `{self._column}` has times that are no text", hint="leave --time-format out"
            )
        if kind == pl.Date:
            if not self._is_daily:
                words = f"column `{self._column}` has dates, which do not say when in the day bars opened"
                raise DataInvalid(words, hint="give --timeframe 1d or 1w, or a column of datetimes")
            return WallTimes(written.cast(pl.Datetime("us")), _no_offset(written))
        if isinstance(kind, pl.Datetime):
            wall = written.cast(pl.Datetime("us", kind.time_zone))
            if kind.time_zone is None:
                return WallTimes(wall, _no_offset(written))
            utc = wall.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            local = wall.dt.replace_time_zone(None)
            return WallTimes(local, local - utc) if self._is_daily else WallTimes(utc, zero_offset(utc))
        return self._text.read(_as_text(written))

    def _learn(self, found: WallTimes) -> None:
        """Find out once whether times carry an offset; what differs later is a fault."""
        with_offset = len(found.offset) - found.offset.null_count()
        says_zone = with_offset or found.zone is not None
        # a format that reads offsets was given together with the zone: the offsets are nearer to the times
        if says_zone and not self._is_daily and self._options.tz and self._options.time_format is None:
            raise DataInvalid("the times carry their own offset", hint="leave --tz out")
        known = len(found.wall) - found.wall.null_count()
        if self._has_offset is None and known:
            self._has_offset = with_offset > 0
        if known and not self._has_offset and not self._is_daily and self._tz is None:
            raise ask_for_zone(self._options)

    def _no_times(self, written: pl.Series, wall: pl.Series) -> Iterator[Fault]:
        """Yield what is no time; a word below times is not one that is written in another way."""
        if written.dtype == pl.String and self._has_offset is not None:
            is_word = wall.is_null() & ~written.str.contains(r"\d")
            yield self._fault(written, is_word, "is not a time", ALL_OR_NONE)
        yield self._fault(written, wall.is_null(), "is not a time", READABLE)

    def _refuse_unreadable(self, written: pl.Series, wall: pl.Series) -> None:
        """Name the two usual ways of writing that are read as no time, when none of the first is one."""
        is_read = self._has_offset is not None or wall.count() or self._options.time_format is not None
        if is_read or written.dtype != pl.String:
            return
        texts = written.drop_nulls().str.strip_chars()
        if texts.str.contains(DAYS_OF_SPREADSHEETS).any():
            words = f"column `{self._column}` counts days as spreadsheets do, as `{texts[0][:40]}`"
            raise DataInvalid(words, hint="show the column as dates there, as 2024-01-31, and save it again")
        layouts = short_year_layouts(texts)
        if layouts:
            words = f"column `{self._column}` has years of two digits, as `{texts[0][:40]}`"
            raise Asks(words, {"time_format": layouts[0]}, " ".join(f"or {each}" for each in layouts[1:]))

    def _in_zone(self, wall: pl.Series) -> tuple[pl.Series, pl.Series]:
        zoned = wall.dt.replace_time_zone(self._tz or "UTC", ambiguous="null", non_existent="null")
        return zoned.dt.convert_time_zone("UTC"), zoned.is_null() & wall.is_not_null()

    def _fault(self, written: pl.Series, broken: pl.Series, words: str, hint: str) -> Fault:
        return Fault(broken.fill_null(False), words, hint, self._column, written)


def _possible(written: pl.Series) -> pl.Series:
    """Return moments outside of the years 1 to 9999, which nobody could write down, as null."""
    if not written.dtype.is_temporal():
        return written
    unit = UNITS[written.dtype.time_unit] if isinstance(written.dtype, pl.Datetime) else 1 / DAY
    number = written.to_physical()
    is_possible = number.is_between(
        max(int(BEGIN_OF_YEARS * unit), -MOST), min(int(END_OF_YEARS * unit), MOST)
    )
    return pl.select(pl.when(is_possible).then(written)).to_series()


def _as_text(written: pl.Series) -> pl.Series:
    """Return times as text; whole seconds since 1970 may be floating-point numbers."""
    if not written.dtype.is_float():
        return written.cast(pl.String)
    number = pl.col("number")
    whole = (
        pl.when((number == number.floor()) & (number.abs() < MOST)).then(number).cast(pl.Int64, strict=False)
    )
    text = whole.cast(pl.String).fill_null(number.cast(pl.String))
    return written.alias("number").to_frame().select(text).to_series()


def _no_offset(written: pl.Series) -> pl.Series:
    return pl.Series([None], dtype=pl.Duration("us")).new_from_index(0, len(written))
