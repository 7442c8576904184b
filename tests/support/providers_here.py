"""The providers of the network as a worker process finds them in tests: they ask the server of the test."""

import os

from ktrdr.market_data.providers.crypto_exchange import CryptoExchange
from ktrdr.market_data.providers.yahoo import YahooProvider
from ktrdr.market_data.providers.yahoo_charts import HOST
from support.installation import ROOT, Installation
from support.local_sources import BINANCE, StillClock, around
from support.market_server import MarketServer

ADDRESS = os.environ.get("KTRDR_TEST_MARKET", "")


class YahooHere(YahooProvider):
    """Asks the test's server instead of Yahoo."""

    hosts = {HOST: ADDRESS}  # noqa: RUF012
    surroundings = around(StillClock(), 60.0)


class ExchangeHere(CryptoExchange):
    """Asks the test's server instead of an exchange."""

    addresses = dict.fromkeys((*BINANCE, "api.kraken.com"), ADDRESS)
    surroundings = around(StillClock(), 60.0)


def asks_here(ktrdr: Installation, market: MarketServer) -> None:
    """Let every process of an installation find these providers."""
    tests = ROOT / "tests"
    ktrdr.environment["PYTHONPATH"] = f"{tests / 'support' / 'site'}:{tests}"
    ktrdr.environment["KTRDR_TEST_MARKET"] = market.address
