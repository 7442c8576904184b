"""Which bars are over: an unfinished one is never taken."""

from datetime import date, datetime, timedelta

import polars as pl

from ktrdr.market_data.bars import FIRST_MONDAY, TIMEFRAME_SECONDS, last_finished, midnight
from ktrdr.market_data.calendars.base import TradingCalendar

LOOK_BACK = timedelta(days=21)  # no market rests longer
GRID = timedelta(minutes=15)  # bars of an hour open at a full, half or quarter hour somewhere in the world


def finished_until(now: datetime, timeframe: str, calendar: TradingCalendar | None) -> datetime:
    """Return the moment up to which bars are over: what opens from there on may be unfinished.

    Bars within a day are over when their length has passed, since some sources go on after the close; a day
    is over when its session closes, a week when its last one does. Without a calendar, days and weeks (from
    Monday) end at midnight UTC.
    """
    if timeframe in {"1d", "1w"}:
        rough = last_finished(now, timeframe)
        return rough if calendar is None else max(rough, _by_sessions(now, timeframe, calendar))
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    step = min(length, GRID)
    return FIRST_MONDAY + (now - length - FIRST_MONDAY) // step * step + step


def last_close(now: datetime, calendar: TradingCalendar) -> datetime:
    """Return when the last session that is over closed."""
    closes = _sessions(now, calendar)["close"]
    return max((each for each in closes if each <= now), default=now - LOOK_BACK)


def _by_sessions(now: datetime, timeframe: str, calendar: TradingCalendar) -> datetime:
    sessions = _sessions(now, calendar)
    open_days = [day for day, close in sessions.select("date", "close").rows() if close > now]
    over = [day for day, close in sessions.select("date", "close").rows() if close <= now]
    if timeframe == "1d":
        return midnight(max(over, default=date.min) + timedelta(days=1))
    weeks = {_monday(day) for day in over} - {_monday(day) for day in open_days}
    return midnight(max(weeks, default=date.min) + timedelta(days=7))


def _sessions(now: datetime, calendar: TradingCalendar) -> pl.DataFrame:
    return calendar.around(now.date(), now.date(), LOOK_BACK)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
