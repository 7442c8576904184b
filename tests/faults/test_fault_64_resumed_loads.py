"""Row 64: a load that a source broke off is taken up by chunk, and ends with the bars there have to be."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ktrdr.errors import ProviderFailed
from ktrdr.market_data.loading import LoadReport, SeriesLoader, Wish
from ktrdr.market_data.providers.crypto_exchange import CryptoExchange
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from support.local_sources import BINANCE, StillClock, around
from support.market_server import (
    Fault,
    MarketServer,
    broken,
    cut_off,
    gzip_bomb,
    market_server,
    nonsense,
    redirect,
    too_many,
)
from support.synthetic_bars import HOURS, NOW

SERIES = Series("ccxt", "BTC/USDT", "1h")
FIFTY_HOURS = timedelta(hours=50)


@pytest.fixture
def server() -> Iterator[MarketServer]:
    with market_server() as serving:
        yield serving


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore(tmp_path)


def load(store: BarStore, server: MarketServer, *, broken_at: int | None = None, fault: Fault) -> LoadReport:
    """Load all hours in chunks of fifty; one of them meets a fault however often it is tried."""
    chunks = 0

    class Local(CryptoExchange):
        addresses = dict.fromkeys(BINANCE, server.address)
        surroundings = around(StillClock())

        def longest(self, timeframe: str) -> timedelta:
            return FIFTY_HOURS

    def notice(share: float, new_bars: int) -> None:
        nonlocal chunks
        server.faults.extend([fault] * 5 if chunks == broken_at else [])
        chunks += 1

    loader = SeriesLoader(
        store,
        Local("ccxt", ProviderSettings(), "raw"),
        SERIES,
        Wish("full", HOURS["time"][0].date(), HOURS["time"][-1].date()),
        now=NOW,
        notice=notice,
        wait=threading.Event().wait,
    )
    return loader.load()


FAULTS = {
    "429": too_many("1"),
    "500": broken(),
    "partial": cut_off(),
    "nonsense": nonsense(),
    "redirect": redirect("http://169.254.169.254/"),
    "bomb": gzip_bomb(),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_64_a_load_that_broke_off_is_taken_up_where_it_was(
    store: BarStore, server: MarketServer, fault: Fault
) -> None:
    with pytest.raises(ProviderFailed):
        load(store, server, broken_at=3, fault=fault)
    before = store.read(SERIES).height
    server.faults.clear()
    report = load(store, server, fault=fault)
    assert store.read(SERIES).equals(HOURS)
    assert (0 < before < HOURS.height, report.counts.new_bars) == (True, HOURS.height - before)


@pytest.mark.parametrize("fault", [too_many("1"), broken(), cut_off()], ids=["429", "500", "partial"])
def test_fault_64_a_load_through_passing_trouble_has_every_bar_once(
    store: BarStore, server: MarketServer, fault: Fault
) -> None:
    server.faults.extend([fault] * 2)
    report = load(store, server, fault=fault)
    assert store.read(SERIES).equals(HOURS)
    assert (report.counts.new_bars, report.counts.duplicates) == (HOURS.height, 0)
