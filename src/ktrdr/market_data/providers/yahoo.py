"""Yahoo Finance as a source, through the library `yfinance`."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl
from yfinance.config import YfConfig
from yfinance.exceptions import YFException
from yfinance.scrapers.history import PriceHistory

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA, empty_bars, midnight
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.curl_transport import CurlTransport
from ktrdr.market_data.providers.guarded_http import UNREADABLE, GuardedHttp, own_hosts
from ktrdr.market_data.providers.pacing import Pace, PacingBudget
from ktrdr.market_data.providers.retrying import Retries, Surroundings
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.yahoo_calendars import CALENDARS, FX
from ktrdr.market_data.providers.yahoo_charts import HOST, ChartReader, NoBars
from ktrdr.strategies.bar_terms import Adjustment

# pandas tells the authors of the library how to write it; nobody else can do anything about it
warnings.filterwarnings("ignore", "The inplace keyword", DeprecationWarning, r"yfinance\.utils")

SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.&=_^-]{0,31}")
PACE = Pace(60, 60.0)
NO_VOLUME = frozenset(
    each for each, calendar in CALENDARS.items() if calendar == FX
)  # Yahoo says 0 for all of them
DELAY = timedelta(minutes=30)  # how late bars of a day can be; some exchanges are shown 15 or 20 minutes late
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
BEFORE_YAHOO = datetime(1927, 1, 1, tzinfo=UTC)  # where it does not say when a symbol began


@dataclass(frozen=True, slots=True)
class Span:
    """Yahoo's name of a timeframe, how much one request may ask for, and how far back there are any."""

    interval: str
    longest: timedelta
    back: timedelta | None = None


SPANS: Mapping[str, Span] = {
    "1m": Span("1m", 7 * DAY, 29 * DAY),
    "5m": Span("5m", 59 * DAY, 59 * DAY),
    "15m": Span("15m", 59 * DAY, 59 * DAY),
    "30m": Span("30m", 59 * DAY, 59 * DAY),
    "1h": Span("1h", 365 * DAY, 729 * DAY),
    "1d": Span("1d", 20 * 365 * DAY),
    "1w": Span("1wk", 20 * 365 * DAY),
}


