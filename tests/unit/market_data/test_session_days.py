"""Daily and weekly bars carry the date of their session, whatever moment or label the file has."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.calendars.table import open_calendar
from support.imports import Imported, Importer

HEADER = "time,open,high,low,close\n"


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def read(importer: Importer, times: list[str], calendar: str | None = None, **asked: object) -> Imported:
    text = HEADER + "".join(f"{each},1,1,1,1\n" for each in times)
    return importer(text, calendar=None if calendar is None else open_calendar(calendar), **asked)


def days(done: Imported) -> list[date]:
    return done.bars["X"]["time"].dt.date().to_list()


def bars_times(zone: str, hour: int) -> pl.DataFrame:
    """Return two bars at an hour of 2 and 3 January in a zone."""
    wall = [datetime(2024, 1, each, hour) for each in (2, 3)]
    times = pl.Series("time", wall).dt.replace_time_zone(zone)
    return pl.DataFrame([times]).with_columns(open=1.0, high=1.0, low=1.0, close=1.0)


def jan(*numbers: int) -> list[date]:
    return [date(2024, 1, each) for each in numbers]


@pytest.mark.parametrize(
    ("times", "calendar", "tz", "expected"),
    [
        # 10:00 in Sydney is the day before in UTC
        (["1704150000", "1704236400"], "XASX", None, jan(2, 3)),
        (["1704150000", "1704236400"], None, "Australia/Sydney", jan(2, 3)),
        # a day of foreign exchange opens at 17:00 in New York, and is the next date's
        (["2024-01-01T17:00:00-05:00", "2024-01-02T17:00:00-05:00"], "fx", None, jan(2, 3)),
        (["2024-01-01 22:00:00", "2024-01-02 22:00:00"], "fx", "UTC", jan(2, 3)),
        # opens and closes of New York; a close is in no session, but on its day there
        (["1704205800", "1704292200"], "XNYS", None, jan(2, 3)),
        (["2024-01-02T21:00:00Z", "2024-01-03T21:00:00Z"], "XNYS", None, jan(2, 3)),
        # midnight is the date as it is written: by UTC, by an offset, by nothing
        (["1704153600", "1704240000"], None, None, jan(2, 3)),
        (["1704153600", "1704240000"], "XNYS", None, jan(2, 3)),
        (["1704153600", "1704240000"], "XTKS", None, jan(2, 3)),
        (["2024-01-02 00:00:00-05:00", "2024-01-03 00:00:00-05:00"], None, None, jan(2, 3)),
        (["2024-01-02 00:00:00-05:00", "2024-01-03 00:00:00-05:00"], "XNYS", None, jan(2, 3)),
        (["2024-01-02", "2024-01-03"], "XASX", None, jan(2, 3)),
        # the session decides before the zone that is given
        (["1704150000", "1704236400"], "XASX", "UTC", jan(2, 3)),
    ],
)
def test_a_moment_is_of_the_session_that_contains_it(
    importer: Importer, times: list[str], calendar: str | None, tz: str | None, expected: list[date]
) -> None:
    assert days(read(importer, times, calendar, tz=tz)) == expected


def test_a_clock_without_a_zone_is_proposed_to_be_that_of_the_calendar(importer: Importer) -> None:
    """In UTC 15:00 in Tokyo would be midnight of the next day, and so the date of another bar."""
    written = ["2024-01-04 15:00", "2024-01-05 15:00"]
    with pytest.raises(DataInvalid) as refused:
        read(importer, written, "XTKS")
    assert refused.value.hint == "add --tz Asia/Tokyo (or the zone they are in, as --tz UTC)"
    assert days(read(importer, written, "XTKS", tz="Asia/Tokyo")) == jan(4, 5)


@pytest.mark.parametrize(
    ("times", "tz", "message", "hint"),
    [
        (["1704150000"], None, "do not say of which day a bar is", "--calendar XASX"),
        (["2024-01-02T09:30:00-05:00"], None, "do not say of which day a bar is", "--tz Asia/Tokyo"),
        (["2024-01-02 09:30"], None, "do not say their zone", "--tz UTC"),
        (["2024-01-02"], "UTC", "which has no zone", "leave --tz out"),
    ],
)
def test_a_moment_that_could_be_of_two_days_is_refused_with_the_way_out(
    importer: Importer, times: list[str], tz: str | None, message: str, hint: str
) -> None:
    with pytest.raises(DataInvalid, match=message) as refused:
        read(importer, times, tz=tz)
    assert hint in str(refused.value.hint)


@pytest.mark.parametrize("times", [["2024-01-05", "2024-01-12"], ["2024-01-02", "2024-01-08"]])
def test_weekly_bars_are_kept_under_the_monday_of_their_week(importer: Importer, times: list[str]) -> None:
    """Labelled with a Friday, or with a Tuesday after a holiday; how many were moved is told."""
    done = read(importer, times, "XNYS", timeframe="1w")
    assert days(done) == jan(1, 8)
    moved = sum(not each.endswith("08") for each in times)
    assert done.report.remarks == (
        f"{moved:,} weekly bars are kept under the Monday of their week, not as dated",
    )


def test_two_weekly_bars_of_one_week_are_refused(importer: Importer) -> None:
    text = HEADER + "2024-01-01,1,1,1,1\n2024-01-05,2,2,2,2\n"
    with pytest.raises(DataInvalid):
        importer(text, timeframe="1w")


def test_a_sunday_may_begin_or_end_a_week_and_is_refused(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="dated on Sundays, as 2024-01-07"):
        read(importer, ["2024-01-07", "2024-01-14"], timeframe="1w")


@pytest.mark.parametrize(
    ("calendar", "timeframe", "times", "sure"),
    [
        (None, "1d", ["2024-01-05", "2024-01-08"], False),
        ("XNYS", "1d", ["2024-01-12", "2024-01-16"], False),
        ("XSHG", "1d", ["2024-02-08", "2024-02-19"], False),
        ("XNYS", "1h", ["2024-01-05T20:30:00Z", "2024-01-08T14:30:00Z"], True),
    ],
)
def test_two_bars_with_a_rest_of_the_market_between_them_are_right(
    importer: Importer, calendar: str | None, timeframe: str, times: list[str], sure: bool
) -> None:
    done = read(importer, times, calendar, timeframe=timeframe, is_timeframe_sure=sure)
    assert (done.bars["X"].height, done.report.remarks) == (2, ())


def test_a_timeframe_that_was_given_wins_with_a_remark(importer: Importer) -> None:
    times = ["2024-01-05", "2024-01-25"]
    with pytest.raises(DataInvalid, match="20 d apart, which 1d bars are not"):
        read(importer, times, is_timeframe_sure=False)
    done = read(importer, times, is_timeframe_sure=True)
    assert done.report.remarks == ("the closest bars are 20 d apart, and are taken as 1d bars",)


def test_monthly_bars_are_no_timeframe_and_the_refusal_says_so(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="31 d apart") as refused:
        read(importer, ["2024-01-01", "2024-02-01", "2024-04-01"], is_timeframe_sure=False)
    assert "bars of a month or longer are not kept" in str(refused.value.hint)


def test_parquet_moments_are_dated_by_their_zone_and_their_session(
    importer: Importer, tmp_path: Path
) -> None:
    import_file = tmp_path / "x.parquet"
    times = bars_times("Australia/Sydney", 10)
    times.write_parquet(import_file)
    data = import_file.read_bytes()
    assert days(importer(data, calendar=open_calendar("XASX"))) == jan(2, 3)
    with pytest.raises(DataInvalid, match="do not say of which day"):
        importer(data)
    bars_times("Australia/Sydney", 0).write_parquet(import_file)
    assert days(importer(import_file.read_bytes())) == jan(2, 3)
