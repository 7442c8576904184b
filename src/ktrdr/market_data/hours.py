"""Which hours of the day are kept, and which bars are in a session at all."""

from datetime import timedelta
from typing import Literal

import polars as pl

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import TradingCalendar, segments

AROUND = timedelta(days=3)
WEEK = timedelta(days=7)
EXTENDED_ZONE = "America/New_York"
EXTENDED_OPEN, EXTENDED_CLOSE = "4h", "20h"


def within_hours(
    bars: pl.DataFrame, timeframe: str, calendar: TradingCalendar, hours: Literal["regular", "extended"]
) -> pl.DataFrame:
    """Return the bars that open while the market trades; `extended`: also from 4:00 to 20:00 around it.

    Raises InputInvalid for bars that have no hours, and where extended hours are not known.
    """
    if timeframe in {"1d", "1w"}:
        raise InputInvalid(f"{timeframe} bars have no hours", hint="leave --trading-hours out")
    if hours == "extended" and not calendar.has_extended_hours:
        raise InputInvalid(
            f"the extended hours of `{calendar.name}` are not known", hint="leave --include-extended out"
        )
    if bars.is_empty():
        return bars
    sessions = calendar.around(bars["time"][0].date(), bars["time"][-1].date(), AROUND)
    parts = segments(sessions) if hours == "regular" else _extended(sessions)
    begun = bars.join_asof(parts.select("start", "end"), left_on="time", right_on="start")
    return begun.filter(pl.col("time") < pl.col("end")).select(bars.columns)


def in_session(times: pl.Series, timeframe: str, calendar: TradingCalendar) -> pl.Series:
    """Return whether each of some bars [n], in order of time, has a moment of trading in it.

    A day is in the session of its date, a week in those of its days. What lies before the first session that
    the calendar knows, or beyond its reach, is not judged: it is taken to be in one.
    """
    try:
        sessions = calendar.around(times[0].date(), times[-1].date(), WEEK)
    except DataInvalid:
        return pl.Series([True]).new_from_index(0, len(times))
    if timeframe in {"1d", "1w"}:
        opened = sessions["date"].dt.truncate(timeframe).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return times.is_in(opened.unique().implode()) | (times < opened.min())
    parts = segments(sessions).select("start", "end")
    last = pl.DataFrame({"over": times.dt.offset_by(f"{TIMEFRAME_SECONDS[timeframe]}s"), "time": times})
    begun = last.join_asof(parts, left_on="over", right_on="start", allow_exact_matches=False)
    return begun.select((pl.col("end") > pl.col("time")).fill_null(True)).to_series()


def _extended(sessions: pl.DataFrame) -> pl.DataFrame:
    midnight = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone(EXTENDED_ZONE)
    moments = {"start": EXTENDED_OPEN, "end": EXTENDED_CLOSE}
    wall = {name: midnight.dt.offset_by(each).dt.convert_time_zone("UTC") for name, each in moments.items()}
    return sessions.select("date", **wall)
