"""Text as wall times and offsets: which way of writing a file has is learned from its first times."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from ktrdr.market_data.importing.values.given_times import GivenTimes, is_zone
from ktrdr.market_data.importing.values.time_layouts import OFFSETS, is_day_or_month, layout_of
from ktrdr.market_data.importing.values.wall_times import WallTimes
from ktrdr.market_data.importing.writing import Undecided

WHOLE, FRACTION = "%H:%M:%S", "%H:%M:%S%.f"
UNIX = "seconds since 1970"
SAMPLE = 100
OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
NAMED_OFFSET = r"[\dAPMapm.]\s?([A-Z]{3,4})$"
AFTER_NAME = r"\s?(?:UTC|GMT)([+-]\d{2}(?::?\d{2})?)$"
HOURS_ONLY = r"(:\d{2}(?:\.\d+)?\s?[+-]\d{2})$"
YEAR_LAST = r"^\d{1,2}-(?:\d{1,2}|[A-Za-z]{3,9})-\d{4}$"
ZONE = re.compile(r"\s([A-Za-z_]+/[A-Za-z0-9_/+-]+|EST5EDT|CST6CDT)$")
UNIX_DIGITS = r"^\d{9,19}(?:\.\d+)?$"
UNIX_UNITS = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))


@dataclass(frozen=True, slots=True)
class _Direct:
    """A layout together with the offset that all times of a column end with."""

    layout: str
    offset: timedelta | None


def zero_offset(wall: pl.Series) -> pl.Series:
    """Return no distance from UTC for every time that is one."""
    return pl.select(pl.when(wall.is_not_null()).then(pl.duration(minutes=0))).to_series()


class TimeText:
    """Reads columns of text, each written in the layout that is given, else as most of the first one.

    `is_day_first` tells what 1/2/2024 is; without it such times raise Undecided.
    """

    def __init__(self, given: str | None = None, *, is_day_first: bool | None = None) -> None:
        self._given = None if given is None else GivenTimes(given)
        self._is_day_first = is_day_first
        self._layout: str | None = None
        self._direct: _Direct | None = None
        self._zone: str | None = None

    def read(self, written: pl.Series) -> WallTimes:
        """Return the times; what is written in another way than the rest is none."""
        if self._given is not None:
            return self._given.read(written)
        if self._direct is None:
            self._read(written.head(SAMPLE).str.strip_chars())
        if self._direct is not None:
            quick = _parsed(written, self._direct.layout)
            if not quick.null_count():
                return WallTimes(quick, _constant(self._direct.offset, len(written)))
        return self._read(written.str.strip_chars())

    def _read(self, text: pl.Series) -> WallTimes:
        if text.str.contains(r"\s\s|\t").any():
            text = text.str.replace_all(r"\s+", " ")
        text = self._without_zone(_with_plain_offsets(text))
        has_offset = text.str.contains(OFFSET) & ~text.str.contains(YEAR_LAST)
        bare = text.to_frame("text").select(_bare(pl.col("text"), has_offset)).to_series()
        wall = self._wall(bare)
        if self._layout == UNIX:
            return WallTimes(wall, zero_offset(wall))
        offset = text.to_frame("text").select(_offset(pl.col("text"), has_offset)).to_series()
        self._direct = self._learned(text, wall, offset)
        return WallTimes(wall, offset, self._zone)

    def _without_zone(self, text: pl.Series) -> pl.Series:
        """Return times without the zone that the first one names; one that names another is none."""
        if self._layout is None and self._zone is None:
            named = ZONE.search(next(iter(text.drop_nulls().head(1)), ""))
            self._zone = named.group(1) if named and is_zone(named.group(1)) else None
        if self._zone is None:
            return text
        name = pl.col("text")
        cut = pl.when(name.str.ends_with(f" {self._zone}")).then(name.str.strip_suffix(f" {self._zone}"))
        return text.to_frame("text").select(cut).to_series()

    def _wall(self, bare: pl.Series) -> pl.Series:
        layout = self._layout or self._found(bare.drop_nulls().head(SAMPLE))
        if layout is None:
            return pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(bare))
        best = max((_parsed(bare, each) for each in _alike(layout)), key=pl.Series.count)
        if best.count():
            self._layout = layout
        return best

    def _found(self, sample: pl.Series) -> str | None:
        """Return the layout most of the first times have; raises Undecided if it has days and months."""
        layouts = [layout_of(each, is_day_first=self._is_day_first) for each in sample]
        counted = Counter(each for each in layouts if each is not None)
        unix = _unix(sample).count()
        for layout, count in counted.most_common():
            if is_day_or_month(layout) and self._is_day_first is None:
                raise Undecided
            if count >= unix and _parsed(sample, layout).count():
                return layout
        return UNIX if unix else None

    def _learned(self, text: pl.Series, wall: pl.Series, offset: pl.Series) -> _Direct | None:
        first = wall.is_not_null().arg_max()
        if self._layout is None or self._zone is not None or first is None or wall[first] is None:
            return None
        value: str = text[first]
        suffix = re.search(OFFSET, value) if offset[first] is not None else None
        between = "T" if "T" in value else " "
        layout = self._layout.replace(" ", between) + (suffix.group() if suffix else "")
        return _Direct(layout, offset[first])


def _with_plain_offsets(text: pl.Series) -> pl.Series:
    """Return times whose offsets are written as +01:00, where they are as EST, GMT+0100 or +01."""
    plain = pl.col("text").str.replace(AFTER_NAME, "$1").str.replace(HOURS_ONLY, "${1}:00")
    named = (
        pl.col("text").str.extract(NAMED_OFFSET).replace_strict(OFFSETS, default=None, return_dtype=pl.String)
    )
    without = pl.col("text").str.replace(r"\s?[A-Z]{3,4}$", "")
    told = pl.when(named.is_null()).then(plain).otherwise(without + named)
    return text.to_frame("text").select(told).to_series()


def _alike(layout: str) -> tuple[str, ...]:
    """Return a layout and what it may be in other lines: only some seconds may have a fraction."""
    if WHOLE not in layout:
        return (layout,)
    whole = layout.replace(FRACTION, WHOLE)
    return (whole, whole.replace(WHOLE, FRACTION))


def _parsed(bare: pl.Series, layout: str) -> pl.Series:
    if layout == UNIX:
        return _unix(bare)
    return bare.str.to_datetime(layout, time_unit="us", strict=False, cache=False)


def _unix(bare: pl.Series) -> pl.Series:
    """Return times since 1970; the size of a number tells s, ms, µs and ns apart."""
    text = pl.col("text")
    number = (
        pl.when(text.str.contains(UNIX_DIGITS)).then(text.str.extract(r"^(\d+)")).cast(pl.Int64, strict=False)
    )
    fraction = text.str.extract(r"(\.\d+)$").cast(pl.Float64, strict=False).fill_null(0.0)
    microseconds = number // 1000
    for below, factor in reversed(UNIX_UNITS):
        parts = (fraction * factor).round().cast(pl.Int64)
        microseconds = pl.when(number < below).then(number * factor + parts).otherwise(microseconds)
    return bare.to_frame("text").select(microseconds.cast(pl.Datetime("us"))).to_series()


def _bare(text: pl.Expr, has_offset: pl.Series) -> pl.Expr:
    wall = pl.when(has_offset).then(text.str.replace(OFFSET, "")).otherwise(text)
    return wall.str.replace(r"(\d)T(\d)", "$1 $2").str.strip_chars()


def _offset(text: pl.Expr, has_offset: pl.Series) -> pl.Expr:
    """Return the offset from UTC as a duration, null where none is written."""
    hours, minutes = (
        text.str.extract(r"[+-](\d{2}):?(\d{2})$", group).cast(pl.Int64).fill_null(0) for group in (1, 2)
    )
    sign = pl.when(text.str.contains(r"-\d{2}:?\d{2}$")).then(-1).otherwise(1)
    length = pl.duration(minutes=sign * (hours * 60 + minutes))
    return pl.when(has_offset).then(length)


def _constant(offset: timedelta | None, count: int) -> pl.Series:
    return pl.Series([offset], dtype=pl.Duration("us")).new_from_index(0, count)
