"""Exchanges' own ways: pages, gaps, and what they give when they give nothing."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest

from ktrdr.errors import DataInvalid, ProviderFailed
from ktrdr.market_data.intervals import Interval
from support.local_sources import StillClock, local_exchange
from support.market_server import Fault, MarketServer, market_server
from support.synthetic_bars import HOURS, NOW

WITHIN = Interval(HOURS["time"][3], HOURS["time"][9])
HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[MarketServer]:
    with market_server() as serving:
        yield serving


def test_an_interval_longer_than_a_page_is_fetched_page_by_page_over_gaps(server: MarketServer) -> None:
    server.windowed = True
    long_before = HOURS["time"][0] - 2500 * HOUR
    bars = local_exchange(server, StillClock()).fetch(
        "BTC/USDT", "1h", Interval(long_before, HOURS["time"][9])
    )
    assert bars.equals(HOURS[:9])
    assert server.about_bars() == 3


def test_a_page_that_is_cut_short_is_followed_by_another(server: MarketServer) -> None:
    server.longest_page = 4
    bars = local_exchange(server, StillClock()).fetch("BTC/USDT", "1h", WITHIN)
    assert (bars.equals(HOURS[3:9]), server.about_bars()) == (True, 2)


def test_a_request_asks_for_as_much_as_the_exchange_gives(server: MarketServer) -> None:
    assert local_exchange(server, StillClock()).longest("1h") == 1000 * HOUR
    assert local_exchange(server, StillClock(), "ccxt:kraken").longest("1d") == 720 * 24 * HOUR


def test_kraken_can_speak_of_the_last_bars_only(server: MarketServer) -> None:
    kraken = local_exchange(server, StillClock(), "ccxt:kraken")
    assert list(kraken.reach("BTC/USD", "1h") or ()) == [Interval(NOW - 720 * HOUR, NOW)]
    assert local_exchange(server, StillClock()).reach("BTC/USDT", "1h") is None


def test_markets_are_loaded_once(server: MarketServer) -> None:
    provider = local_exchange(server, StillClock())
    for _ in range(2):
        provider.fetch("BTC/USDT", "1h", WITHIN)
    assert sum("/api/v3/exchangeInfo" in each for each in server.asked) == 1


def test_an_unknown_symbol_is_refused_with_the_nearest_ones(server: MarketServer) -> None:
    with pytest.raises(DataInvalid, match="has no symbol `btcusdt`") as refused:
        local_exchange(server, StillClock()).look_up("btcusdt", "1h")
    assert "BTC/USDT" in str(refused.value.hint)


def test_an_unknown_symbol_that_is_near_to_none_is_told_how_many_there_are(server: MarketServer) -> None:
    with pytest.raises(DataInvalid) as refused:
        local_exchange(server, StillClock()).look_up("%%%", "1h")
    assert refused.value.hint == "it has 2 others"


def test_a_timeframe_is_refused_with_those_of_the_exchange(server: MarketServer) -> None:
    with pytest.raises(DataInvalid, match="no 2h bars") as refused:
        local_exchange(server, StillClock(), "ccxt:kraken").longest("2h")
    assert refused.value.hint == "it has 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"


def test_a_symbol_without_any_bar_is_refused(server: MarketServer) -> None:
    server.longest_page = 0
    with pytest.raises(DataInvalid, match="has no 1h bars of BTC/USDT"):
        local_exchange(server, StillClock()).look_up("BTC/USDT", "1h")


@pytest.mark.parametrize(
    "rows",
    [
        [["x", "1", "1", "1", "1", "1"]],
        [[None, "1", "1", "1", "1", "1"]],
        [7],
        {"msg": "nothing"},
    ],
)
def test_rows_have_to_make_sense(server: MarketServer, rows: object) -> None:
    provider = local_exchange(server, StillClock())
    provider.look_up("BTC/USDT", "1h")
    server.faults.append(Fault(content=rows))
    with pytest.raises(ProviderFailed, match="cannot be read"):
        provider.fetch("BTC/USDT", "1h", WITHIN)


def test_a_price_that_is_none_is_left_for_the_loader_to_refuse(server: MarketServer) -> None:
    provider = local_exchange(server, StillClock())
    provider.look_up("BTC/USDT", "1h")
    row = [int(HOURS["time"][3].timestamp()) * 1000, "x", "1", "1", "1"]
    server.faults.append(Fault(content=[row]))
    bars = provider.fetch("BTC/USDT", "1h", Interval(HOURS["time"][3], HOURS["time"][4]))
    assert bars.select("open", "volume").rows() == [(None, None)]


def test_what_an_exchange_says_of_an_error_is_not_repeated(server: MarketServer) -> None:
    provider = local_exchange(server, StillClock())
    provider.look_up("BTC/USDT", "1h")
    server.faults.append(Fault(400, content={"code": -1121, "msg": "Invalid symbol."}))
    with pytest.raises(ProviderFailed, match="`ccxt` gives no bars: BadSymbol"):
        provider.fetch("BTC/USDT", "1h", WITHIN)


def test_a_row_of_a_time_that_was_not_asked_for_is_left_out(server: MarketServer) -> None:
    provider = local_exchange(server, StillClock())
    provider.look_up("BTC/USDT", "1h")
    server.faults.append(Fault(content=[[1e300, *"11111"], [5, *"11111"]]))
    assert provider.fetch("BTC/USDT", "1h", WITHIN).is_empty()


def test_what_the_library_takes_for_no_answer_is_no_bars(server: MarketServer) -> None:
    assert local_exchange(server, StillClock())._exchange.parse_ohlcvs(None) == []


def test_bars_have_plain_columns(server: MarketServer) -> None:
    bars = local_exchange(server, StillClock()).fetch("BTC/USDT", "1h", WITHIN)
    assert bars.select(pl.all().null_count()).row(0) == (0,) * 6
