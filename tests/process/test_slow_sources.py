"""A source that does not answer: Ctrl+C ends the load at once, and the next one fetches only the rest."""

import signal
from collections.abc import Iterator

import pytest

from support.installation import Installation, ending, until
from support.market_server import Fault, MarketServer, broken, hanging
from support.providers_here import asks_here

LOAD = (
    "data",
    "load",
    "BTC/USDT",
    "--provider",
    "ccxt",
    "--timeframe",
    "1h",
    "--start",
    "2024-03-01",
    "--end",
    "2024-12-31",
)


@pytest.fixture
def market() -> Iterator[MarketServer]:
    server = MarketServer()
    yield server
    server.close()


def test_ctrl_c_in_the_middle_of_a_slow_source_keeps_what_was_stored(
    ktrdr: Installation, market: MarketServer
) -> None:
    asks_here(ktrdr, market)
    market.faults.extend([Fault(), Fault(), Fault(), hanging()])
    terminal = ktrdr.terminal(*LOAD)
    text = until(terminal, " new bars")
    while market.faults:
        text += until(terminal, " new bars")
    (worker,) = ktrdr.workers()
    terminal.send("\x03")
    _, signalled, rest = ending(terminal)
    assert signalled == signal.SIGINT, text + rest
    assert not worker.is_running()
    assert "new bars were stored, and stay" in rest
    stored = next(each for each in ktrdr.json("data", "list")["series"] if each["symbol"] == "BTC/USDT")[
        "rows"
    ]
    assert stored > 0
    asked = market.about_bars()
    rest_of_it = ktrdr.json(*LOAD)["result"]["series"][0]
    assert rest_of_it["bars"] == stored + rest_of_it["new_bars"]
    again = ktrdr.json(*LOAD)["result"]["series"][0]
    assert (again["requests"], again["bars"]) == (0, rest_of_it["bars"])
    assert market.about_bars() > asked


def test_a_load_that_fails_keeps_and_counts_what_was_stored(
    ktrdr: Installation, market: MarketServer
) -> None:
    asks_here(ktrdr, market)
    market.faults.extend([Fault(), Fault(), Fault(), *[broken()] * 20])
    failed = ktrdr.run(*LOAD, expect=1)
    assert "new bars were stored before, and stay" in failed.stderr
    assert "Traceback" not in failed.stderr
    market.faults.clear()
    series = ktrdr.json(*LOAD)["result"]["series"][0]
    assert (series["bars"], series["new_bars"], series["requests"] > 0) == (300, 0, True)
