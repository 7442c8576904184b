"""The sessions of exchanges, as the library `exchange_calendars` knows them."""

from datetime import date
from functools import lru_cache

import exchange_calendars
import pandas as pd
import polars as pl
from exchange_calendars.errors import InvalidCalendarName

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.calendars.base import SESSIONS, TradingCalendar

EARLIEST = pd.Timestamp("1960-01-01")
MOMENTS = ("open", "close", "break_start", "break_end")
CANNOT_BE_MADE = (ValueError, NotImplementedError)  # how its calendars fail beside a newer pandas
WITH_EXTENDED_HOURS = frozenset({"XNYS", "XNAS"})


class ExchangeCalendar(TradingCalendar):
    """The sessions of one exchange, by its code, with holidays, half days and lunch breaks."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._schedule = _schedule(name)
        self.known_until = self._schedule["date"][-1]
        self.has_extended_hours = name in WITH_EXTENDED_HOURS
        self.zone = str(_usual_calendar(name).tz)

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        """Return the sessions that are known; raises DataInvalid for a last date that is not."""
        begin, end = self._schedule["date"][0], self._schedule["date"][-1]
        if last < begin or last > end:
            raise DataInvalid(
                f"the calendar `{self.name}` reaches from {begin} to {end}, not to {last}",
                hint="ask for another range, or for another --calendar",
            )
        return self._schedule.filter(pl.col("date").is_between(first, last))


@lru_cache(maxsize=8)
def _schedule(name: str) -> pl.DataFrame:
    known = _library_calendar(name).schedule
    moments = {each: known[each].dt.tz_convert(None).to_numpy().astype("datetime64[us]") for each in MOMENTS}
    days = pl.Series("date", known.index.to_numpy().astype("datetime64[us]")).cast(pl.Date)
    utc = [pl.Series(each, values).dt.replace_time_zone("UTC") for each, values in moments.items()]
    return pl.DataFrame([days, *utc]).cast(pl.Schema(SESSIONS))


def _library_calendar(name: str) -> exchange_calendars.ExchangeCalendar:
    """Return the calendar from as early as it is known; a few cannot be asked that."""
    usual = _usual_calendar(name)
    bound = usual.bound_min()
    earliest = EARLIEST if bound is None else max(EARLIEST, bound)
    try:
        return exchange_calendars.get_calendar(name, start=earliest)
    except CANNOT_BE_MADE:
        return usual


def _usual_calendar(name: str) -> exchange_calendars.ExchangeCalendar:
    try:
        return exchange_calendars.get_calendar(name)
    except InvalidCalendarName:
        raise InputInvalid(
            f"there is no trading calendar `{name}`",
            hint="it is 24/7, fx or the code of an exchange, as XNYS, XNAS, XLON, XETR, XTKS or XHKG",
        ) from None
    except CANNOT_BE_MADE:
        raise InputInvalid(
            f"the installed `exchange_calendars` cannot make the calendar `{name}`",
            hint="name the calendar of an exchange with the same hours, or install another version of it",
        ) from None
