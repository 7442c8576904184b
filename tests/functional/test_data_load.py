"""`ktrdr data load`: bars of a provider, only those that are missing, told as they are."""

import pytest

from support.installation import Installation
from support.one_process import OneProcess

Ktrdr = Installation | OneProcess


def test_a_load_fetches_what_is_missing_and_nothing_twice(ktrdr: Ktrdr) -> None:
    first = ktrdr.run("data", "load", "AAPL", "--start", "2005-01-01", "--end", "2006-12-31").stdout
    assert first.splitlines() == [
        "AAPL 1d · 503 bars, 2005-01-03 to 2006-12-29 · sample, split_dividend",
        "  Loaded    503 new bars in 1 request",
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
    assert operation["metadata"]["description"] == "AAPL, GOOG 1d from sample"


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
    assert "there are no AAPL 1d bars" in missing.stderr
    assert "`local` fetches nothing; use another mode" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("AAPL", "--timeframe", "2d"), "`timeframe`"),
        (("AAPL", "--mode", "some"), "`mode`"),
        (("AAPL", "--provider", "nobody"), "`provider`"),
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
