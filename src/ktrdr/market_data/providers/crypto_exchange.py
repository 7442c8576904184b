"""Exchanges of crypto currencies as sources, through the library `ccxt`."""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import ccxt
import polars as pl

from ktrdr.errors import DataInvalid, InputInvalid, ProviderFailed
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.credentials import ccxt_credentials
from ktrdr.market_data.providers.guarded_http import UNREADABLE, GuardedHttp
from ktrdr.market_data.providers.pacing import Pace, PacingBudget
from ktrdr.market_data.providers.requests_transport import GuardedSession, RequestsTransport
from ktrdr.market_data.providers.retrying import LATER, Retries, Surroundings
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment

USUAL = "binance"
EXAMPLES = "as ccxt:kraken, ccxt:coinbase, ccxt:okx, ccxt:bybit; `ccxt` alone is Binance"
CALENDAR = "24/7"
BARS_A_REQUEST = 500  # where the library does not say how many an exchange gives
RECENT_ONLY: Mapping[str, int] = {
    "kraken": 720
}  # exchanges that give the last so many bars and no older ones
EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)  # no chain is older
PACE_SECONDS = 10.0
SHARE = 0.5  # how much of what an exchange allows is used: others of this machine ask it too

Answered = TypeVar("Answered")


class CryptoExchange(BarProvider):
    """`ccxt` is Binance, `ccxt:kraken` any exchange that the library knows.

    Public bars need no key; one of the operator's is told to the exchange it belongs to and to no other.
    """

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("raw",)
    delay = timedelta(minutes=1)
    settling = timedelta(days=7)
    addresses: ClassVar[Mapping[str, str]] = {}
    surroundings: ClassVar[Surroundings] = Surroundings()

    def __init__(self, name: str, settings: ProviderSettings, adjustment: Adjustment) -> None:
        super().__init__(name, settings, adjustment)
        self._id = name.partition(":")[2] or USUAL
        self._exchange = _exchange(self._id, settings)
        around = self.surroundings
        pace = Pace(max(1, int(SHARE * PACE_SECONDS * 1000 / self._exchange.rateLimit)), PACE_SECONDS)
        budget = PacingBudget(
            f"ccxt-{self._id}", pace, settings.pacing, clock=around.clock, sleep=around.sleep
        )
        hosts = {host: self.addresses.get(host, f"https://{host}") for host in _hosts(self._exchange)}
        transport = RequestsTransport(name, around)
        self._http = GuardedHttp(name, hosts, transport, budget, Retries(name, around))
        self._exchange.session = GuardedSession(self._http)

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return the time of the oldest bar the exchange gives."""
        self._refuse_unknown(symbol, timeframe)
        rows = self._page(symbol, timeframe, _milliseconds(self._oldest(timeframe)), 1)
        if not rows:
            raise DataInvalid(
                f"`{self.name}` has no {timeframe} bars of {symbol}", hint="ask for another timeframe"
            )
        return SymbolFacts(self._ask(lambda: _moment(rows[0][0])), CALENDAR)

    def longest(self, timeframe: str) -> timedelta:
        """Return the time of as many bars as one request gives."""
        self._refuse_timeframe(timeframe)
        return self._limit * timedelta(seconds=TIMEFRAME_SECONDS[timeframe])

    def reach(self, symbol: str, timeframe: str) -> Intervals | None:  # noqa: ARG002  # it depends on today alone
        """Return the time of the last bars for an exchange that has no others."""
        if self._id not in RECENT_ONLY:
            return None
        return Intervals([Interval(self._oldest(timeframe), self.surroundings.clock.now())])

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval; one that is not finished can be among them."""
        self._refuse_unknown(symbol, timeframe)
        rows = list(self._rows(symbol, timeframe, within))
        bars = pl.DataFrame(rows, schema={**SCHEMA, "time": pl.Int64}, orient="row")
        return bars.with_columns(pl.from_epoch("time", "ms").dt.replace_time_zone("UTC")).cast(
            pl.Schema(SCHEMA)
        )

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    @property
    def _limit(self) -> int:
        said = self._exchange.safe_dict(self._exchange.features, "spot", {})
        limit: int = self._exchange.safe_integer(
            self._exchange.safe_dict(said, "fetchOHLCV", {}), "limit", BARS_A_REQUEST
        )
        return limit

    def _oldest(self, timeframe: str) -> datetime:
        bars = RECENT_ONLY.get(self._id)
        if bars is None:
            return EARLIEST
        return self.surroundings.clock.now() - bars * timedelta(seconds=TIMEFRAME_SECONDS[timeframe])

    def _rows(self, symbol: str, timeframe: str, within: Interval) -> Iterator[list[Any]]:
        cursor, end = _milliseconds(within.start), _milliseconds(within.end)
        step = TIMEFRAME_SECONDS[timeframe] * 1000
        while cursor < end:
            page = [
                row for row in self._page(symbol, timeframe, cursor, self._limit) if cursor <= row[0] < end
            ]
            yield from page
            cursor = page[-1][0] + step if page else cursor + self._limit * step

    def _page(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        return self._ask(
            lambda: sorted(
                (row[:6] for row in self._exchange.fetch_ohlcv(symbol, timeframe, since=since, limit=limit)),
                key=_time_of,
            )
        )

    def _refuse_unknown(self, symbol: str, timeframe: str) -> None:
        self._refuse_timeframe(timeframe)
        self._ask(self._exchange.load_markets)
        if symbol not in self._exchange.markets:
            near = difflib.get_close_matches(symbol.upper(), self._exchange.symbols, n=5, cutoff=0.3)
            there = f"it has {', '.join(near)}" if near else f"it has {len(self._exchange.symbols)} others"
            raise DataInvalid(f"`{self.name}` has no symbol `{symbol}`", hint=there)

    def _refuse_timeframe(self, timeframe: str) -> None:
        there = [each for each in TIMEFRAME_SECONDS if each in (self._exchange.timeframes or {})]
        if timeframe not in there:
            raise DataInvalid(f"`{self.name}` has no {timeframe} bars", hint=f"it has {', '.join(there)}")

    def _ask(self, question: Callable[[], Answered]) -> Answered:
        """Return an answer; what the library says of a failure can hold an address and is not repeated."""
        try:
            return question()
        except ccxt.BaseError as error:
            words = f"`{self.name}` gives no bars: {type(error).__name__}"
            raise ProviderFailed(words, hint=LATER) from None
        except UNREADABLE:
            raise self._http.unreadable() from None


class EveryRow:
    """The library's reading of rows, which leaves out what it cannot read; here it is kept, and found."""

    parse_ohlcv: Callable[[Any, Any], list[Any]]

    def parse_ohlcvs(self, ohlcvs: Any, market: Any = None, *_: Any, **__: Any) -> list[list[Any]]:
        """Return every row, as it is read."""
        return [self.parse_ohlcv(each, market) for each in ohlcvs or ()]


def _exchange(name: str, settings: ProviderSettings) -> Any:
    """Return what the library knows of an exchange, without its own pace and its logs, which show headers."""
    if name not in ccxt.exchanges:
        raise InputInvalid(f"`ccxt` knows no exchange `{name}`", hint=EXAMPLES)
    keys = ccxt_credentials(settings) if name == settings.ccxt_exchange else None
    exchange = type(name, (EveryRow, getattr(ccxt, name)), {})({"enableRateLimit": False})
    exchange.logger = logging.Logger("ccxt", logging.CRITICAL)
    if keys:
        exchange.apiKey, exchange.secret = keys.key, keys.secret
        exchange.has["fetchCurrencies"] = False  # with a key the library would ask private questions too
        exchange.options["fetchMargins"] = False
    return exchange


def _hosts(exchange: Any) -> set[str]:
    """Return the hosts that the library asks for an exchange, without its streams."""
    urls = (exchange.implode_hostname(each) for each in _texts(exchange.urls["api"]))
    parts = (urlsplit(each) for each in urls)
    return {each.hostname for each in parts if each.scheme == "https" and each.hostname}


def _texts(urls: Any) -> Iterator[str]:
    if isinstance(urls, str):
        yield urls
    elif isinstance(urls, dict):
        for each in urls.values():
            yield from _texts(each)


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _moment(milliseconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _time_of(row: list[Any]) -> float:
    return float(row[0])
