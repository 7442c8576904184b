"""`ktrdr data load`: bars of a provider, only those that are missing, told as they are."""

import pytest

from support.installation import Installation
from support.one_process import OneProcess

Ktrdr = Installation | OneProcess
STRATEGY = "examples/strategies/trend_momentum.yaml"


def test_a_load_fetches_what_is_missing_and_nothing_twice(ktrdr: Ktrdr) -> None:
    first = ktrdr.run("data", "load", "AAPL", "--start", "2005-01-01", "--end", "2006-12-31").stdout
    assert first.splitlines() == [
        "AAPL 1d · 503 bars, 2005-01-03 to 2006-12-29 · sample, split_dividend",
        "  Loaded    503 new bars in 1 request",
        "  Coverage  100 % of 503 bars that XNYS expects, none missing",
        "  Gaps      89 weekends, 17 holidays",
    ]
    whole = ktrdr.run("data", "load", "AAPL").stdout
    assert "3,270 bars, 2000-03-01 to 2013-03-01" in whole
    assert "2,767 new bars in 2 requests" in whole
    assert "nothing to fetch" in ktrdr.run("data", "load", "AAPL").stdout


def test_several_symbols_are_phases_of_one_operation(ktrdr: Ktrdr) -> None:
    ktrdr.run("data", "load", "AAPL", "GOOG")
    (operation,) = ktrdr.operations()
    assert [phase["name"] for phase in operation["progress"]["phases"]] == ["AAPL", "GOOG"]
    assert [each["symbol"] for each in operation["result_summary"]["series"]] == ["AAPL", "GOOG"]
    assert operation["metadata"]["description"] == "AAPL, GOOG 1d"


def test_loaded_bars_are_listed(ktrdr: Ktrdr) -> None:
    ktrdr.run("data", "load", "IBM", "--end", "2000-12-31")
    rows = ktrdr.json("data", "list")["series"]
    assert {"provider": "sample", "symbol": "IBM", "rows": 212}.items() <= rows[0].items()
    assert [each["symbol"] for each in rows] == ["IBM", "AAPL", "GOOG", "MSFT"]


def test_an_unknown_symbol_is_refused_before_anything_is_loaded(ktrdr: Ktrdr) -> None:
    failed = ktrdr.run("data", "load", "AAPL", "TSLA", expect=1)
    assert "`sample` has no bars of TSLA 1d" in failed.stderr
    assert "it has AAPL 1d, GOOG 1d, IBM 1d, MSFT 1d" in failed.stderr
    assert "nothing" not in failed.stdout
    missing = ktrdr.run("data", "load", "AAPL", "--mode", "local", expect=1)
    assert "there are no AAPL 1d bars of `sample`, nor finer ones" in missing.stderr
    assert "`local` fetches nothing; use another mode" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("AAPL", "--timeframe", "2d"), "`timeframe`"),
        (("AAPL", "--mode", "some"), "`mode`"),
        (("AAPL", "--provider", "nobody"), "there is no provider `nobody`; there are sample, csv"),
        (("AAPL", "--provider", "yfinance:x"), "there is no provider `yfinance:x`"),
        (("AAPL", "--adjustment", "some"), "`adjustment`"),
        (("AAPL", "--start", "0001-01-01"), "`start`"),
        (("AAPL", "--end", "9999-12-31"), "`end`"),
        (("AAPL", "--trading-hours"), "1d bars have no hours"),
        (("AAPL", "--timeframe", "1h", "--include-extended"), "no effect without trading_hours"),
        (("AAPL", "--start", "yesterday"), "`start`"),
        (("AAPL", "AAPL"), "a symbol is named twice"),
        (("AAPL", "--start", "2012-01-01", "--end", "2011-01-01"), "ends (2011-01-01) before it starts"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_started(
    ktrdr: Ktrdr, arguments: tuple[str, ...], words: str
) -> None:
    refused = ktrdr.run("data", "load", *arguments, expect=2)
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert ktrdr.operations() == []


def test_a_range_without_bars_names_what_there_is(ktrdr: Ktrdr) -> None:
    ktrdr.run("data", "load", "AAPL")
    failed = ktrdr.run("data", "load", "AAPL", "--start", "2014-01-01", "--end", "2014-12-31", expect=1)
    assert "there are no AAPL 1d bars from 2014-01-01 to 2014-12-31" in failed.stderr
    assert "there are 3,270 from 2000-03-01 to 2013-03-01" in failed.stderr


def test_prices_are_loaded_as_asked_and_never_mixed(ktrdr: Ktrdr) -> None:
    """Raw prices show the split nobody adjusted for; what is there decides what nobody asked for."""
    raw = ktrdr.run(
        "data", "load", "MSFT", "--adjustment", "raw", "--start", "2003-01-01", "--end", "2003-12-31"
    )
    assert "sample, raw" in raw.stdout
    assert "Jumps     2003-02-18 open like an unadjusted split" in raw.stdout
    assert "sample, raw" in ktrdr.run("data", "load", "MSFT", "--mode", "tail").stdout
    refused = ktrdr.run("data", "load", "MSFT", "--adjustment", "split", expect=1)
    assert "MSFT is kept as `raw`, not `split`" in refused.stderr
    assert "`ktrdr data delete MSFT --timeframe 1d` first" in refused.stderr
    assert "serves `split_dividend`, `split`, `raw`" not in refused.stderr


def test_a_damaged_file_is_mended_by_the_next_load_and_said_so(ktrdr: Ktrdr) -> None:
    ktrdr.run("data", "load", "IBM")
    file = next(ktrdr.settings.data_dir.rglob("2005-*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    again = ktrdr.run("data", "load", "IBM").stdout
    assert "IBM 1d · 3,270 bars" in again
    assert f"Mended    {file.name} was damaged; its bars were fetched again" in again
    assert "252 new bars" in again
    assert file.with_name(f"{file.name}.damaged").exists()


def test_coarser_bars_are_made_of_those_that_are_there(ktrdr: Ktrdr) -> None:
    ktrdr.run("data", "load", "GOOG")
    weeks = ktrdr.json("data", "load", "GOOG", "--timeframe", "1w", "--mode", "local")["result"]["series"][0]
    assert (weeks["provider"], weeks["bars"], weeks["first"][:10]) == ("sample", 445, "2004-08-23")
    again = ktrdr.json("data", "load", "GOOG", "--timeframe", "1w", "--mode", "local")["result"]["series"][0]
    assert (again["requests"], again["bars"]) == (0, 445)


def test_training_loads_what_it_lacks_and_keeps_it(ktrdr: Ktrdr) -> None:
    trained = ktrdr.json(
        "models", "train", STRATEGY, "--symbols", "IBM", "--epochs", "2", "--provider", "sample"
    )
    assert trained["status"] == "completed"
    assert [each["provider"] for each in ktrdr.json("data", "list")["series"] if not each["built_in"]] == [
        "sample"
    ]
    refused = ktrdr.run("models", "train", STRATEGY, "--provider", "nobody", expect=2)
    assert "there is no provider `nobody`" in refused.stderr
    unknown = ktrdr.run("models", "train", STRATEGY, "TSLA", expect=1)
    assert "`sample` has no bars of TSLA 1d" in unknown.stderr
