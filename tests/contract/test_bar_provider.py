"""What every source of bars keeps to, whatever is behind it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data import sample
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import open_provider
from support.ib_gateway import ib_gateway
from support.local_sources import StillClock, local_exchange, local_ib, local_yahoo
from support.market_server import market_server
from support.scripted_provider import ScriptedProvider, daily
from support.synthetic_bars import DAYS, HOURS

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:yfinance.utils")

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Case:
    """A source, a series that it has, all bars of it, and what it says of it."""

    provider: BarProvider
    symbol: str
    timeframe: str
    bars: pl.DataFrame
    calendar: str | None

    def between(self, first: int, last: int) -> Interval:
        """Return the interval from one bar up to, and without, another."""
        return Interval(self.bars["time"][first], self.bars["time"][last])

    def fetch(self, within: Interval) -> pl.DataFrame:
        return self.provider.fetch(self.symbol, self.timeframe, within).sort("time")


def sample_case(folder: Path, _: ExitStack) -> Case:
    provider = open_provider("sample", ProviderSettings())
    return Case(provider, "GOOG", "1d", sample.load_sample("GOOG"), "XNYS")


def csv_case(folder: Path, _: ExitStack) -> Case:
    HOURS.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(
        folder / "BTC%2FUSDT.1h.csv"
    )
    return Case(open_provider("csv", ProviderSettings(csv_folder=folder)), "BTC/USDT", "1h", HOURS, None)


def parquet_case(folder: Path, _: ExitStack) -> Case:
    DAYS.write_parquet(folder / "AAPL.1d.parquet")
    settings = ProviderSettings(parquet_folder=folder)
    return Case(open_provider("parquet", settings), "AAPL", "1d", DAYS, None)


def yahoo_case(_: Path, stack: ExitStack) -> Case:
    provider = local_yahoo(stack.enter_context(market_server()), StillClock())
    return Case(provider, "AAPL", "1d", DAYS, "XNYS")


def yahoo_hours_case(_: Path, stack: ExitStack) -> Case:
    provider = local_yahoo(stack.enter_context(market_server()), StillClock(), "split")
    return Case(provider, "BTC-USD", "1h", HOURS, "24/7")


def binance_case(_: Path, stack: ExitStack) -> Case:
    provider = local_exchange(stack.enter_context(market_server()), StillClock())
    return Case(provider, "BTC/USDT", "1h", HOURS, "24/7")


def kraken_case(_: Path, stack: ExitStack) -> Case:
    provider = local_exchange(stack.enter_context(market_server()), StillClock(), "ccxt:kraken")
    return Case(provider, "BTC/USD", "1h", HOURS, "24/7")


def ib_case(_: Path, stack: ExitStack) -> Case:
    return Case(local_ib(stack.enter_context(ib_gateway()), StillClock()), "AAPL", "1d", DAYS, "XNYS")


def ib_currency_case(_: Path, stack: ExitStack) -> Case:
    provider = local_ib(stack.enter_context(ib_gateway()), StillClock())
    no_volume = HOURS.with_columns(volume=pl.lit(None, dtype=pl.Float64))
    return Case(provider, "EUR.USD", "1h", no_volume, "fx")


def scripted_case(_: Path, __: ExitStack) -> Case:
    bars = daily(range(40))
    return Case(ScriptedProvider(bars, calendar="24/7"), "X", "1d", bars, "24/7")


CASES: dict[str, Callable[[Path, ExitStack], Case]] = {
    "sample": sample_case,
    "csv": csv_case,
    "parquet": parquet_case,
    "yfinance": yahoo_case,
    "yfinance hours": yahoo_hours_case,
    "ccxt": binance_case,
    "ccxt:kraken": kraken_case,
    "ib": ib_case,
    "ib currencies": ib_currency_case,
    "scripted": scripted_case,
}
EVERYTHING_IS_KNOWN = {"scripted"}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with ExitStack() as stack:
        made = CASES[request.param](tmp_path, stack)
        yield made
        made.provider.close()


@pytest.fixture(params=[each for each in CASES if each not in EVERYTHING_IS_KNOWN])
def choosy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with ExitStack() as stack:
        made = CASES[request.param](tmp_path, stack)
        yield made
        made.provider.close()


def test_looking_up_tells_the_first_bar_and_the_calendar(case: Case) -> None:
    facts = case.provider.look_up(case.symbol, case.timeframe)
    assert (case.bars["time"][0], case.calendar) == (facts.first, facts.calendar)


def test_bars_have_the_columns_and_types_of_bars(case: Case) -> None:
    assert pl.Schema(SCHEMA) == case.fetch(case.between(2, 5)).schema


def test_an_interval_has_its_first_bar_and_not_its_last(case: Case) -> None:
    assert case.bars[3:9].equals(case.fetch(case.between(3, 9)))


def test_an_interval_that_begins_after_a_bar_opened_does_not_have_it(case: Case) -> None:
    inside = case.between(3, 9)
    assert case.bars[4:10].equals(case.fetch(Interval(inside.start + SECOND, inside.end + SECOND)))


def test_two_neighbouring_intervals_are_one(case: Case) -> None:
    parts = [case.fetch(case.between(1, 12)), case.fetch(case.between(12, 20))]
    assert case.fetch(case.between(1, 20)).equals(pl.concat(parts))


def test_an_interval_without_bars_is_an_empty_table_of_bars(case: Case) -> None:
    opened = case.bars["time"][4]
    bars = case.fetch(Interval(opened + SECOND, opened + 2 * SECOND))
    assert (0, pl.Schema(SCHEMA)) == (bars.height, bars.schema)


def test_what_came_before_the_first_bar_is_an_empty_table(case: Case) -> None:
    first = case.bars["time"][0]
    assert case.fetch(Interval(first - timedelta(days=3), first)).is_empty()


def test_an_interval_of_the_longest_kind_is_answered_whole(case: Case) -> None:
    start = case.bars["time"][0]
    until = min(start + case.provider.longest(case.timeframe), case.bars["time"][-1] + SECOND)
    expected = case.bars.filter(pl.col("time") < until)
    assert expected.equals(case.fetch(Interval(start, until)))


def test_an_unknown_symbol_is_refused_by_name_when_looked_up_and_when_fetched(choosy: Case) -> None:
    for ask in (
        lambda: choosy.provider.look_up("NOSUCH", choosy.timeframe),
        lambda: choosy.provider.fetch("NOSUCH", choosy.timeframe, choosy.between(1, 3)),
    ):
        with pytest.raises(DataInvalid) as refused:
            ask()
        assert "NOSUCH" in refused.value.message
        assert refused.value.hint


def test_an_unknown_timeframe_is_refused_by_name(choosy: Case) -> None:
    with pytest.raises(DataInvalid) as refused:
        choosy.provider.look_up(choosy.symbol, "7m")
    assert "7m" in refused.value.message
    assert refused.value.hint


def test_a_symbol_that_is_a_path_leads_nowhere(choosy: Case) -> None:
    with pytest.raises(DataInvalid):
        choosy.provider.look_up("../../etc/passwd", choosy.timeframe)


def test_what_a_source_can_speak_of_has_its_bars(case: Case) -> None:
    reach = case.provider.reach(case.symbol, case.timeframe)
    last = Interval(case.bars["time"][-2], case.bars["time"][-1])
    assert reach is None or [last] == list(reach.intersect(type(reach)([last])))


def test_adjustments_begin_with_the_usual_one(case: Case) -> None:
    assert case.provider.adjustment in case.provider.adjustments
