"""Which bars are over: an unfinished one is never taken."""

from datetime import date, datetime, timedelta

from ktrdr.market_data.bars import FIRST_MONDAY, TIMEFRAME_SECONDS, last_finished, midnight
from ktrdr.market_data.calendars.base import TradingCalendar

LOOK_BACK = timedelta(days=21)  # no market rests longer
GRID = timedelta(minutes=15)  # bars of an hour open at a full, half or quarter hour somewhere in the world


def finished_until(now: datetime, timeframe: str, calendar: TradingCalendar | None) -> datetime:
    """Return the moment up to which bars are over: what opens from there on may be unfinished.

    Bars within a day are over when their length has passed, at the latest when the session closes; a day
    when its session does, a week when its last session does. Without a calendar, days and weeks (from Monday)
    end at midnight UTC.
    """
    if timeframe in {"1d", "1w"}:
        rough = last_finished(now, timeframe)
        return rough if calendar is None else max(rough, _by_sessions(now, timeframe, calendar))
    passed = _passed(now, timeframe)
    return passed if calendar is None else max(passed, _last_close(now, calendar))


def _passed(now: datetime, timeframe: str) -> datetime:
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    step = min(length, GRID)
    return FIRST_MONDAY + (now - length - FIRST_MONDAY) // step * step + step


def _last_close(now: datetime, calendar: TradingCalendar) -> datetime:
    closes = calendar.sessions((now - LOOK_BACK).date(), (now + timedelta(days=1)).date())["close"]
    return max((each for each in closes if each <= now), default=now - LOOK_BACK)


def _by_sessions(now: datetime, timeframe: str, calendar: TradingCalendar) -> datetime:
    sessions = calendar.sessions((now - LOOK_BACK).date(), (now + timedelta(days=7)).date())
    open_days = [day for day, close in sessions.select("date", "close").rows() if close > now]
    over = [day for day, close in sessions.select("date", "close").rows() if close <= now]
    if timeframe == "1d":
        return midnight(max(over, default=date.min) + timedelta(days=1))
    weeks = {_monday(day) for day in over} - {_monday(day) for day in open_days}
    return midnight(max(weeks, default=date.min) + timedelta(days=7))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
