"""Which bars a market's calendar expects."""

from datetime import timedelta

import polars as pl

from ktrdr.market_data.calendars.base import TradingCalendar, segments
from ktrdr.market_data.intervals import Interval

WEEK = timedelta(days=7)
MIDNIGHT = pl.Datetime("us", "UTC")


def expected_opens(
    calendar: TradingCalendar, timeframe: str, within: Interval, *, by_clock: bool = False
) -> pl.Series:
    """Return the times [n] at which the calendar expects bars to open in an interval, in order.

    1d: the session dates; 1w: the Mondays of weeks with a session; below a day: from each open of trading in
    steps of the timeframe, the last one cut short by the close. `by_clock`: in steps of the full clock
    instead, from the step that the open falls into.
    """
    sessions = calendar.sessions((within.start - WEEK).date(), (within.end + WEEK).date())
    if timeframe in {"1d", "1w"}:
        opens = sessions["date"].dt.truncate(timeframe).unique().sort().cast(pl.Datetime("us"))
        opens = opens.dt.replace_time_zone("UTC")
    else:
        start = pl.col("start").dt.truncate(timeframe) if by_clock else pl.col("start")
        each = pl.datetime_ranges(start, "end", interval=timeframe, closed="left")
        opens = segments(sessions).select(each).to_series().explode().unique().sort()
    return opens.filter((opens >= within.start) & (opens < within.end)).cast(MIDNIGHT).alias("time")


def best_expected(
    times: pl.Series, calendar: TradingCalendar, timeframe: str, asked: Interval | None = None
) -> pl.Series:
    """Return what is expected in an interval, or from the first to the last of some times [n].

    Bars are expected by the session or by the clock, whichever more of the times agree with.
    """
    within = asked or Interval(times[0], times[-1] + timedelta(microseconds=1))
    by_session = expected_opens(calendar, timeframe, within)
    if timeframe in {"1d", "1w"}:
        return by_session
    by_clock = expected_opens(calendar, timeframe, within, by_clock=True)
    return max((by_session, by_clock), key=lambda opens: int(times.is_in(opens.implode()).sum()))
