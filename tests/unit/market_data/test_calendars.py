"""When markets trade: holidays, half days, lunch breaks, changes of clocks, and a week of our own."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.calendars.base import SESSIONS, TradingCalendar, segments
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import best_expected, expected_opens
from ktrdr.market_data.finished import finished_until
from ktrdr.market_data.hours import within_hours
from ktrdr.market_data.intervals import Interval
from support.synthetic_bars import bars_at, steady

NAMES = ("24/7", "fx", "XNYS", "XHKG", "XTKS", "XLON")


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type,misc]


def session(name: str, day: date) -> dict[str, datetime]:
    (row,) = open_calendar(name).sessions(day, day).to_dicts()
    return row


@pytest.mark.parametrize("name", NAMES)
def test_every_calendar_keeps_the_port(name: str) -> None:
    """Sessions of the asked dates only, in order, that open before they close and never overlap."""
    calendar = open_calendar(name)
    sessions = calendar.sessions(date(2023, 12, 20), date(2024, 1, 10))
    assert dict(sessions.schema) == {each: pl.Schema(SESSIONS)[each] for each in SESSIONS}
    assert sessions["date"].is_sorted()
    assert sessions["date"].is_between(date(2023, 12, 20), date(2024, 1, 10)).all()
    parts = segments(sessions)
    assert (parts["start"] < parts["end"]).all()
    assert (parts["start"].shift(-1).drop_nulls() >= parts["end"][:-1]).all()
    assert calendar.name == name


@pytest.mark.parametrize(
    ("day", "opened", "closed"),
    [
        (date(2024, 3, 8), at(2024, 3, 8, 14, 30), at(2024, 3, 8, 21)),
        (date(2024, 3, 11), at(2024, 3, 11, 13, 30), at(2024, 3, 11, 20)),
        (date(2024, 11, 29), at(2024, 11, 29, 14, 30), at(2024, 11, 29, 18)),
    ],
)
def test_trap_15_clocks_change_and_days_are_cut_in_half(
    day: date, opened: datetime, closed: datetime
) -> None:
    """New York changes its clocks on 2024-03-10, and closes at 13:00 the day after Thanksgiving."""
    found = session("XNYS", day)
    assert (found["open"], found["close"]) == (opened, closed)


def test_trap_18_holidays_have_no_session() -> None:
    sessions = open_calendar("XNYS").sessions(date(2024, 7, 3), date(2024, 7, 5))
    assert sessions["date"].to_list() == [date(2024, 7, 3), date(2024, 7, 5)]


def test_the_week_of_foreign_exchange_begins_on_sunday_evening() -> None:
    sessions = open_calendar("fx").sessions(date(2024, 1, 5), date(2024, 1, 8))
    assert sessions.select("date", "open", "close").rows() == [
        (date(2024, 1, 5), at(2024, 1, 4, 22), at(2024, 1, 5, 22)),
        (date(2024, 1, 8), at(2024, 1, 7, 22), at(2024, 1, 8, 22)),
    ]


@pytest.mark.parametrize(
    ("day", "opened", "closed"),
    [
        (date(2024, 3, 8), at(2024, 3, 7, 22), at(2024, 3, 8, 22)),
        (date(2024, 3, 11), at(2024, 3, 10, 21), at(2024, 3, 11, 21)),
        (date(2024, 11, 1), at(2024, 10, 31, 21), at(2024, 11, 1, 21)),
        (date(2024, 11, 4), at(2024, 11, 3, 22), at(2024, 11, 4, 22)),
    ],
)
def test_the_week_of_foreign_exchange_follows_the_clocks_of_new_york(
    day: date, opened: datetime, closed: datetime
) -> None:
    """They change on 2024-03-10 and 2024-11-03, while the market rests."""
    found = session("fx", day)
    assert (found["open"], found["close"]) == (opened, closed)


def test_a_lunch_break_divides_a_session() -> None:
    parts = segments(open_calendar("XHKG").sessions(date(2024, 1, 3), date(2024, 1, 3)))
    assert parts.select("start", "end").rows() == [
        (at(2024, 1, 3, 1, 30), at(2024, 1, 3, 4)),
        (at(2024, 1, 3, 5), at(2024, 1, 3, 8)),
    ]


@pytest.mark.parametrize(
    ("name", "timeframe", "day", "count"),
    [
        ("24/7", "1h", date(2024, 1, 6), 24),
        ("24/7", "1d", date(2024, 1, 6), 1),
        ("fx", "1h", date(2024, 1, 6), 0),
        ("fx", "1d", date(2024, 1, 5), 1),
        ("XNYS", "1m", date(2024, 1, 5), 390),
        ("XNYS", "1h", date(2024, 1, 5), 7),
        ("XNYS", "1m", date(2024, 11, 29), 210),
        ("XHKG", "1h", date(2024, 1, 3), 6),
    ],
)
def test_the_calendar_says_how_many_bars_a_day_has(name: str, timeframe: str, day: date, count: int) -> None:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = expected_opens(open_calendar(name), timeframe, Interval(begin, begin.replace(day=day.day + 1)))
    assert len(found) == count


def test_bars_of_the_full_clock_are_expected_by_the_clock() -> None:
    """A source that begins at 14:00 and one that begins at 14:30 are both right."""
    calendar = open_calendar("XNYS")
    by_clock = [at(2024, 1, 3, hour) for hour in range(14, 21)]
    by_session = [at(2024, 1, 3, hour, 30) for hour in range(14, 21)]
    for times in (by_clock, by_session):
        assert (
            best_expected(pl.Series(times).cast(pl.Datetime("us", "UTC")), calendar, "1h").to_list() == times
        )


def test_a_week_is_expected_by_its_monday_even_if_that_is_a_holiday() -> None:
    within = Interval(at(2024, 1, 1), at(2024, 1, 16))
    assert expected_opens(open_calendar("XNYS"), "1w", within).to_list() == [
        at(2024, 1, 1),
        at(2024, 1, 8),
        at(2024, 1, 15),
    ]


def test_an_unknown_calendar_is_refused_and_named() -> None:
    with pytest.raises(InputInvalid, match="there is no trading calendar `MARS`") as refused:
        open_calendar("MARS")
    assert "XNYS" in str(refused.value.hint)


def test_dates_that_a_calendar_does_not_reach_are_refused() -> None:
    with pytest.raises(DataInvalid, match="`XTKS` reaches from 1997"):
        open_calendar("XTKS").sessions(date(1990, 1, 1), date(1990, 2, 1))


@pytest.mark.parametrize(
    ("name", "timeframe", "now", "until"),
    [
        (None, "1m", at(2024, 1, 10, 16, 12, 59), at(2024, 1, 10, 16, 12)),
        (None, "1h", at(2024, 1, 10, 16, 12), at(2024, 1, 10, 15, 15)),
        (None, "1d", at(2024, 1, 10, 23), at(2024, 1, 10)),
        ("XNYS", "1d", at(2024, 1, 10, 20, 59), at(2024, 1, 10)),
        ("XNYS", "1d", at(2024, 1, 10, 21), at(2024, 1, 11)),
        ("XNYS", "1d", at(2024, 1, 13, 12), at(2024, 1, 13)),
        ("XNYS", "1w", at(2024, 1, 12, 20, 59), at(2024, 1, 8)),
        ("XNYS", "1w", at(2024, 1, 12, 21), at(2024, 1, 15)),
        ("XNYS", "1h", at(2024, 1, 10, 20, 45), at(2024, 1, 10, 20)),
        ("XNYS", "1h", at(2024, 1, 10, 21), at(2024, 1, 10, 20, 15)),
        ("XNYS", "1h", at(2024, 1, 10, 21, 30), at(2024, 1, 10, 20, 45)),
        ("fx", "1d", at(2024, 1, 10, 22), at(2024, 1, 11)),
        ("24/7", "1d", at(2024, 1, 10, 23, 59), at(2024, 1, 10)),
    ],
)
def test_trap_16_what_opens_before_this_moment_is_over(
    name: str | None, timeframe: str, now: datetime, until: datetime
) -> None:
    """An hour that began at 20:30 is over at 21:30, although the session closes at 21:00: some go on."""
    calendar: TradingCalendar | None = open_calendar(name) if name else None
    assert finished_until(now, timeframe, calendar) == until


def test_trading_hours_are_those_of_the_session_and_extended_ones_lie_around_it() -> None:
    day = bars_at(steady(at(2024, 1, 3), 48, "30m"))
    calendar = open_calendar("XNYS")
    regular = within_hours(day, "30m", calendar, "regular")["time"]
    extended = within_hours(day, "30m", calendar, "extended")["time"]
    assert (regular[0], regular[-1], len(regular)) == (at(2024, 1, 3, 14, 30), at(2024, 1, 3, 20, 30), 13)
    evening_before = [at(2024, 1, 3), at(2024, 1, 3, 0, 30)]
    assert extended.to_list() == [*evening_before, *steady(at(2024, 1, 3, 9), 30, "30m")]
    assert within_hours(day[:0], "30m", calendar, "regular").is_empty()


def test_trading_hours_leave_a_lunch_break_out() -> None:
    day = bars_at(steady(at(2024, 1, 3), 24, "1h"))
    kept = within_hours(day, "1h", open_calendar("XHKG"), "regular")["time"].dt.hour().to_list()
    assert kept == [2, 3, 5, 6, 7]


@pytest.mark.parametrize(
    ("name", "timeframe", "hours", "words"),
    [("XNYS", "1d", "regular", "1d bars have no hours"), ("XLON", "1h", "extended", "are not known")],
)
def test_hours_that_make_no_sense_are_refused(name: str, timeframe: str, hours: str, words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        within_hours(bars_at([]), timeframe, open_calendar(name), hours)  # type: ignore[arg-type]
