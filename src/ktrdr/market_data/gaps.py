"""Where bars pause, and why: each pause is explained by the calendar, or bars are missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import polars as pl

from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.expected import BY_DAY

GapKind = Literal["weekend", "holiday", "session", "unexpected"]
KINDS: tuple[GapKind, ...] = get_args(GapKind)
AROUND = timedelta(days=14)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """A pause from the end of one bar to the open of the next, and how many bars are missing in it."""

    start: datetime
    end: datetime
    kind: GapKind
    missing: int


def find_gaps(
    times: pl.Series, timeframe: str, calendar: TradingCalendar, expected: pl.Series
) -> pl.DataFrame:
    """Return the pauses between the times [n] of bars: `start`, `end`, `kind`, `missing`.

    `unexpected`: bars are missing. Else `holiday`: it spans a day without a session, of those days of the
    week that usually have one; else `weekend`: it spans a day of the others; else `session`: a rest.
    """
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    steps = pl.DataFrame({"opened": times[:-1], "end": times[1:]})
    missing = expected.search_sorted(steps["end"], "left") - expected.search_sorted(steps["opened"], "right")
    over = pl.col("opened") + length
    pauses = steps.with_columns(start=pl.min_horizontal(over, "end"), missing=missing.cast(pl.Int64)).filter(
        (over < pl.col("end")) | (pl.col("missing") > 0)
    )
    days = _days(times, calendar)
    first = _dates(pauses["opened"], timeframe, calendar) + (7 * DAY if timeframe == "1w" else DAY)
    last = _dates(pauses["end"], timeframe, calendar)
    holidays, weekends = (_count(days, name, first, last) for name in ("is_holiday", "is_weekend"))
    kind = (
        pl.when(pl.col("missing") > 0)
        .then(pl.lit("unexpected"))
        .when(holidays > 0)
        .then(pl.lit("holiday"))
        .when(weekends > 0)
        .then(pl.lit("weekend"))
        .otherwise(pl.lit("session"))
    )
    return pauses.select("start", "end", "missing", kind=kind).select("start", "end", "kind", "missing")


def count_by_kind(gaps: pl.DataFrame) -> Mapping[GapKind, int]:
    """Return how many pauses of each kind there are."""
    return {kind: int((gaps["kind"] == kind).sum()) for kind in KINDS}


def _days(times: pl.Series, calendar: TradingCalendar) -> pl.DataFrame:
    """Return every date around the bars, and how many holidays and weekend days were before it."""
    first, last = (times[0] - AROUND).date(), (times[-1] + AROUND).date()
    traded = calendar.around(times[0].date(), times[-1].date(), AROUND)["date"]
    usual = _usual_weekdays(traded).implode()
    days = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
    is_usual = pl.col("date").dt.weekday().is_in(usual)
    is_session = pl.col("date").is_in(traded.implode())
    return days.select(
        "date",
        is_holiday=(is_usual & ~is_session).cast(pl.Int64).cum_sum(),
        is_weekend=(~is_usual & ~is_session).cast(pl.Int64).cum_sum(),
    )


def _count(days: pl.DataFrame, name: str, first: pl.Series, last: pl.Series) -> pl.Series:
    """Return how many such days there are from each `first` up to, and without, each `last`."""
    passed = pl.Series([0, *days[name]])
    origin = days["date"][0]
    positions = ((each - origin).dt.total_days().clip(0, len(days)) for each in (first, last))
    begin, end = (passed.gather(each) for each in positions)
    return end - begin


def _usual_weekdays(traded: pl.Series) -> pl.Series:
    """Return the days of the week with at least half as many sessions as the one with most."""
    counted = traded.dt.weekday().value_counts()
    return counted.filter(pl.col("count") * 2 >= pl.col("count").max())["date"]


def _dates(times: pl.Series, timeframe: str, calendar: TradingCalendar) -> pl.Series:
    """Return the date of the session that each bar belongs to, or is nearest to."""
    if timeframe in BY_DAY or times.is_empty():
        return times.dt.date()
    sessions = calendar.around(times[0].date(), times[-1].date(), AROUND)
    rest = pl.col("open") - pl.col("close").shift(1)
    nearest = sessions.select("date", since=(pl.col("open") - rest / 2).fill_null(pl.col("open")))
    found = pl.DataFrame({"time": times}).join_asof(nearest, left_on="time", right_on="since")
    return found["date"].fill_null(strategy="backward")