class YahooProvider(BarProvider):
    """Stocks, indices, currencies and coins of Yahoo Finance.

    Yahoo adjusts all prices for splits (`split`), daily and weekly ones for dividends too if one wants it
    (`split_dividend`). Bars of a day include those before and after the session. It has no unadjusted prices.
    """

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("split_dividend", "split")
    delay = timedelta(hours=1)
    settling = timedelta(days=7)
    hosts: ClassVar[Mapping[str, str]] = own_hosts(HOST)
    surroundings: ClassVar[Surroundings] = Surroundings()

    @classmethod
    def usual_adjustment(cls, timeframe: str) -> Adjustment:
        """Return `split` below a day, where Yahoo has nothing else."""
        return "split" if timeframe in SPANS and SPANS[timeframe].back else "split_dividend"

    def __init__(self, name: str, settings: ProviderSettings, adjustment: Adjustment) -> None:
        super().__init__(name, settings, adjustment)
        YfConfig.debug.hide_exceptions = False
        around = self.surroundings
        budget = PacingBudget(name, PACE, settings.pacing, clock=around.clock, sleep=around.sleep)
        transport = CurlTransport(name, around)
        self._http = GuardedHttp(name, self.hosts, transport, budget, Retries(name, around))
        self._metas: dict[str, Mapping[str, Any]] = {}

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return the first trading day, or how far back bars of a day go, and the exchange's calendar."""
        self._refuse_unknown(symbol, timeframe)
        meta = self._meta(symbol)
        try:
            first = _first_day(meta)
            calendar = CALENDARS.get(meta["exchangeName"])
        except UNREADABLE:
            raise self._http.unreadable() from None
        earliest = self._earliest(timeframe)
        return SymbolFacts(max(first, earliest) if earliest else first, calendar)

    def longest(self, timeframe: str) -> timedelta:
        """Return what Yahoo answers at once."""
        self._refuse_timeframe(timeframe)
        return SPANS[timeframe].longest

    def reach(self, symbol: str, timeframe: str) -> Intervals | None:  # noqa: ARG002  # it depends on today alone
        """Return the last days of which there are bars within a day; days and weeks have no such limit."""
        self._refuse_timeframe(timeframe)
        earliest = self._earliest(timeframe)
        if earliest is None:
            return None
        return Intervals([Interval(earliest, self.surroundings.clock.now() - DELAY)])

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval; one that is not finished can be among them."""
        self._refuse_unknown(symbol, timeframe)
        charts = ChartReader(self._http, self.name, symbol)
        try:
            meta = self._meta(symbol)
            history = PriceHistory(charts, symbol, meta["exchangeTimezoneName"], session=self._http)
            asked = _widened(within, timeframe)
            frame = history.history(
                interval=SPANS[timeframe].interval,
                start=asked.start,
                end=asked.end,
                prepost=True,
                auto_adjust=self.adjustment == "split_dividend",
            )
            bars = _to_bars(frame, timeframe, charts, meta)
        except NoBars:
            return empty_bars()
        except (YFException, *UNREADABLE):
            raise self._http.unreadable() from None
        return bars.filter(pl.col("time").is_between(within.start, within.end, "left"))

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _meta(self, symbol: str) -> Mapping[str, Any]:
        if symbol not in self._metas:
            self._metas[symbol] = ChartReader(self._http, self.name, symbol).meta()
        return self._metas[symbol]

    def _earliest(self, timeframe: str) -> datetime | None:
        back = SPANS[timeframe].back
        return midnight((self.surroundings.clock.now() - back).date()) if back else None

    def _refuse_unknown(self, symbol: str, timeframe: str) -> None:
        self._refuse_timeframe(timeframe)
        if SYMBOL.fullmatch(symbol) is None:
            capitals = (
                f"did you mean {symbol.upper()}?"
                if SYMBOL.fullmatch(symbol.upper())
                else "as AAPL, ^GSPC, VOD.L"
            )
            raise DataInvalid(f"`{symbol}` cannot be a symbol of `{self.name}`", hint=capitals)
        if SPANS[timeframe].back and self.adjustment != "split":
            words = f"`{self.name}` adjusts {timeframe} prices for splits only"
            raise InputInvalid(words, hint="ask for them with --adjustment split")

    def _refuse_timeframe(self, timeframe: str) -> None:
        if timeframe not in SPANS:
            hint = f"it has {', '.join(SPANS)}; 4h can be made of them: load 1h, then 4h with --mode local"
            raise DataInvalid(f"`{self.name}` has no {timeframe} bars", hint=hint)


def _first_day(meta: Mapping[str, Any]) -> datetime:
    zone = ZoneInfo(meta["exchangeTimezoneName"])
    began = meta.get("firstTradeDate")
    return BEFORE_YAHOO if began is None else midnight(_moment(began).astimezone(zone).date())


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _widened(within: Interval, timeframe: str) -> Interval:
    """Return an interval that has whole bars, wherever on earth their day begins."""
    if SPANS[timeframe].back:
        return within
    if timeframe == "1w":
        monday = midnight(within.start.date() - timedelta(days=within.start.weekday()))
        return Interval(monday - DAY, within.end + WEEK)
    return Interval(midnight(within.start.date()) - DAY, within.end + DAY)


def _to_bars(frame: Any, timeframe: str, charts: ChartReader, meta: Mapping[str, Any]) -> pl.DataFrame:
    """Return a pandas table [n] of `yfinance` as bars; a volume that Yahoo does not know stays unknown."""
    zone, index = meta["exchangeTimezoneName"], frame.index.tz_convert("UTC").tz_localize(None)
    times = pl.Series("time", index.to_numpy().astype("datetime64[us]")).dt.replace_time_zone("UTC")
    values = {name: frame[name.title()].to_numpy().astype("float64") for name in (*PRICES, "volume")}
    unknown = pl.Series(
        "time", [_moment(each) for each in charts.without_volume()], dtype=pl.Datetime("us", "UTC")
    )
    opened = _opened(times, timeframe, zone)
    is_known = ~opened.is_in(_opened(unknown, timeframe, zone).implode()) & (
        meta.get("exchangeName") not in NO_VOLUME
    )
    volume = pl.when(is_known).then(pl.col("volume"))
    return (
        pl.DataFrame({"time": opened, **values})
        .with_columns(volume)
        .select(list(SCHEMA))
        .cast(pl.Schema(SCHEMA))
    )


def _opened(times: pl.Series, timeframe: str, zone: str) -> pl.Series:
    """Return when the bars opened that moments belong to; days and weeks by the date at the exchange."""
    if SPANS[timeframe].back:
        return times.dt.truncate(timeframe) if timeframe == "30m" else times
    return (
        times.dt.convert_time_zone(zone)
        .dt.replace_time_zone(None)
        .dt.truncate("1d")
        .dt.replace_time_zone("UTC")
    )
