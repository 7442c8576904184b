"""How far apart the bars of a file are, and whether the rest of a market explains it."""

from datetime import datetime, timedelta

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.importing.asking import Asks

DAY = TIMEFRAME_SECONDS["1d"]
MONTH = 28 * DAY
AROUND = timedelta(days=14)
USUAL_REST = timedelta(days=4)  # a weekend with a holiday beside it


def refuse_other_spacing(
    closest: float, options: ImportOptions, first: datetime, last: datetime
) -> str | None:
    """Return what to say of bars whose closest two are so many seconds apart, None if that is nothing odd.

    Raises DataInvalid for bars that overlap, and where the timeframe was not given and bars are further apart
    than the market rests.
    """
    length = timedelta(seconds=TIMEFRAME_SECONDS[options.timeframe])
    step = timedelta(seconds=closest)
    if step < 0.5 * length:
        raise other_timeframe(closest, options.timeframe)
    if step <= 1.5 * length or step <= _longest_step(options.calendar, options.timeframe, first, last):
        return None
    if not options.is_timeframe_sure:
        raise other_timeframe(closest, options.timeframe)
    return f"the closest bars are {spelled(closest)} apart, and are taken as {options.timeframe} bars"


def _longest_step(
    calendar: TradingCalendar | None, timeframe: str, first: datetime, last: datetime
) -> timedelta:
    """Return how far two bars may be apart between which nothing is missing."""
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    usual = USUAL_REST if timeframe == "1d" else length
    if calendar is None:
        return usual
    try:
        sessions = calendar.around(first.date(), last.date(), AROUND)
    except DataInvalid:
        return usual
    if timeframe in {"1d", "1w"}:
        days = sessions["date"].dt.truncate(timeframe).unique().sort()
        return max((each for each in days.diff().drop_nulls()), default=usual)
    rests = (sessions["open"] - sessions["close"].shift(1)).drop_nulls()
    return length + max((each for each in rests), default=timedelta())


def other_timeframe(seconds: float, timeframe: str) -> DataInvalid:
    """Return the error of bars whose closest two are so far apart."""
    words = f"the closest bars are {spelled(seconds)} apart, which {timeframe} bars are not"
    right = next((name for name, length in TIMEFRAME_SECONDS.items() if length == seconds), None)
    if right is not None:
        return Asks(words, {"timeframe": right})
    known = f"there are {', '.join(TIMEFRAME_SECONDS)}; with --timeframe {timeframe} they are taken as such"
    if seconds >= MONTH:
        known = f"bars of a month or longer are not kept: {known}"
    return DataInvalid(words, hint=known)


def spelled(seconds: float) -> str:
    """Return a length of time: `3 d`, `1.5 h`."""
    for length, unit in ((DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
