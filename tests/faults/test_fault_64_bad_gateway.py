"""Row 64 for Interactive Brokers, whose program answers over a protocol of its own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from ktrdr.errors import DataInvalid, InputInvalid, ProviderFailed
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.interactive_brokers import InteractiveBrokers
from ktrdr.market_data.providers.settings import ProviderSettings
from support.ib_gateway import Gateway, Trouble, ib_gateway
from support.local_sources import StillClock, local_ib
from support.synthetic_bars import DAYS

WITHIN = Interval(DAYS["time"][3], DAYS["time"][9])
SOON = 0.4


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with ib_gateway() as serving:
        yield serving


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def ib(gateway: Gateway, clock: StillClock) -> Iterator[InteractiveBrokers]:
    provider = local_ib(gateway, clock)
    yield provider
    provider.close()


def test_fault_64_a_connection_that_breaks_is_made_again(ib: InteractiveBrokers, gateway: Gateway) -> None:
    gateway.troubles.append(Trouble(way="hang up"))
    assert DAYS[3:9].equals(ib.fetch("AAPL", "1d", WITHIN))
    assert (gateway.connections, gateway.about_history()) == (2, 2)


def test_fault_64_silence_is_given_up_after_five_tries(gateway: Gateway, clock: StillClock) -> None:
    hasty = local_ib(gateway, clock, timeout=SOON)
    gateway.troubles.extend([Trouble(way="silence")] * 9)
    with pytest.raises(ProviderFailed, match="in time"):
        hasty.fetch("AAPL", "1d", WITHIN)
    assert (gateway.about_history(), clock.slept) == (5, [1.0, 2.0, 4.0, 8.0])
    hasty.close()


def test_fault_64_being_asked_too_often_is_waited_out(
    ib: InteractiveBrokers, gateway: Gateway, clock: StillClock
) -> None:
    said = "Historical Market Data Service error message:Historical data request pacing violation"
    gateway.troubles.append(Trouble(162, said))
    assert DAYS[3:9].equals(ib.fetch("AAPL", "1d", WITHIN))
    assert clock.slept == [1.0]


def test_fault_64_other_refusals_are_told_and_not_asked_again(
    ib: InteractiveBrokers, gateway: Gateway
) -> None:
    gateway.troubles.append(Trouble(354, "Requested market data is not subscribed"))
    with pytest.raises(ProviderFailed, match="not subscribed"):
        ib.fetch("AAPL", "1d", WITHIN)
    assert gateway.about_history() == 1


def test_fault_64_bars_of_another_symbol_are_refused(ib: InteractiveBrokers, gateway: Gateway) -> None:
    gateway.symbol = "MSFT"
    with pytest.raises(DataInvalid, match="MSFT"):
        ib.look_up("AAPL", "1d")


def test_a_program_that_is_not_there_is_said_to_be_missing_with_how_to_start_it(clock: StillClock) -> None:
    with ib_gateway() as gone:
        pass
    provider = local_ib(gone, clock)
    with pytest.raises(ProviderFailed, match=gone.address) as failed:
        provider.look_up("AAPL", "1d")
    assert "enable API connections" in str(failed.value.hint)
    provider.close()


@pytest.mark.parametrize("address", ["localhost", ":4001", "127.0.0.1:many", ""])
def test_an_address_without_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(InputInvalid, match="is no address"):
        InteractiveBrokers("ib", ProviderSettings(ib_address=address), "split")


def test_no_positions_orders_or_accounts_are_asked_for(ib: InteractiveBrokers, gateway: Gateway) -> None:
    ib.look_up("AAPL", "1d")
    ib.fetch("AAPL", "1d", WITHIN)
    assert {each[0] for each in gateway.asked} == {"71", "9", "87", "90", "20"}


def test_more_than_sixty_requests_in_ten_minutes_wait(ib: InteractiveBrokers, clock: StillClock) -> None:
    for _ in range(61):
        ib.fetch("AAPL", "1d", WITHIN)
    assert sum(clock.slept) == 600.0


def test_it_works_in_a_thread_beside_a_loop_that_runs(ib: InteractiveBrokers) -> None:
    async def beside() -> bool:
        return DAYS[3:9].equals(await asyncio.to_thread(ib.fetch, "AAPL", "1d", WITHIN))

    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(beside())))
    thread.start()
    thread.join()
    assert found == [True]


def test_the_event_loops_of_others_are_left_as_they_are(ib: InteractiveBrokers) -> None:
    ib.look_up("AAPL", "1d")
    assert asyncio.run.__module__ == "asyncio.runners"
    assert "nest_asyncio" not in str(asyncio.BaseEventLoop.run_forever)


def test_bars_of_the_future_are_not_asked_for(
    ib: InteractiveBrokers, gateway: Gateway, clock: StillClock
) -> None:
    later = Interval(clock.now(), DAYS["time"][-1].replace(year=2030))
    assert ib.fetch("AAPL", "1d", later).is_empty()
    assert gateway.about_history() == 0


def test_a_contract_that_may_not_be_asked_for_is_told_with_the_reason(
    ib: InteractiveBrokers, gateway: Gateway
) -> None:
    gateway.contract_trouble = Trouble(504, "Not connected")
    with pytest.raises(ProviderFailed, match="Not connected"):
        ib.look_up("AAPL", "1d")


def test_no_oldest_data_is_an_unknown_series(ib: InteractiveBrokers, gateway: Gateway) -> None:
    gateway.head_trouble = Trouble(162, "HMDS query returned no data")
    with pytest.raises(DataInvalid, match="has no bars of AAPL"):
        ib.look_up("AAPL", "1d")
