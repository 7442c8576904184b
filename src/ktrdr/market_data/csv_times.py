"""Text as the times bars opened, in UTC."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.csv_text import LINE
from ktrdr.market_data.ingest import raise_offenders

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y%m%d",
    "%Y%m%d %H%M%S",
)
OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
FIRST_YEAR = 1600
DAY = TIMEFRAME_SECONDS["1d"]
READABLE = "write times as 2024-01-31 or 2024-01-31 15:30, with or without an offset as +01:00"


def read_times(text: pl.DataFrame, column: str, timeframe: str, tz: str | None, now: datetime) -> pl.Series:
    """Return `column` of a text table as UTC [n]; daily and weekly bars carry their session's date.

    Raises DataInvalid, by line, for what is no time, for the future, for a wall time that a change of clocks
    made twice or never, and for bars that cannot be of this timeframe.
    """
    wall, offset = _wall_and_offset(text, column)
    is_daily = TIMEFRAME_SECONDS[timeframe] >= DAY
    has_offset = _offset_for_all(text, column, offset)
    _refuse_useless_zone(tz, is_daily=is_daily, has_offset=has_offset)
    if is_daily:
        times = wall.dt.truncate("1d").dt.replace_time_zone("UTC")
    elif has_offset:
        times = (wall - offset).dt.replace_time_zone("UTC")
    else:
        times = _in_zone(text, column, wall, tz)
    _refuse(text, column, times.dt.year() < FIRST_YEAR, "has no year of four digits", READABLE)
    _refuse_future(text, column, times, now)
    _refuse_other_timeframe(wall if is_daily else times, timeframe)
    return times.rename("time")


def _wall_and_offset(text: pl.DataFrame, column: str) -> tuple[pl.Series, pl.Series]:
    written = text[column]
    bare = written.str.replace(OFFSET, "").str.replace("T", " ", literal=True).str.strip_chars()
    wall = max((_parsed(bare, each) for each in FORMATS), key=lambda parsed: parsed.count())
    _refuse(text, column, wall.is_null(), "is not a time", READABLE)
    return wall, text.select(_offset(pl.col(column))).to_series()


def _offset(written: pl.Expr) -> pl.Expr:
    """Return the offset from UTC as a duration, null where none is written."""
    hours, minutes = (
        written.str.extract(r"[+-](\d{2}):?(\d{2})$", group).cast(pl.Int64).fill_null(0) for group in (1, 2)
    )
    sign = pl.when(written.str.contains(r"-\d{2}:?\d{2}$")).then(-1).otherwise(1)
    length = pl.duration(minutes=sign * (hours * 60 + minutes))
    return pl.when(written.str.contains(OFFSET)).then(length)


def _parsed(bare: pl.Series, layout: str) -> pl.Series:
    return bare.str.to_datetime(layout, time_unit="us", strict=False)


def _offset_for_all(text: pl.DataFrame, column: str, offset: pl.Series) -> bool:
    if offset.null_count() == len(offset):
        return False
    _refuse(text, column, offset.is_null(), "has no offset where other times have one", READABLE)
    return True


def _refuse_useless_zone(tz: str | None, *, is_daily: bool, has_offset: bool) -> None:
    if tz is not None and is_daily:
        raise DataInvalid("daily and weekly bars carry a date, which has no zone", hint="leave --tz out")
    if tz is not None and has_offset:
        raise DataInvalid("the times carry their own offset", hint="leave --tz out")


def _in_zone(text: pl.DataFrame, column: str, wall: pl.Series, tz: str | None) -> pl.Series:
    if tz is None:
        hint = "say which with --tz, for example --tz America/New_York or --tz UTC"
        raise DataInvalid("the times do not say their zone", hint=hint)
    zoned = wall.dt.replace_time_zone(tz, ambiguous="null", non_existent="null")
    words = f"happened twice or never in {tz}, where clocks changed"
    _refuse(text, column, zoned.is_null(), words, "write the times with their offset, as +01:00")
    return zoned.dt.convert_time_zone("UTC")


def _refuse_future(text: pl.DataFrame, column: str, times: pl.Series, now: datetime) -> None:
    _refuse(text, column, times > now, "is in the future", "are day and month the right way round?")


def _refuse_other_timeframe(times: pl.Series, timeframe: str) -> None:
    steps = times.unique().sort().diff().drop_nulls().dt.total_seconds()
    smallest = steps.min()
    wanted = TIMEFRAME_SECONDS[timeframe]
    if isinstance(smallest, int) and not 0.5 * wanted <= smallest <= 1.5 * wanted:
        words = f"the closest bars are {_span(smallest)} apart, which {timeframe} bars are not"
        raise DataInvalid(words, hint="give the right --timeframe")


def _span(seconds: int) -> str:
    for length, unit in ((DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds} s"


def _refuse(text: pl.DataFrame, column: str, broken: pl.Series, words: str, hint: str) -> None:
    rows: Sequence[tuple[int, str]] = text.filter(broken).select(LINE, column).rows()
    raise_offenders([(line, f"column `{column}`: `{value[:40]}` {words}") for line, value in rows], hint)
