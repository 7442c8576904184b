"""The day that a daily or weekly bar is of: as it is written, or that of the session a moment is in."""

from datetime import date, datetime

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.expected import WEEK
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.importing.asking import ask_for_zone
from ktrdr.market_data.importing.values.wall_times import WallTimes

SUNDAY = 7


class SessionDays:
    """Turns the times of daily and weekly bars into dates, a column [n] after the other.

    `moved` is how many weekly bars were dated on another day than the Monday that stands for their week. What
    cannot be decided is remembered, so that the whole file is known when `finish` tells it.
    """

    def __init__(self, column: str, options: ImportOptions) -> None:
        self.moved = 0
        self._column = column
        self._options = options
        self._is_weekly = options.timeframe == "1w"
        self._only_dates = True
        self._zoneless = False
        self._of_two_days: datetime | None = None
        self._sunday: date | None = None

    def read(self, found: WallTimes, zone: str | None) -> pl.Series:
        """Return midnight UTC of each date [n]; `zone` is where times are from that carry no offset.

        A moment is of the session that contains it. Where none does, its date is that in the zone that was
        given, else as it is written if that is midnight, else that in the zone of the calendar.
        """
        wall, offset = found.wall, found.offset
        is_midnight = (wall == wall.dt.truncate("1d")).fill_null(True)
        if offset.null_count() < len(offset):
            self._only_dates = False
            days = self._of_moments((wall - offset).dt.replace_time_zone("UTC"), wall, is_midnight)
        else:
            days = self._of_walls(wall, is_midnight, zone)
        if self._is_weekly:
            days = self._mondays(days)
        return days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")

    def finish(self) -> None:
        """Raise DataInvalid for times that could be of two days, and for a zone that nothing needs."""
        if self._zoneless:
            raise ask_for_zone(self._options)
        if self._of_two_days is not None:
            raise DataInvalid(
                f"column `{self._column}` has moments such as {self._of_two_days:%Y-%m-%d %H:%M} UTC, "
                "which do not say of which day a bar is",
                hint="name the calendar, as --calendar XASX, or the zone of the days, as --tz Asia/Tokyo",
            )
        if self._sunday is not None:
            raise DataInvalid(
                f"weekly bars are dated on Sundays, as {self._sunday}, which may begin or end their weeks",
                hint="write the date of each week's Monday",
            )
        if self._only_dates and self._options.tz is not None:
            words = "daily and weekly bars carry a date, which has no zone"
            raise DataInvalid(words, hint="leave --tz out")

    def _of_walls(self, wall: pl.Series, is_midnight: pl.Series, zone: str | None) -> pl.Series:
        self._only_dates &= bool(is_midnight.all())
        if self._only_dates or zone is None:
            self._zoneless |= not self._only_dates
            return wall.dt.date()
        zoned = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        return self._of_moments(zoned.dt.convert_time_zone("UTC"), wall, is_midnight)

    def _of_moments(self, moments: pl.Series, wall: pl.Series, is_midnight: pl.Series) -> pl.Series:
        calendar, tz = self._options.calendar, self._options.tz
        written, zone = wall.dt.date(), tz or (calendar.zone if calendar else None)
        if zone is None and self._of_two_days is None:
            self._of_two_days = next(iter(moments.filter(~is_midnight)), None)
        local = moments.dt.convert_time_zone(zone).dt.date() if zone else written
        free = local if tz else written.zip_with(is_midnight, local)
        return free if calendar is None else _containing(moments, calendar).fill_null(free)

    def _mondays(self, days: pl.Series) -> pl.Series:
        weekday = days.dt.weekday()
        self._sunday = self._sunday or next(iter(days.filter(weekday == SUNDAY)), None)
        self.moved += int((weekday != 1).sum())
        return days.dt.truncate("1w")


def _containing(moments: pl.Series, calendar: TradingCalendar) -> pl.Series:
    """Return the dates [n] of the sessions that contain moments [n], null for those in none."""
    asked = moments.alias("at").drop_nulls().unique().sort()
    if asked.is_empty():
        return pl.Series([None], dtype=pl.Date).new_from_index(0, len(moments))
    sessions = _sessions(calendar, asked[0].date(), asked[-1].date())
    begun = asked.to_frame().join_asof(sessions, left_on="at", right_on="open")
    dated = begun.select("at", pl.when(pl.col("at") < pl.col("close")).then("date").alias("date"))
    return moments.alias("at").to_frame().join(dated, on="at", how="left", maintain_order="left")["date"]


def _sessions(calendar: TradingCalendar, first: date, last: date) -> pl.DataFrame:
    try:
        found = calendar.around(first, last, WEEK)
    except DataInvalid:  # dates that it does not reach are in no session
        found = calendar.sessions(calendar.known_until, calendar.known_until)
    return found.select("date", "open", "close")
