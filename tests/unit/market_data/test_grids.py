"""Bars of every grid are understood: by the session, by the clock, cut by the open, in any time zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktrdr.errors import InputInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.round_the_clock import RoundTheClock
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import Grid, expected_opens
from ktrdr.market_data.finished import finished_until
from ktrdr.market_data.hours import within_hours
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.quality import quality_report
from ktrdr.market_data.resample import resample
from support.synthetic_bars import bars_at, steady

Times = Callable[[], list[datetime]]


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type,misc]


def local_times(zone: str, first: date, days: int, *wall: tuple[int, int]) -> list[datetime]:
    """Return these times of the wall clock, on every date that is no Saturday, no Sunday and no holiday."""
    dates = (first + timedelta(days=number) for number in range(days))
    return [
        datetime(each.year, each.month, each.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for each in dates
        if each.weekday() < 5
        for hour, minute in wall
    ]


NEW_YORK, INDIA, TOKYO = "America/New_York", "Asia/Kolkata", "Asia/Tokyo"
CLOCKS_CHANGE = date(2024, 3, 4)  # New York's on the 10th
SHAPES: dict[str, tuple[str, str, Times]] = {
    "full hours that begin before the open": (
        "XNYS",
        "1h",
        lambda: local_times(NEW_YORK, CLOCKS_CHANGE, 12, *((hour, 0) for hour in range(9, 16))),
    ),
    "full hours after a first one from the open": (
        "XNYS",
        "1h",
        lambda: local_times(NEW_YORK, CLOCKS_CHANGE, 12, (9, 30), *((hour, 0) for hour in range(10, 16))),
    ),
    "four hours by the clock of New York": (
        "XNYS",
        "4h",
        lambda: local_times(NEW_YORK, CLOCKS_CHANGE, 12, (8, 0), (12, 0)),
    ),
    "four hours by the clock of New York after a first one from the open": (
        "XNYS",
        "4h",
        lambda: local_times(NEW_YORK, CLOCKS_CHANGE, 12, (9, 30), (12, 0)),
    ),
    "four hours by the clock of Greenwich": (
        "XNYS",
        "4h",
        lambda: [
            at(2024, 3, day, hour)
            for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15)
            for hour in ((12, 16, 20) if day < 10 else (12, 16))
        ],
    ),
    "four hours by the clock of Greenwich after a first one from the open": (
        "XNYS",
        "4h",
        lambda: [
            moment
            for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15)
            for moment in (
                (at(2024, 3, day, 14, 30), at(2024, 3, day, 16), at(2024, 3, day, 20))
                if day < 10
                else (at(2024, 3, day, 13, 30), at(2024, 3, day, 16))
            )
        ],
    ),
    "hours of a zone that is half an hour aside": (
        "XBOM",
        "1h",
        lambda: local_times(INDIA, date(2024, 2, 5), 12, *((hour, 0) for hour in range(9, 16))),
    ),
    "full hours around a lunch break": (
        "XTKS",
        "1h",
        lambda: local_times(TOKYO, date(2024, 1, 15), 12, *((hour, 0) for hour in (9, 10, 11, 12, 13, 14))),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_series_of_any_grid_is_whole(shape: str) -> None:
    name, timeframe, times = SHAPES[shape]
    bars = bars_at(times())
    report = quality_report(bars, timeframe, open_calendar(name))
    assert (report.expected, report.missing, report.outside) == (bars.height, 0, 0)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_trap_18_a_bar_deleted_from_any_grid_is_found(shape: str, data: st.DataObject) -> None:
    name, timeframe, times = SHAPES[shape]
    whole = times()
    gone = data.draw(st.integers(1, len(whole) - 2))
    report = quality_report(bars_at(whole[:gone] + whole[gone + 1 :]), timeframe, open_calendar(name))
    assert (report.missing, report.outside) == (1, 0)
    (gap,) = report.unexpected
    assert (gap.missing, gap.end) == (1, whole[gone + 1])


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["XNYS", "XHKG", "XTKS", "fx", "24/7"]),
    timeframe=st.sampled_from(["15m", "1h", "4h", "1d", "1w"]),
    minutes=st.sets(st.integers(0, 14 * 96), min_size=1, max_size=60),
)
def test_whatever_bars_there_are_present_and_missing_make_up_the_expected(
    name: str, timeframe: str, minutes: set[int]
) -> None:
    """Bars at odd times too: each is expected or outside, and every missing one lies in a pause."""
    step = timedelta(minutes=15) if TIMEFRAME_SECONDS[timeframe] < 86_400 else timedelta(days=1)
    bars = bars_at([at(2024, 1, 29) + number * step for number in sorted(minutes)])
    report = quality_report(bars, timeframe, open_calendar(name))
    assert (report.present or 0) + (report.outside or 0) == report.bars
    assert sum(each.missing for each in report.unexpected) == report.missing
    assert (report.present or 0) + (report.missing or 0) == report.expected
    assert all(each.start <= each.end for each in report.unexpected)


def test_pauses_of_a_series_by_the_clock_are_told_apart_like_those_by_the_session() -> None:
    """Thanksgiving 2023: 9:00 belongs to the day whose session it reaches into, not to the day before."""
    calendar = open_calendar("XNYS")
    within = Interval(at(2023, 11, 20), at(2023, 11, 29))
    kinds = [
        quality_report(bars_at(expected_opens(calendar, "1h", within, grid).to_list()), "1h", calendar).gaps
        for grid in (Grid(), Grid("clock"))
    ]
    assert kinds == [{"weekend": 1, "holiday": 1, "session": 3, "unexpected": 0}] * 2


def test_pauses_between_extended_hours_are_told_apart_too() -> None:
    """From Friday 20:00 to Monday 4:00 it is a weekend, though no session lies beside it."""
    calendar = open_calendar("XNYS")
    all_day = bars_at(steady(at(2024, 1, 8), 48 * 16, "30m"))
    kept = within_hours(all_day, "30m", calendar, "extended")
    assert quality_report(kept, "30m", calendar).gaps == {
        "weekend": 1,
        "holiday": 1,
        "session": 8,
        "unexpected": 0,
    }


class OneSaturday(RoundTheClock):
    """A market of weekdays that once traded on a Saturday."""

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        every = super().sessions(first, last)
        return every.filter((pl.col("date").dt.weekday() <= 5) | (pl.col("date") == date(2024, 2, 3)))


def test_one_session_on_a_saturday_makes_no_other_saturday_a_holiday() -> None:
    calendar = OneSaturday("odd")
    days = expected_opens(calendar, "1d", Interval(at(2024, 1, 8), at(2024, 3, 2)))
    report = quality_report(bars_at(days.to_list()), "1d", calendar)
    assert report.gaps == {"weekend": 7, "holiday": 0, "session": 0, "unexpected": 0}


@pytest.mark.parametrize("shape", [each for each in SHAPES if SHAPES[each][1] == "1h"])
def test_no_coarser_bar_has_anything_of_the_next_in_it(shape: str) -> None:
    """Each finer bar is over when the coarser bar it went into is, or where the next one begins."""
    name, _, times = SHAPES[shape]
    bars = bars_at(times())
    made = resample(bars, "1h", "4h", open_calendar(name))
    assert made.incomplete == 0
    placed = bars.join_asof(made.bars.select("time", bucket="time"), on="time")
    over = placed["time"] + timedelta(hours=1)
    assert (over <= placed["bucket"] + timedelta(hours=4)).all()
    following = dict(zip(made.bars["time"][:-1], made.bars["time"][1:], strict=True))
    assert all(end <= following.get(bucket, end) for end, bucket in zip(over, placed["bucket"], strict=True))
    assert made.bars["volume"].sum() == bars["volume"].sum()


def test_hours_of_the_clock_make_four_from_their_first_one_on() -> None:
    times = local_times(NEW_YORK, date(2024, 3, 4), 1, *((hour, 0) for hour in range(9, 16)))
    made = resample(bars_at(times), "1h", "4h", open_calendar("XNYS")).bars
    assert made["time"].to_list() == [at(2024, 3, 4, 14), at(2024, 3, 4, 18)]


def test_a_bar_in_two_sessions_makes_neither_day() -> None:
    """20:00 to 24:00 lies on both sides of 22:00, where a day of foreign exchange ends."""
    fours = steady(at(2024, 1, 8), 24, "4h")
    made = resample(bars_at(fours), "4h", "1d", open_calendar("fx"))
    assert (made.bars.height, made.incomplete) == (0, 5)


def test_a_bar_that_two_sessions_are_in_is_expected_once() -> None:
    within = Interval(at(2024, 1, 8), at(2024, 1, 10))
    opens = expected_opens(open_calendar("fx"), "4h", within, Grid("clock")).to_list()
    assert opens == steady(at(2024, 1, 8), 12, "4h")


def test_days_without_a_session_are_no_part_of_a_week() -> None:
    calendar = open_calendar("fx")
    every = bars_at(steady(at(2024, 1, 1), 14, "1d"))
    weekdays = every.filter(pl.col("time").dt.weekday() <= 5)
    made = resample(every, "1d", "1w", calendar).bars
    assert made.equals(resample(weekdays, "1d", "1w", calendar).bars)
    assert made.height == 2


class UntilNewYear(RoundTheClock):
    """A calendar that is known up to the end of a year."""

    known_until = date(2026, 12, 31)

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        assert last <= self.known_until
        return super().sessions(first, last)


def test_up_to_the_last_date_that_a_calendar_knows_everything_can_be_told() -> None:
    calendar = UntilNewYear("short")
    hours = bars_at(steady(at(2026, 12, 1), 24 * 31, "1h"))
    report = quality_report(hours, "1h", calendar)
    assert (report.missing, report.coverage) == (0, 1.0)
    assert within_hours(hours, "1h", calendar, "regular").height == hours.height
    assert finished_until(at(2026, 12, 31, 23), "1d", calendar) == at(2026, 12, 31)
    assert finished_until(at(2026, 12, 31, 23), "1h", calendar) == at(2026, 12, 31, 22, 15)


@pytest.mark.parametrize("name", ["XTAE", "ASEX"])
def test_a_calendar_that_its_library_fails_to_make_is_an_error_of_ours(name: str) -> None:
    """Or it is made after all, where the library can."""
    try:
        assert open_calendar(name).sessions(date(2024, 1, 8), date(2024, 1, 8)).height == 1
    except InputInvalid as error:
        assert f"cannot make the calendar `{name}`" in error.message
