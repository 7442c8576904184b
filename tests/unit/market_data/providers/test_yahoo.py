"""Yahoo's own ways: what it adjusts, how far back it goes, what it leaves out."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import exchange_calendars
import polars as pl
import pytest

from ktrdr.errors import DataInvalid, InputInvalid, ProviderFailed
from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.calendars.table import OWN
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.yahoo_calendars import CALENDARS
from support.local_sources import StillClock, local_yahoo
from support.market_server import Fault, MarketServer, market_server
from support.synthetic_bars import DAYS, HOURS, NOW, WEEKS

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:yfinance.utils")

WITHIN = Interval(DAYS["time"][3], DAYS["time"][9])
HOURS_WITHIN = Interval(HOURS["time"][3], HOURS["time"][9])
DAY = timedelta(days=1)


def every_column(value: object) -> dict[str, list[object]]:
    return {name: [value] for name in (*PRICES, "volume")}


@pytest.fixture
def server() -> Iterator[MarketServer]:
    with market_server() as serving:
        yield serving


def test_dividends_are_taken_out_of_all_prices_of_a_day(server: MarketServer) -> None:
    server.factor = 0.5
    bars = local_yahoo(server, StillClock()).fetch("AAPL", "1d", WITHIN)
    assert bars.equals(DAYS[3:9].with_columns(pl.col(PRICES) * 0.5))


def test_prices_adjusted_for_splits_alone_are_as_yahoo_gives_them(server: MarketServer) -> None:
    server.factor = 0.5
    assert local_yahoo(server, StillClock(), "split").fetch("AAPL", "1d", WITHIN).equals(DAYS[3:9])


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m", "30m", "1h"])
def test_bars_of_a_day_are_never_said_to_be_adjusted_for_dividends(
    server: MarketServer, timeframe: str
) -> None:
    with pytest.raises(InputInvalid, match="for splits only") as refused:
        local_yahoo(server, StillClock()).look_up("AAPL", timeframe)
    assert "--adjustment split" in str(refused.value.hint)
    assert server.asked == []


def test_four_hours_are_refused_with_how_to_make_them(server: MarketServer) -> None:
    with pytest.raises(DataInvalid, match="no 4h bars") as refused:
        local_yahoo(server, StillClock()).longest("4h")
    assert "--mode local" in str(refused.value.hint)


def test_a_symbol_in_small_letters_is_refused_with_its_capitals(server: MarketServer) -> None:
    with pytest.raises(DataInvalid) as refused:
        local_yahoo(server, StillClock()).look_up("aapl", "1d")
    assert refused.value.hint == "did you mean AAPL?"
    assert server.asked == []


def test_bars_before_and_after_the_session_are_asked_for(server: MarketServer) -> None:
    local_yahoo(server, StillClock(), "split").fetch("BTC-USD", "1h", HOURS_WITHIN)
    assert "includePrePost=true" in server.asked[-1]


def test_no_cookie_crumb_or_consent_is_asked_for(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock())
    provider.look_up("AAPL", "1d")
    provider.fetch("AAPL", "1d", WITHIN)
    assert [each.partition("?")[0] for each in server.asked] == ["/v8/finance/chart/AAPL"] * 2


def test_a_symbol_is_looked_up_once(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock())
    for _ in range(2):
        provider.look_up("AAPL", "1d")
        provider.fetch("AAPL", "1d", WITHIN)
    assert sum("range=1d" in each for each in server.asked) == 1


def test_an_answer_is_not_remembered(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock())
    for _ in range(2):
        provider.fetch("AAPL", "1d", WITHIN)
    assert sum("period1" in each for each in server.asked) == 2


def test_a_volume_that_is_not_known_is_not_made_zero(server: MarketServer) -> None:
    server.silent_volumes = {int(HOURS["time"][5].timestamp())}
    bars = local_yahoo(server, StillClock(), "split").fetch("BTC-USD", "1h", HOURS_WITHIN)
    expected = HOURS[3:9].with_columns(volume=pl.when(pl.col("time") != HOURS["time"][5]).then("volume"))
    assert bars.equals(expected)


def test_currencies_have_no_volume(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock(), "split")
    assert provider.look_up("EURUSD=X", "1h").calendar == "fx"
    assert provider.fetch("EURUSD=X", "1h", HOURS_WITHIN)["volume"].to_list() == [None] * 6


def test_half_hours_are_whole_ones_of_the_quarters_yahoo_gives(server: MarketServer) -> None:
    bars = local_yahoo(server, StillClock(), "split").fetch("BTC-USD", "30m", HOURS_WITHIN)
    assert bars["time"].to_list() == HOURS[3:9]["time"].to_list()
    assert "interval=15m" in server.asked[-1]


def test_weeks_carry_the_date_of_their_monday(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock())
    wednesday = WEEKS["time"][2] + 2 * DAY
    assert provider.fetch("AAPL", "1w", Interval(wednesday, wednesday + 14 * DAY)).equals(WEEKS[3:5])


def test_bars_of_a_day_go_back_as_far_as_yahoo_keeps_them(server: MarketServer) -> None:
    clock = StillClock()
    provider = local_yahoo(server, clock, "split")
    midnight = NOW.replace(hour=0)
    expected = [Interval(midnight - 29 * DAY, NOW - timedelta(minutes=30))]
    assert list(provider.reach("AAPL", "1m") or ()) == expected
    assert provider.look_up("AAPL", "1m").first == midnight - 29 * DAY
    assert provider.look_up("AAPL", "1d").first == DAYS["time"][0]


def test_days_and_weeks_have_no_limit(server: MarketServer) -> None:
    assert local_yahoo(server, StillClock()).reach("AAPL", "1d") is None


def test_an_unknown_symbol_is_refused_when_yahoo_says_so(server: MarketServer) -> None:
    with pytest.raises(DataInvalid, match="has no symbol `NOSUCH`"):
        local_yahoo(server, StillClock()).look_up("NOSUCH", "1d")


def test_a_range_that_yahoo_refuses_is_told_with_its_reason(server: MarketServer) -> None:
    reason = "1m data not available, the range must be within the last 30 days"
    error = {"chart": {"result": None, "error": {"code": "Unprocessable", "description": reason}}}
    provider = local_yahoo(server, StillClock())
    provider.look_up("AAPL", "1d")
    server.faults.append(Fault(422, content=error))
    with pytest.raises(DataInvalid, match="within the last 30 days"):
        provider.fetch("AAPL", "1d", WITHIN)


@pytest.mark.parametrize(
    "meta", [{}, {"exchangeName": "NMS", "exchangeTimezoneName": "No/Where"}, {"exchangeTimezoneName": 7}]
)
def test_what_yahoo_says_of_a_symbol_has_to_make_sense(server: MarketServer, meta: dict[str, object]) -> None:
    server.metas = {"symbol": "AAPL", **meta}
    with pytest.raises(ProviderFailed, match="cannot be read"):
        local_yahoo(server, StillClock()).look_up("AAPL", "1d")


def test_a_symbol_whose_beginning_is_not_known_is_asked_for_from_the_beginning(server: MarketServer) -> None:
    server.metas = {"symbol": "AAPL", "exchangeName": "XXX", "exchangeTimezoneName": "UTC"}
    facts = local_yahoo(server, StillClock()).look_up("AAPL", "1d")
    assert (facts.first, facts.calendar) == (datetime(1927, 1, 1, tzinfo=UTC), None)


@pytest.mark.parametrize(
    "chart",
    [
        {"timestamp": [1704205800]},
        {"timestamp": ["x"], "indicators": {"quote": [{}]}},
        {"timestamp": [1e300], "indicators": {"quote": [every_column(1.0)]}},
        {"timestamp": [1704205800], "indicators": {"quote": [every_column("x")]}},
        {"timestamp": [1704205800, 1], "indicators": {"quote": [every_column(1.0)]}},
    ],
)
def test_a_chart_has_to_make_sense(server: MarketServer, chart: dict[str, object]) -> None:
    provider = local_yahoo(server, StillClock())
    provider.look_up("AAPL", "1d")
    meta = {
        "symbol": "AAPL",
        "exchangeTimezoneName": "America/New_York",
        "instrumentType": "EQUITY",
        "currency": "USD",
    }
    server.faults.append(Fault(content={"chart": {"result": [{"meta": meta, **chart}], "error": None}}))
    with pytest.raises(ProviderFailed, match="cannot be read"):
        provider.fetch("AAPL", "1d", WITHIN)


def test_a_chart_without_times_has_no_bars(server: MarketServer) -> None:
    provider = local_yahoo(server, StillClock())
    provider.look_up("AAPL", "1d")
    server.faults.append(Fault(content={"chart": {"result": [{"meta": {"symbol": "AAPL"}}], "error": None}}))
    assert provider.fetch("AAPL", "1d", WITHIN).is_empty()


def test_every_calendar_of_the_table_is_one() -> None:
    known = {*exchange_calendars.get_calendar_names(include_aliases=False), *OWN}
    assert set(CALENDARS.values()) - known == set()
