"""The explicit table of calendars: two of our own, and all others by their exchange's code."""

from collections.abc import Mapping

from ktrdr.errors import InputInvalid
from ktrdr.lazy import resolve
from ktrdr.market_data.calendars.base import TradingCalendar

OWN: Mapping[str, str] = {
    "24/7": "ktrdr.market_data.calendars.round_the_clock:RoundTheClock",
    "fx": "ktrdr.market_data.calendars.fx_week:FxWeek",
}
OTHERS = "ktrdr.market_data.calendars.exchange:ExchangeCalendar"
LIBRARY = "exchange_calendars"


def open_calendar(name: str) -> TradingCalendar:
    """Return a calendar by name; raises InputInvalid for an unknown one, or where its library is missing."""
    try:
        calendar: type[TradingCalendar] = resolve(OWN.get(name, OTHERS))
    except ModuleNotFoundError as error:
        if error.name != LIBRARY:
            raise
        raise InputInvalid(
            f"the trading calendar `{name}` needs the library `{LIBRARY}`",
            hint="pip install 'ktrdr[calendars]'",
        ) from None
    return calendar(name)
