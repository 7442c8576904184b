"""How whole a series is: what its calendar expects, what is there, and what looks wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.expected import best_expected
from ktrdr.market_data.gaps import Gap, GapKind, count_by_kind, find_gaps
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.jumps import Jump, find_jumps

LISTED = 1000


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Counts of bars, and what needs a calendar, which is None without one.

    Bars `expected`, those of them `present` and `missing`, bars `outside` of what is expected, `coverage` =
    present / expected, pauses between bars by kind, and the first thousand `unexpected` ones. Of those
    outside `flat_outside` have one price, as fillers have where nothing was traded.
    """

    bars: int
    first: datetime
    last: datetime
    jumps: tuple[Jump, ...]
    calendar: str | None = None
    expected: int | None = None
    present: int | None = None
    missing: int | None = None
    outside: int | None = None
    coverage: float | None = None
    gaps: Mapping[GapKind, int] | None = None
    unexpected: tuple[Gap, ...] = ()
    flat_outside: int | None = None


def quality_report(
    bars: pl.DataFrame, timeframe: str, calendar: TradingCalendar | None, asked: Interval | None = None
) -> QualityReport:
    """Return the report on bars in order of time; `volume` is not looked at.

    Bars are expected in the interval that is asked, else from the first to the last.

    Raises DataInvalid for no bars, and for dates that the calendar does not reach.
    """
    if bars.is_empty():
        raise DataInvalid("there are no bars to look at")
    times = bars["time"]
    jumps = find_jumps(bars)
    if calendar is None:
        return QualityReport(len(times), times[0], times[-1], jumps)
    expected = best_expected(times, calendar, timeframe, asked)
    is_present = times.is_in(expected.implode())
    present = int(is_present.sum())
    gaps = find_gaps(times, timeframe, calendar, expected)
    return QualityReport(
        bars=len(times),
        first=times[0],
        last=times[-1],
        jumps=jumps,
        calendar=calendar.name,
        expected=len(expected),
        present=present,
        missing=len(expected) - present,
        outside=len(times) - present,
        flat_outside=int((~is_present & (bars["high"] == bars["low"])).sum()),
        coverage=present / len(expected) if len(expected) else None,
        gaps=count_by_kind(gaps),
        unexpected=tuple(
            Gap(*row) for row in gaps.filter(pl.col("kind") == "unexpected").head(LISTED).iter_rows()
        ),
    )
