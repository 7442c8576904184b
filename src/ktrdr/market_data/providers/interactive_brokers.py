"""Interactive Brokers as a source, through the library `ib_async` and a TWS or IB Gateway that is running."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, TypeVar

import polars as pl
from ib_async import IB, BarData, Contract, ContractDetails, Forex, RequestError, Stock

from ktrdr.errors import DataInvalid, ProviderFailed
from ktrdr.market_data.bars import SCHEMA, empty_bars, midnight
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.ib_connection import (
    HISTORY_TROUBLE,
    NO_DATA,
    IbConnection,
    Refused,
)
from ktrdr.market_data.providers.pacing import Pace, PacingBudget
from ktrdr.market_data.providers.retrying import LATER, Retries, Surroundings
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment

STOCK = re.compile(r"[A-Z0-9][A-Z0-9 .]{0,19}")
PAIR = re.compile(r"([A-Z]{3})[./]([A-Z]{3})")
PACE = Pace(60, 600.0)  # what Interactive Brokers allows for historical data
SIXTY_SECONDS = 60.0  # it can take that long to answer with many bars
DAY = timedelta(days=1)
IN_UTC = 2  # formatDate: seconds since 1970 for bars of a day, dates for days
ALL_HOURS = False
CALENDARS: Mapping[str, str] = dict.fromkeys(("NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX"), "XNYS")
FX = "fx"
NO_SUCH_CONTRACT = 200

Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class Span:
    """The name of a timeframe there, and how much one request may ask for."""

    size: str
    longest: timedelta


SPANS: Mapping[str, Span] = {
    "1m": Span("1 min", DAY),
    "5m": Span("5 mins", 7 * DAY),
    "15m": Span("15 mins", 7 * DAY),
    "30m": Span("30 mins", 28 * DAY),
    "1h": Span("1 hour", 28 * DAY),
    "1d": Span("1 day", 360 * DAY),
}


class InteractiveBrokers(BarProvider):
    """US stocks (`AAPL`), adjusted for splits and with all hours of the day, and currencies (`EUR.USD`).

    Bars of currencies are made of the middle between bid and ask and have no volume.
    """

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("split",)
    delay = timedelta(hours=1)
    settling = timedelta(days=7)
    surroundings: ClassVar[Surroundings] = Surroundings(timeout=SIXTY_SECONDS)

    def __init__(self, name: str, settings: ProviderSettings, adjustment: Adjustment) -> None:
        super().__init__(name, settings, adjustment)
        around = self.surroundings
        self._connection = IbConnection(settings.ib_address, settings.ib_client_id, around.timeout)
        self._budget = PacingBudget(name, PACE, settings.pacing, clock=around.clock, sleep=around.sleep)
        self._retries = Retries(name, around)
        self._known: dict[str, Contract] = {}

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return the time of the oldest data and the calendar of the exchange a stock is listed at."""
        contract = self._contract(symbol, timeframe)
        what = _what(contract)
        try:
            head = self._ask_history(lambda ib: ib.reqHeadTimeStampAsync(contract, what, ALL_HOURS, IN_UTC))
        except NoBars:
            hint = "is this account subscribed to its market data?"
            raise DataInvalid(f"`{self.name}` has no bars of {symbol}", hint=hint) from None
        first = midnight(head.date()) if timeframe == "1d" else head.astimezone(UTC)
        return SymbolFacts(first, FX if _is_pair(contract) else CALENDARS.get(contract.primaryExchange))

    def longest(self, timeframe: str) -> timedelta:
        """Return what one request may ask for."""
        self._refuse_timeframe(timeframe)
        return SPANS[timeframe].longest

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval; one that is not finished can be among them."""
        contract = self._contract(symbol, timeframe)
        end = within.end + DAY if timeframe == "1d" else within.end
        end = min(end, self.surroundings.clock.now())
        if end <= within.start:
            return empty_bars()
        try:
            bars = self._ask_history(
                lambda ib: ib.reqHistoricalDataAsync(
                    contract,
                    end,
                    _duration(end - within.start),
                    SPANS[timeframe].size,
                    _what(contract),
                    ALL_HOURS,
                    IN_UTC,
                    timeout=0,
                )
            )
        except NoBars:
            return empty_bars()
        found = _to_bars(bars, has_volume=not _is_pair(contract))
        return found.filter(pl.col("time").is_between(within.start, within.end, "left"))

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _contract(self, symbol: str, timeframe: str) -> Contract:
        self._refuse_timeframe(timeframe)
        if symbol not in self._known:
            asked = self._asked(symbol)
            self._known[symbol] = self._only(symbol, asked, self._details(asked))
        return self._known[symbol]

    def _details(self, asked: Contract) -> list[ContractDetails]:
        async def details(ib: IB) -> list[ContractDetails]:
            try:
                return await ib.reqContractDetailsAsync(asked)
            except RequestError as error:
                if error.code == NO_SUCH_CONTRACT:
                    return []
                raise

        return self._ask(lambda: self._connection.ask(details))

    def _asked(self, symbol: str) -> Contract:
        if pair := PAIR.fullmatch(symbol):
            return Forex(pair[1] + pair[2])
        if STOCK.fullmatch(symbol):
            return Stock(symbol, "SMART", "USD")
        raise self._unknown(symbol)

    def _only(self, symbol: str, asked: Contract, found: list[ContractDetails]) -> Contract:
        contracts = [each.contract for each in found if each.contract is not None]
        same = [each for each in contracts if (each.symbol, each.currency) == (asked.symbol, asked.currency)]
        if contracts and not same:
            words = f"`{self.name}` answers about `{contracts[0].symbol}` when asked about `{symbol}`"
            raise DataInvalid(words, hint="nothing was taken from it")
        if not same:
            raise self._unknown(symbol)
        return same[0]

    def _ask_history(self, question: Callable[[IB], Awaitable[Answered]]) -> Answered:
        """Return an answer about history, which counts; raises NoBars where there is none."""

        def paced() -> Answered:
            self._budget.take()
            return self._connection.ask(question)

        return self._ask(paced)

    def _ask(self, attempt: Callable[[], Answered]) -> Answered:
        try:
            return self._retries.ask(attempt)
        except Refused as refused:
            if refused.code == HISTORY_TROUBLE and NO_DATA in refused.said.lower():
                raise NoBars from None
            raise ProviderFailed(f"`{self.name}` refuses: {refused.said}", hint=LATER) from None

    def _unknown(self, symbol: str) -> DataInvalid:
        hint = "it has US stocks, as AAPL or BRK B, and currencies, as EUR.USD"
        return DataInvalid(f"`{self.name}` has no symbol `{symbol}`", hint=hint)

    def _refuse_timeframe(self, timeframe: str) -> None:
        if timeframe not in SPANS:
            hint = f"it has {', '.join(SPANS)}; make others of them with --mode local"
            raise DataInvalid(f"`{self.name}` has no {timeframe} bars", hint=hint)


class NoBars(Exception):
    """There are no bars in the range."""


def _what(contract: Contract) -> str:
    return "MIDPOINT" if _is_pair(contract) else "TRADES"


def _is_pair(contract: Contract) -> bool:
    return contract.secType == "CASH"


def _duration(length: timedelta) -> str:
    """Return a length of time as it is asked for there, rounded up."""
    if length <= DAY:
        return f"{max(60, -(-length // timedelta(seconds=1)))} S"
    days = -(-length // DAY)
    return f"{days} D" if days <= 365 else "1 Y"


def _to_bars(bars: list[BarData], *, has_volume: bool) -> pl.DataFrame:
    rows = [
        (
            each.date if isinstance(each.date, datetime) else midnight(each.date),
            each.open,
            each.high,
            each.low,
            each.close,
            float(each.volume) if has_volume else None,
        )
        for each in bars
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
