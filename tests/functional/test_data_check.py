"""`ktrdr data check` and `gaps`: what is missing is told, and what cannot be known is said to be unknown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from support.installation import Installation
from support.one_process import OneProcess
from support.stored_bars import some_bars, store_bars, store_sample

pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")  # exchange_calendars
Ktrdr = Installation | OneProcess
MINUTES = Series("import", "EUR/USD", "1m")
DELETED = ("2005-01-04", "2005-01-05", "2007-06-12")
KNOWN_SPLITS = ["2000-06-21", "2005-02-28"]


def test_trap_18_a_holiday_is_no_gap(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    result = ktrdr.json("data", "check", "AAPL")["result"]
    whole = {"bars": 3270, "expected": 3270, "present": 3270, "missing": 0, "outside": 0, "coverage": 1.0}
    assert whole.items() <= result.items()
    assert (result["gaps"]["unexpected"], result["unexpected"], result["jumps"]) == (0, [], [])
    assert result["gaps"]["holiday"] > 0
    assert result["gaps"]["weekend"] > 0
    shown = ktrdr.run("data", "check", "AAPL").stdout.splitlines()
    assert shown[:3] == [
        "AAPL 1d · sample, split_dividend",
        "  Bars      3,270, 2000-03-01 to 2013-03-01",
        "  Coverage  100 % of 3,270 bars that XNYS expects, none missing",
    ]
    assert shown[-1] == "  Verdict   whole: every bar that XNYS expects is there"


def test_trap_18_a_deleted_bar_is_a_gap(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings, without=DELETED)
    shown = ktrdr.run("data", "check", "AAPL").stdout
    assert "99.9 % of 3,270 bars that XNYS expects, 3 missing" in shown
    assert "Verdict   3 bars are missing, in 2 places" in shown
    gaps = ktrdr.json("data", "gaps", "AAPL")["result"]
    assert [(each["start"][:10], each["missing"]) for each in gaps["unexpected"]] == [
        ("2005-01-04", 2),
        ("2007-06-12", 1),
    ]
    assert (gaps["missing"], gaps["present"], gaps["gaps"]["unexpected"]) == (3, 3267, 2)
    listed = ktrdr.run("data", "gaps", "AAPL").stdout.splitlines()
    assert [line.split()[0] for line in listed[-3:]] == ["FROM", "2005-01-04", "2007-06-12"]


@pytest.mark.parametrize(("calendar", "kept"), [((), [2, 1]), (("--calendar", "24/7"), None)])
def test_a_check_keeps_what_is_missing_with_the_bars(
    ktrdr: Ktrdr, calendar: tuple[str, ...], kept: list[int] | None
) -> None:
    """Former bars learn it so; another calendar than their own only judges them."""
    store_sample(ktrdr.settings, without=DELETED)
    store, series = BarStore(ktrdr.settings.data_dir), Series("sample", "AAPL", "1d")
    assert store.meta(series).holes is None
    ktrdr.run("data", "check", "AAPL", "--start", "2004-01-01", *calendar)
    assert store.meta(series).holes is None, "a part of the bars tells nothing of all"
    ktrdr.run("data", "check", "AAPL", *calendar)
    holes = store.meta(series).holes
    assert (holes and holes.table["missing"].to_list()) == kept


def test_without_a_calendar_coverage_is_not_made_up(ktrdr: Ktrdr) -> None:
    store_bars(ktrdr.settings, MINUTES, some_bars(50), Terms("raw"))
    shown = ktrdr.run("data", "check", "EUR/USD", "--timeframe", "1m").stdout
    assert "not known without a trading calendar: the bars are kept without a trading calendar" in shown
    assert "name one: --calendar XNYS (or 24/7, fx, another exchange)" in shown
    result = ktrdr.json("data", "check", "EUR/USD", "--timeframe", "1m")["result"]
    unknown = ("expected", "present", "outside", "missing", "coverage", "gaps", "calendar")
    assert [result[name] for name in unknown] == [None] * len(unknown)


def test_a_kept_calendar_that_cannot_be_had_is_no_reason_to_say_nothing(ktrdr: Ktrdr) -> None:
    store_bars(ktrdr.settings, MINUTES, some_bars(50), Terms("raw", "NOWHERE"))
    shown = ktrdr.run("data", "check", "EUR/USD", "--timeframe", "1m").stdout
    assert "  Bars      50, 2020-01-30 00:00 to 2020-01-30 00:49" in shown
    assert "not known without a trading calendar: there is no trading calendar `NOWHERE`" in shown


def test_a_calendar_can_be_named_in_place_of_the_kept_one(ktrdr: Ktrdr) -> None:
    bars = some_bars(60)
    holes = bars.filter(~pl.int_range(pl.len()).is_in([20, 21, 40]))
    store_bars(ktrdr.settings, MINUTES, holes, Terms("raw", "XNYS"))
    words = ("check", "EUR/USD", "--timeframe", "1m", "--calendar", "24/7")
    result = ktrdr.json("data", *words)["result"]
    assert (result["calendar"], result["expected"], result["missing"]) == ("24/7", 60, 3)
    assert "  2020-01-30 00:20  2020-01-30 00:22        2" in ktrdr.run("data", *words).stdout


def test_only_the_asked_days_are_judged_and_both_of_them_are(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings, without=DELETED)
    result = ktrdr.json("data", "check", "AAPL", "--start", "2005-01-04", "--end", "2005-01-10")["result"]
    assert (result["bars"], result["expected"], result["missing"]) == (3, 5, 2)
    clean = ktrdr.json("data", "check", "AAPL", "--start", "2005-01-06", "--end", "2007-06-11")["result"]
    assert clean["missing"] == 0


def test_days_that_have_not_been_yet_are_not_expected(ktrdr: Ktrdr) -> None:
    today = datetime.now(UTC).date()
    first = datetime.combine(today - timedelta(days=3), datetime.min.time(), UTC)
    store_bars(ktrdr.settings, Series("import", "X", "1d"), some_bars(3, "1d", first), Terms("raw", "24/7"))
    result = ktrdr.json("data", "check", "X", "--end", f"{today + timedelta(days=400)}")["result"]
    assert (result["bars"], result["expected"], result["missing"]) == (3, 3, 0)


def test_trap_17_splits_that_nobody_adjusted_for_are_named(ktrdr: Ktrdr) -> None:
    store_bars(
        ktrdr.settings, Series("import", "RAW", "1d"), load_sample("AAPL", "raw"), Terms("raw", "XNYS")
    )
    result = ktrdr.json("data", "check", "RAW")["result"]
    assert [each["time"][:10] for each in result["jumps"]] == KNOWN_SPLITS
    shown = ktrdr.run("data", "check", "RAW").stdout
    assert "  Jumps     2000-06-21 opens at 0.4" in shown or "  Jumps     2000-06-21 opens at 0.5" in shown
    assert "2 jumps look like a split that prices are not adjusted for" in shown


def test_missing_bars_fail_a_check_that_is_asked_to_fail(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings, without=DELETED)
    failed = ktrdr.run("data", "check", "AAPL", "--fail-on-gaps", expect=1)
    assert "error: data_check failed: AAPL 1d misses 3 of 3,270 bars" in failed.stderr
    assert "2005-01-04 00:00 up to" in failed.stderr
    assert "hint: see all with: ktrdr data gaps AAPL --timeframe 1d" in failed.stderr
    assert ktrdr.run("data", "check", "AAPL", "--fail-on-gaps", "--start", "2008-01-01").exit_code == 0


def test_a_check_that_cannot_know_gaps_fails_if_it_is_asked_to(ktrdr: Ktrdr) -> None:
    store_bars(ktrdr.settings, MINUTES, some_bars(50), Terms("raw"))
    failed = ktrdr.run("data", "check", "EUR/USD", "--timeframe", "1m", "--fail-on-gaps", expect=1)
    assert "whether EUR/USD 1m has gaps cannot be known" in failed.stderr
    assert "hint: name one with --calendar" in failed.stderr


def test_a_page_is_written_beside_the_result(ktrdr: Ktrdr, tmp_path: Path) -> None:
    store_sample(ktrdr.settings, without=DELETED)
    page = tmp_path / "quality.html"
    done = ktrdr.run("data", "check", "AAPL", "--html", str(page))
    assert done.stdout.startswith("AAPL 1d · sample")
    assert f"Wrote {page}" in done.stderr
    text = page.read_text()
    assert "3 bars are missing, in 2 places" in text
    assert text.count("2005-01-04") == 1
    refused = ktrdr.run("data", "check", "AAPL", "--html", str(page), expect=2)
    assert "exists already\nhint: add --force to replace it" in refused.stderr
    assert len(ktrdr.operations()) == 1
    page.write_text("old")
    answer = ktrdr.json("data", "check", "AAPL", "--html", str(page), "--force")
    assert answer["result"]["missing"] == 3
    assert page.read_text() == text.replace(
        text[text.index("Checked") :], page.read_text()[text.index("Checked") :]
    )


def test_a_page_of_what_nobody_waits_for_is_refused(ktrdr: Ktrdr, tmp_path: Path) -> None:
    store_sample(ktrdr.settings)
    page = tmp_path / "quality.html"
    refused = ktrdr.run("data", "check", "AAPL", "--html", str(page), "--detach", expect=2)
    assert "--html needs the result, which --detach does not wait for" in refused.stderr
    assert ktrdr.operations() == []
    assert not page.exists()


def test_a_check_that_fails_writes_no_page(ktrdr: Ktrdr, tmp_path: Path) -> None:
    store_sample(ktrdr.settings, without=DELETED)
    page = tmp_path / "quality.html"
    ktrdr.run("data", "check", "AAPL", "--html", str(page), "--fail-on-gaps", "-q", expect=1)
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("A B",), "`symbol`: `A B` is no symbol"),
        (("AAPL", "--timeframe", "2d"), "`timeframe`"),
        (("AAPL", "--provider", "nobody"), "there is no provider `nobody`"),
        (("AAPL", "--calendar", "no calendar"), "`calendar`"),
        (("AAPL", "--start", "soon"), "`start`"),
        (("AAPL", "--start", "2012-01-01", "--end", "2011-01-01"), "ends (2011-01-01) before it starts"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "gaps"])
def test_what_cannot_be_meant_is_refused_and_nothing_started(
    ktrdr: Ktrdr, verb: str, arguments: tuple[str, ...], words: str
) -> None:
    refused = ktrdr.run("data", verb, *arguments, expect=2)
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert ktrdr.operations() == []


def test_an_unknown_calendar_fails_the_check(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    failed = ktrdr.run("data", "check", "AAPL", "--calendar", "NOWHERE", expect=1)
    assert "NOWHERE" in failed.stderr
    assert "hint: " in failed.stderr


def test_a_range_without_bars_fails_and_names_what_there_is(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    failed = ktrdr.run("data", "check", "AAPL", "--start", "2014-01-01", expect=1)
    assert "there are no AAPL 1d bars from 2014-01-01" in failed.stderr
    assert "there are 3,270 from 2000-03-01 to 2013-03-01" in failed.stderr


def test_a_check_is_followed_and_listed_like_every_operation(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    shown = ktrdr.run("data", "gaps", "AAPL", "--provider", "sample").stdout
    (operation,) = ktrdr.operations()
    assert operation["metadata"]["description"] == "AAPL 1d from sample"
    assert [phase["name"] for phase in operation["progress"]["phases"]] == ["Read", "Check"]
    followed = ktrdr.run("operations", "follow", "@last").stdout
    assert followed.splitlines()[0] == shown.splitlines()[0]


def test_force_without_a_page_is_refused(ktrdr: Ktrdr) -> None:
    refused = ktrdr.run("data", "check", "AAPL", "--force", expect=2)
    assert "--force has no effect without --html" in refused.stderr
