"""The providers of the network as a worker process finds them in tests: they ask the server of the test."""

import os
from pathlib import Path

from ktrdr.market_data.providers.crypto_exchange import CryptoExchange
from ktrdr.market_data.providers.yahoo import YahooProvider
from ktrdr.market_data.providers.yahoo_charts import HOST
from support.installation import ROOT, Installation
from support.local_sources import BINANCE, StillClock, around
from support.market_server import MarketServer

ADDRESS_FILE = Path(os.environ.get("HOME", "/")) / ".market"  # a home is passed on to every process
ADDRESS = ADDRESS_FILE.read_text() if ADDRESS_FILE.is_file() else ""


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
    (Path(ktrdr.environment["HOME"]) / ADDRESS_FILE.name).write_text(market.address)
