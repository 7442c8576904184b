"""Which bars a market's calendar expects."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import TradingCalendar, segments
from ktrdr.market_data.intervals import Interval

WEEK = timedelta(days=7)
MOMENT = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BY_DAY = frozenset({"1d", "1w"})


@dataclass(frozen=True, slots=True)
class Grid:
    """Where bars within a day begin: in steps of their timeframe from an origin.

    `trading`: from each open of trading, also after a break. `session`: from `shift`, which is not above 0,
    after the open of a session, whatever breaks it has. `clock`: from `shift` after midnight UTC. The first
    bar of the last two may begin before trading does; if it `is_cut`, it begins with trading.
    """

    anchor: Literal["trading", "session", "clock"] = "trading"
    shift: timedelta = timedelta()
    is_cut: bool = False

    def begin(self, moment: str, length: timedelta) -> pl.Expr:
        """Return when the bars begin that trading at `moment`, a column beside `start` and `open`, is in."""
        origins = {"trading": pl.col("start"), "session": pl.col("open"), "clock": pl.lit(EPOCH)}
        passed = (pl.col(moment) - origins[self.anchor] - self.shift).dt.total_microseconds()
        begun = pl.col(moment) - pl.duration(microseconds=passed % (length // MOMENT))
        return pl.max_horizontal(begun, "start") if self.is_cut else begun


BY_TRADING = Grid()


def expected_opens(
    calendar: TradingCalendar, timeframe: str, within: Interval, grid: Grid = BY_TRADING
) -> pl.Series:
    """Return the times [n] at which the calendar expects bars to open in an interval, in order.

    1d: the session dates; 1w: the Mondays of weeks with a session; below a day: as the grid says, the last
    one before a close or a break cut short by it.
    """
    return expected_bars(calendar, timeframe, within, grid)["time"].unique(maintain_order=True)


def expected_bars(
    calendar: TradingCalendar, timeframe: str, within: Interval, grid: Grid = BY_TRADING
) -> pl.DataFrame:
    """Return the bars expected to open in an interval: `time`, and the `date` of their session.

    Below a day also `start`, when this stretch of trading began, and `open`, when its session did. A bar
    that two stretches of trading are in is there for both.
    """
    sessions = calendar.around(within.start.date(), within.end.date(), WEEK)
    if timeframe in BY_DAY:
        day = pl.col("date").dt.truncate(timeframe).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        bars = sessions.select("date", time=day).unique("time", keep="first", maintain_order=True)
    else:
        bars = _steps(_parts(sessions), timedelta(seconds=TIMEFRAME_SECONDS[timeframe]), grid)
    return bars.filter((pl.col("time") >= within.start) & (pl.col("time") < within.end))


def _parts(sessions: pl.DataFrame) -> pl.DataFrame:
    return segments(sessions).join(sessions.select("date", "open"), on="date", maintain_order="left")


def _steps(parts: pl.DataFrame, length: timedelta, grid: Grid) -> pl.DataFrame:
    from_origin = Grid(grid.anchor, grid.shift).begin("start", length)
    steps = pl.datetime_ranges(from_origin, "end", interval=length, closed="left")
    bars = parts.with_columns(time=steps).explode("time").drop("end")
    if grid.is_cut:
        return bars.with_columns(time=pl.max_horizontal("time", "start"))
    return bars


def best_expected(
    times: pl.Series, calendar: TradingCalendar, timeframe: str, asked: Interval | None = None
) -> pl.Series:
    """Return what is expected in an interval, or from the first to the last of some times [n].

    Bars are expected on the grid that most of the times agree with.
    """
    return expected_opens(calendar, timeframe, asked or _span(times), grid_of(times, calendar, timeframe))


def grid_of(times: pl.Series, calendar: TradingCalendar, timeframe: str) -> Grid:
    """Return the grid that most of some times [n], n > 0, agree with; the plainest of several."""
    if timeframe in BY_DAY or _agreeing(BY_TRADING, times, calendar, timeframe) == len(times):
        return BY_TRADING
    grids = (BY_TRADING, *_seen(times, calendar, timeframe))
    return max(grids, key=lambda grid: _agreeing(grid, times, calendar, timeframe))


def _agreeing(grid: Grid, times: pl.Series, calendar: TradingCalendar, timeframe: str) -> int:
    expected = expected_opens(calendar, timeframe, _span(times), grid)
    return int(times.is_in(expected.implode()).sum())


def _seen(times: pl.Series, calendar: TradingCalendar, timeframe: str) -> list[Grid]:
    """Return the grids on which most bars lie; those that begin with trading may do so on any."""
    parts = _parts(calendar.around(times[0].date(), times[-1].date(), WEEK))
    inside = pl.DataFrame({"time": times}).filter(~pl.col("time").is_in(parts["start"].implode()))
    beside = inside.join_asof(parts, left_on="time", right_on="open", strategy="nearest")
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    by_session = _commonest(beside, pl.col("open"), length)
    before_open = by_session - length if by_session else by_session
    by_clock = _commonest(beside, pl.lit(EPOCH), length)
    return [
        Grid("session", before_open),
        Grid("session", before_open, is_cut=True),
        Grid("clock", by_clock),
        Grid("clock", by_clock, is_cut=True),
    ]


def _commonest(beside: pl.DataFrame, origin: pl.Expr, length: timedelta) -> timedelta:
    """Return how long after whole steps from an origin most bars open; the shortest of several."""
    passed = (pl.col("time") - origin).dt.total_microseconds() % (length // MOMENT)
    shortest = beside.select(passed.mode().min()).item()
    return timedelta(microseconds=shortest or 0)


def _span(times: pl.Series) -> Interval:
    return Interval(times[0], times[-1] + MOMENT)
