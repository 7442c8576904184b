"""Row 64: a source that is slow, wrong or hostile gives the right bars in the end, or none at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl
import pytest

from ktrdr.errors import DataInvalid, KtrdrError, ProviderFailed
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider
from support.local_sources import StillClock, local_exchange, local_yahoo
from support.market_server import (
    HERE,
    Fault,
    MarketServer,
    another_symbol,
    broken,
    cut_off,
    gzip_bomb,
    hanging,
    market_server,
    nonsense,
    packed,
    redirect,
    too_many,
)
from support.synthetic_bars import DAYS, HOURS

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:yfinance.utils")

SOON = 0.4


@dataclass
class Source:
    """A source that knows its symbol already, so that what goes wrong meets the fetching of bars 3 to 9."""

    server: MarketServer
    clock: StillClock
    provider: BarProvider
    symbol: str
    timeframe: str
    bars: pl.DataFrame

    def will(self, *faults: Fault) -> None:
        """Look the symbol up, and let the next answers about bars go wrong."""
        self.provider.look_up(self.symbol, self.timeframe)
        self.server.faults.extend(faults)
        self.server.asked.clear()
        self.clock.slept.clear()
        self.clock.advance(3600)  # so that no pace is in the way

    def fetch(self) -> pl.DataFrame:
        within = Interval(self.bars["time"][3], self.bars["time"][9])
        return self.provider.fetch(self.symbol, self.timeframe, within)

    def gets_them_right(self) -> bool:
        return self.bars[3:9].equals(self.fetch())

    def failure(self) -> KtrdrError:
        with pytest.raises(KtrdrError) as failed:
            self.fetch()
        return failed.value


def yahoo(server: MarketServer, clock: StillClock, timeout: float) -> Source:
    return Source(server, clock, local_yahoo(server, clock, timeout=timeout), "AAPL", "1d", DAYS)


def binance(server: MarketServer, clock: StillClock, timeout: float) -> Source:
    return Source(server, clock, local_exchange(server, clock, timeout=timeout), "BTC/USDT", "1h", HOURS)


def kraken(server: MarketServer, clock: StillClock, timeout: float) -> Source:
    provider = local_exchange(server, clock, "ccxt:kraken", timeout=timeout)
    return Source(server, clock, provider, "BTC/USD", "1h", HOURS)


@pytest.fixture
def server() -> Iterator[MarketServer]:
    with market_server() as serving:
        yield serving


@pytest.fixture(params=[yahoo, binance, kraken], ids=lambda each: each.__name__)
def opened(request: pytest.FixtureRequest, server: MarketServer) -> Callable[[float], Source]:
    return lambda timeout: request.param(server, StillClock(), timeout)


@pytest.fixture
def source(opened: Callable[[float], Source]) -> Iterator[Source]:
    made = opened(10.0)
    yield made
    made.provider.close()


@pytest.fixture
def hasty(opened: Callable[[float], Source]) -> Iterator[Source]:
    made = opened(SOON)
    yield made
    made.provider.close()


def test_fault_64_too_many_requests_are_waited_out_as_long_as_the_source_says(source: Source) -> None:
    source.will(too_many("7"), too_many("3"))
    assert source.gets_them_right()
    assert (source.server.about_bars(), source.clock.slept) == (3, [7.0, 3.0])


def test_fault_64_a_source_that_says_nothing_is_asked_after_doubling_pauses(source: Source) -> None:
    source.will(too_many(), broken(), broken(), broken())
    assert source.gets_them_right()
    assert (source.server.about_bars(), source.clock.slept) == (5, [1.0, 2.0, 4.0, 8.0])


def test_fault_64_a_source_that_stays_broken_is_asked_five_times(source: Source) -> None:
    source.will(*[broken()] * 9)
    failed = source.failure()
    assert (ProviderFailed, 5) == (type(failed), source.server.about_bars())
    assert "500" in failed.message
    assert failed.hint


def test_fault_64_patience_ends_after_two_minutes_of_pauses(source: Source) -> None:
    source.will(*[too_many("86400")] * 9)
    assert isinstance(source.failure(), ProviderFailed)
    assert (source.server.about_bars(), source.clock.slept) == (3, [60.0, 60.0])


def test_fault_64_an_answer_that_breaks_off_is_asked_for_again(source: Source) -> None:
    source.will(cut_off())
    assert source.gets_them_right()
    assert source.server.about_bars() == 2


def test_fault_64_answers_that_all_break_off_give_no_bars(source: Source) -> None:
    source.will(*[cut_off()] * 9)
    failed = source.failure()
    assert (ProviderFailed, 5) == (type(failed), source.server.about_bars())
    assert "broke off" in failed.message


def test_fault_64_a_source_that_hangs_once_is_asked_again(hasty: Source) -> None:
    hasty.will(hanging())
    assert hasty.gets_them_right()


def test_fault_64_a_source_that_hangs_every_time_is_given_up(hasty: Source) -> None:
    hasty.will(*[hanging()] * 9)
    failed = hasty.failure()
    assert (ProviderFailed, 5) == (type(failed), hasty.server.about_bars())
    assert "in time" in failed.message


def test_fault_64_a_source_that_is_gone_is_given_up(source: Source) -> None:
    source.server.close()
    with pytest.raises(ProviderFailed, match="does not answer"):
        source.provider.look_up(source.symbol, source.timeframe)
    assert source.clock.slept[-4:] == [1.0, 2.0, 4.0, 8.0]


def test_fault_64_a_packed_answer_is_unpacked(source: Source) -> None:
    source.will(packed())
    assert source.gets_them_right()


def test_fault_64_a_bomb_is_refused_and_not_asked_for_again(source: Source) -> None:
    source.will(gzip_bomb())
    failed = source.failure()
    assert (ProviderFailed, 1, []) == (type(failed), source.server.about_bars(), source.clock.slept)
    assert "grows without limit" in failed.message


def test_fault_64_nonsense_is_refused(source: Source) -> None:
    source.will(nonsense())
    assert isinstance(source.failure(), ProviderFailed)


def test_fault_64_other_refusals_are_not_asked_again(source: Source) -> None:
    source.will(Fault(403))
    assert isinstance(source.failure(), KtrdrError)
    assert source.server.about_bars() == 1


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "https://169.254.169.254/", "file:///etc/passwd"]
)
def test_fault_64_a_redirect_to_the_metadata_of_a_cloud_is_refused(source: Source, target: str) -> None:
    source.will(redirect(target))
    failed = source.failure()
    assert (ProviderFailed, 1) == (type(failed), source.server.about_bars())
    assert "is not one of its hosts" in failed.message


def test_fault_64_a_redirect_to_another_server_is_refused_and_that_one_is_asked_nothing(
    source: Source,
) -> None:
    with market_server() as elsewhere:
        source.will(redirect(f"{elsewhere.address}/v8/finance/chart/AAPL"))
        assert isinstance(source.failure(), ProviderFailed)
        assert elsewhere.asked == []


def test_fault_64_redirects_in_a_circle_end(source: Source) -> None:
    source.will(*[redirect(HERE)] * 9)
    failed = source.failure()
    assert (ProviderFailed, 4) == (type(failed), source.server.about_bars())


def test_fault_64_a_redirect_to_a_host_of_the_source_is_followed(source: Source) -> None:
    source.will(redirect(HERE))
    assert source.gets_them_right()


def test_fault_64_bars_of_another_symbol_are_refused_by_name(server: MarketServer) -> None:
    source = yahoo(server, StillClock(), 10.0)
    source.will(another_symbol("MSFT"))
    failed = source.failure()
    assert DataInvalid is type(failed)
    assert "MSFT" in failed.message
    assert "AAPL" in failed.message
