"""Coarser bars are those that a person would make by hand, session by session, and only whole ones."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktrdr.errors import InputInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import segments
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import expected_opens
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.resample import resample
from ktrdr.market_data.sample import load_sample
from support.synthetic_bars import bars_at

Row = tuple[datetime, float, float, float, float, float | None]


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type,misc]


def finer(name: str, timeframe: str, first: datetime, last: datetime) -> pl.DataFrame:
    return bars_at(expected_opens(open_calendar(name), timeframe, Interval(first, last)).to_list())


CASES = {
    "New York, minutes to hours": ("XNYS", "5m", "1h", at(2024, 3, 7), at(2024, 3, 14)),
    "New York, hours to four": ("XNYS", "1h", "4h", at(2024, 3, 7), at(2024, 3, 20)),
    "New York, half an hour to days": ("XNYS", "30m", "1d", at(2024, 11, 25), at(2024, 12, 5)),
    "Hong Kong, over its lunch": ("XHKG", "15m", "1h", at(2024, 2, 6), at(2024, 2, 16)),
    "foreign exchange, to days": ("fx", "1h", "1d", at(2024, 3, 1), at(2024, 3, 20)),
    "foreign exchange, to weeks": ("fx", "4h", "1w", at(2024, 3, 1), at(2024, 4, 20)),
    "always, to days": ("24/7", "4h", "1d", at(2024, 3, 1), at(2024, 3, 20)),
    "New York, days to weeks": ("XNYS", "1d", "1w", at(2023, 12, 1), at(2024, 2, 20)),
}


@cache
def buckets(case: str) -> dict[datetime, datetime]:
    """Return when the coarser bar opens that each expected finer one belongs to, session by session."""
    name, source, target, first, last = CASES[case]
    around = Interval(first - timedelta(days=14), last + timedelta(days=14))
    sessions = open_calendar(name).sessions(around.start.date(), around.end.date())
    expected = expected_opens(open_calendar(name), source, around).to_list()
    found = {}
    for day, start, end in segments(sessions).rows():
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for when in expected:
            if when.date() == day if source == "1d" else start <= when < end:
                step = timedelta(seconds=TIMEFRAME_SECONDS[target])
                week = midnight - timedelta(days=day.weekday())
                found[when] = {"1d": midnight, "1w": week}.get(target, start + (when - start) // step * step)
    return found


def by_hand(bars: pl.DataFrame, case: str) -> Iterator[Row]:
    """Yield the coarser bars whose finer ones are all there."""
    place = buckets(case)
    wanted = Counter(place.values())
    for bucket, group in groupby(bars.rows(), key=lambda row: place[row[0]]):
        members = list(group)
        if len(members) == wanted[bucket]:
            opens, highs, lows, closes, volumes = list(zip(*members, strict=True))[1:]
            yield bucket, opens[0], max(highs), min(lows), closes[-1], sum(volumes)


@pytest.mark.parametrize("case", CASES)
def test_coarser_bars_are_those_made_by_hand(case: str) -> None:
    name, source, target, first, last = CASES[case]
    bars = finer(name, source, first, last)
    made = resample(bars, source, target, open_calendar(name))
    assert made.bars.rows() == list(by_hand(bars, case))
    assert made.bars.schema == pl.Schema(SCHEMA)
    assert made.bars.height > 3


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_bar_that_misses_a_finer_one_is_left_out_and_counted(case: str, data: st.DataObject) -> None:
    name, source, target, first, last = CASES[case]
    bars = finer(name, source, first, last)
    gone = data.draw(st.sets(st.integers(0, bars.height - 1), max_size=4))
    kept = bars.filter(~pl.Series([number in gone for number in range(bars.height)]))
    made = resample(kept, source, target, open_calendar(name))
    assert made.bars.rows() == list(by_hand(kept, case))


@pytest.mark.parametrize("case", CASES)
def test_later_bars_change_nothing_of_earlier_ones(case: str) -> None:
    """Whatever the prefix, its whole bars are those of the full input."""
    name, source, target, first, last = CASES[case]
    bars = finer(name, source, first, last)
    full = resample(bars, source, target, open_calendar(name)).bars
    for length in (1, bars.height // 3, bars.height // 2, bars.height - 1):
        some = resample(bars[:length], source, target, open_calendar(name)).bars
        assert some.equals(full[: some.height])


def test_in_two_steps_it_is_the_same_as_in_one() -> None:
    calendar = open_calendar("XNYS")
    minutes = finer("XNYS", "1m", at(2024, 3, 7), at(2024, 3, 13))
    fives = resample(minutes, "1m", "5m", calendar).bars
    assert resample(fives, "5m", "1h", calendar).bars.equals(resample(minutes, "1m", "1h", calendar).bars)
    hours = resample(minutes, "1m", "1h", calendar).bars
    assert resample(hours, "1h", "1d", calendar).bars.equals(resample(minutes, "1m", "1d", calendar).bars)


def test_what_is_traded_outside_of_sessions_does_not_count() -> None:
    calendar = open_calendar("XNYS")
    inside = finer("XNYS", "30m", at(2024, 3, 7), at(2024, 3, 9))
    early = bars_at([at(2024, 3, 7, 9), at(2024, 3, 7, 12), at(2024, 3, 8, 22)])
    made = resample(pl.concat([inside, early]).sort("time"), "30m", "1d", calendar).bars
    assert made.equals(resample(inside, "30m", "1d", calendar).bars)


def test_hours_of_the_full_clock_belong_to_the_session_they_reach_into() -> None:
    """14:00 of a market that opens at 14:30 is its first hour."""
    hours = bars_at([at(2024, 1, day, hour) for day in (3, 4) for hour in range(14, 21)])
    made = resample(hours, "1h", "1d", open_calendar("XNYS")).bars
    assert made["time"].to_list() == [at(2024, 1, 3), at(2024, 1, 4)]
    assert made["open"].to_list() == [hours["open"][0], hours["open"][7]]


def test_an_unknown_volume_stays_unknown() -> None:
    bars = finer("24/7", "4h", at(2024, 1, 1), at(2024, 1, 3))
    holed = bars.with_columns(volume=pl.Series([None, *bars["volume"][1:]], dtype=pl.Float64))
    assert resample(holed, "4h", "1d", open_calendar("24/7")).bars["volume"].is_null().to_list() == [
        True,
        False,
    ]


def test_real_days_make_real_weeks() -> None:
    weeks = resample(load_sample("AAPL"), "1d", "1w", open_calendar("XNYS"))
    assert weeks.incomplete == 1
    assert (weeks.bars["time"][0], weeks.bars["time"].dt.weekday().unique().to_list()) == (
        at(2000, 3, 6),
        [1],
    )


@pytest.mark.parametrize(("source", "target"), [("1h", "1h"), ("1d", "1h"), ("1w", "1d")])
def test_finer_bars_cannot_be_made(source: str, target: str) -> None:
    with pytest.raises(InputInvalid, match=f"{target} bars cannot be made of {source} bars"):
        resample(load_sample("AAPL"), source, target, open_calendar("XNYS"))
    assert resample(load_sample("AAPL")[:0], "1d", "1w", open_calendar("XNYS")).bars.is_empty()
