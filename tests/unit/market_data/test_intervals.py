"""Sets of moments behave as sets of the single moments would."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrdr.market_data.intervals import Interval, Intervals

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
LAST = 30


def interval(start: int, end: int) -> Interval:
    return Interval(ORIGIN + timedelta(hours=start), ORIGIN + timedelta(hours=end))


def hours(intervals: Intervals) -> set[int]:
    return {
        hour
        for hour in range(LAST + 1)
        for each in intervals
        if each.start <= ORIGIN + timedelta(hours=hour) < each.end
    }


pairs = st.tuples(st.integers(0, LAST - 1), st.integers(1, 8)).map(
    lambda pair: interval(pair[0], min(pair[0] + pair[1], LAST))
)
several = st.lists(pairs, max_size=6).map(Intervals)


@given(several, several)
def test_union_and_difference_are_those_of_the_moments(one: Intervals, other: Intervals) -> None:
    assert hours(one.union(other)) == hours(one) | hours(other)
    assert hours(one.subtract(other)) == hours(one) - hours(other)


@given(several, several)
def test_equal_moments_are_equal_sets_in_order_and_apart(one: Intervals, other: Intervals) -> None:
    assert (one == other) == (hours(one) == hours(other))
    parts = list(one.union(other))
    assert all(left.end < right.start for left, right in pairwise(parts))


@given(several)
def test_what_is_written_is_read(one: Intervals) -> None:
    assert Intervals.from_json(one.to_json()) == one
    assert hash(Intervals.from_json(one.to_json())) == hash(one)


def test_nonsense_is_no_interval() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Intervals.from_json([["nonsense", "2024-01-01"]])
    assert repr(Intervals()) == "Intervals([])"
    assert Intervals() != 3
