"""A report finds exactly the bars that are not there, and says of every pause why it is one."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktrdr.errors import DataInvalid
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import expected_opens
from ktrdr.market_data.gaps import Gap
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.quality import quality_report
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.bar_terms import Adjustment
from support.synthetic_bars import bars_at

MOMENT = timedelta(microseconds=1)


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type,misc]


def whole(name: str, timeframe: str, first: datetime, last: datetime) -> pl.DataFrame:
    """Return a bar for each that a calendar expects."""
    return bars_at(expected_opens(open_calendar(name), timeframe, Interval(first, last)).to_list())


GRIDS = {
    "XNYS 1d": ("XNYS", "1d", at(2023, 11, 1), at(2024, 3, 1)),
    "XNYS 1h": ("XNYS", "1h", at(2024, 3, 1), at(2024, 4, 5)),
    "XHKG 30m": ("XHKG", "30m", at(2024, 2, 1), at(2024, 2, 25)),
    "fx 4h": ("fx", "4h", at(2024, 3, 1), at(2024, 4, 5)),
    "24/7 1h": ("24/7", "1h", at(2024, 3, 1), at(2024, 3, 8)),
    "XNYS 1w": ("XNYS", "1w", at(2020, 1, 1), at(2024, 1, 1)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_trap_18_weekends_holidays_and_nights_are_no_holes(grid: str) -> None:
    name, timeframe, first, last = GRIDS[grid]
    bars = whole(name, timeframe, first, last)
    report = quality_report(bars, timeframe, open_calendar(name))
    assert report.gaps is not None
    assert (report.missing, report.outside, report.gaps["unexpected"]) == (0, 0, 0)
    assert (report.coverage, report.expected, report.bars) == (1.0, bars.height, bars.height)
    assert report.unexpected == ()


@pytest.mark.parametrize("grid", GRIDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_trap_18_deleted_bars_are_found_exactly(grid: str, data: st.DataObject) -> None:
    """Whatever is left out between the first and the last bar: its number, and where it was."""
    name, timeframe, first, last = GRIDS[grid]
    bars = whole(name, timeframe, first, last)
    gone = data.draw(st.sets(st.integers(1, bars.height - 2), max_size=10))
    kept = bars.filter(~pl.Series([number in gone for number in range(bars.height)]))
    report = quality_report(kept, timeframe, open_calendar(name))
    assert (report.missing, report.present, report.expected) == (len(gone), kept.height, bars.height)
    assert sum(each.missing for each in report.unexpected) == len(gone)
    lost = {bars["time"][number] for number in gone}
    assert all(any(gap.start <= when < gap.end for gap in report.unexpected) for when in lost)
    assert report.gaps is not None
    assert report.gaps["unexpected"] == len(report.unexpected)


def test_pauses_are_told_apart_by_what_the_calendar_says_of_their_days() -> None:
    """Around Thanksgiving 2023: three nights, a holiday in a week, and a weekend."""
    bars = whole("XNYS", "1h", at(2023, 11, 20), at(2023, 11, 29))
    report = quality_report(bars, "1h", open_calendar("XNYS"))
    assert report.gaps == {"weekend": 1, "holiday": 1, "session": 3, "unexpected": 0}
    days = quality_report(whole("XNYS", "1d", at(2024, 1, 11), at(2024, 1, 24)), "1d", open_calendar("XNYS"))
    assert days.gaps == {"weekend": 1, "holiday": 1, "session": 0, "unexpected": 0}


def test_a_missing_bar_is_named_from_the_end_of_one_to_the_open_of_the_next() -> None:
    bars = whole("24/7", "1h", at(2024, 1, 1), at(2024, 1, 2))
    report = quality_report(bars.filter(~pl.col("time").dt.hour().is_in([5, 6])), "1h", open_calendar("24/7"))
    assert report.unexpected == (Gap(at(2024, 1, 1, 5), at(2024, 1, 1, 7), "unexpected", 2),)


def test_bars_that_nobody_expects_are_counted() -> None:
    """A bar on a Saturday does not make up for one that is missing."""
    bars = pl.concat([whole("XNYS", "1d", at(2024, 1, 2), at(2024, 1, 12)), bars_at([at(2024, 1, 6)])])
    report = quality_report(bars.sort("time")[1:], "1d", open_calendar("XNYS"))
    assert (report.bars, report.present, report.outside, report.missing) == (8, 7, 1, 0)


def test_bars_missing_at_the_edges_of_what_is_asked_are_missing() -> None:
    bars = whole("XNYS", "1d", at(2024, 1, 8), at(2024, 1, 13))
    report = quality_report(bars, "1d", open_calendar("XNYS"), Interval(at(2024, 1, 2), at(2024, 1, 20)))
    assert (report.expected, report.present, report.missing) == (13, 5, 8)


def test_without_a_calendar_nothing_is_said_of_what_is_missing() -> None:
    report = quality_report(load_sample("AAPL"), "1d", None)
    assert (report.bars, report.expected, report.coverage, report.gaps) == (3270, None, None, None)
    with pytest.raises(DataInvalid, match="there are no bars"):
        quality_report(load_sample("AAPL")[:0], "1d", None)


@pytest.mark.parametrize(
    ("symbol", "splits"),
    [("AAPL", [date(2000, 6, 21), date(2005, 2, 28)]), ("MSFT", [date(2003, 2, 18)]), ("IBM", [])],
)
def test_trap_17_raw_prices_show_their_splits_and_adjusted_ones_none(symbol: str, splits: list[date]) -> None:
    """AAPL fell by 52 % from close to close on 2000-09-29 for real: it is not among them."""

    def found(adjustment: Adjustment) -> list[date]:
        bars = load_sample(symbol, adjustment)
        return [each.time.date() for each in quality_report(bars, "1d", None).jumps]

    assert found("raw") == splits
    assert found("split") == found("split_dividend") == []


@pytest.mark.parametrize(
    ("ratio", "split"),
    [
        (0.5, "1/2"),
        (0.51, "1/2"),
        (0.48, None),
        (0.66, "2/3"),
        (1.5, "3/2"),
        (10.1, "10"),
        (0.9, None),
        (1.3, None),
    ],
)
def test_a_jump_is_within_two_and_a_half_percent_of_a_usual_split(ratio: float, split: str | None) -> None:
    two = bars_at([at(2024, 1, 2), at(2024, 1, 3)])
    close = two["close"][0]
    jumped = two.with_columns(open=pl.Series([two["open"][0], close * ratio]))
    jumps = quality_report(jumped, "1d", None).jumps
    assert [(each.split, each.time) for each in jumps] == ([(split, at(2024, 1, 3))] if split else [])
