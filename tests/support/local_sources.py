"""Sources that ask a server on this machine; their pauses are written down instead of waited for."""

from datetime import datetime, timedelta
from typing import Any

from ktrdr.market_data.providers.crypto_exchange import CryptoExchange
from ktrdr.market_data.providers.interactive_brokers import InteractiveBrokers
from ktrdr.market_data.providers.retrying import Surroundings
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.yahoo import YahooProvider
from ktrdr.market_data.providers.yahoo_charts import HOST
from support.ib_gateway import Gateway
from support.market_server import MarketServer
from support.synthetic_bars import NOW

BINANCE = ("api.binance.com", "fapi.binance.com", "dapi.binance.com")


class StillClock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self, now: datetime = NOW) -> None:
        self.slept: list[float] = []
        self._start = now
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


def around(clock: StillClock, timeout: float = 10.0) -> Surroundings:
    return Surroundings(clock, clock.sleep, lambda: 0.5, timeout)


def local_yahoo(
    server: MarketServer, clock: StillClock, adjustment: Any = "split_dividend", *, timeout: float = 10.0
) -> YahooProvider:
    class Local(YahooProvider):
        hosts = {HOST: server.address}  # noqa: RUF012
        surroundings = around(clock, timeout)

    return Local("yfinance", ProviderSettings(), adjustment)


def local_ib(gateway: Gateway, clock: StillClock, *, timeout: float = 10.0) -> InteractiveBrokers:
    class Local(InteractiveBrokers):
        surroundings = around(clock, timeout)

    return Local("ib", ProviderSettings(ib_address=gateway.address), "split")


def local_exchange(
    server: MarketServer,
    clock: StillClock,
    name: str = "ccxt",
    *,
    timeout: float = 10.0,
    settings: ProviderSettings | None = None,
) -> CryptoExchange:
    class Local(CryptoExchange):
        addresses = dict.fromkeys((*BINANCE, "api.kraken.com"), server.address)
        surroundings = around(clock, timeout)

    return Local(name, settings or ProviderSettings(), "raw")
