"""Text as wall times and offsets: which way of writing a file has is learned from its first times."""

import re
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

LAYOUTS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y%m%d",
    "%Y%m%d %H%M%S",
    "%Y%m%d%H%M",
)
WHOLE, FRACTION = LAYOUTS[2], LAYOUTS[3]
UNIX = "seconds since 1970"
SAMPLE = 1000
OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
UNIX_DIGITS = r"^\d{9,19}(?:\.0+)?$"
UNIX_UNITS = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))


@dataclass(frozen=True, slots=True)
class WallTimes:
    """Times [n] as they are written, null where they are none, and their offsets from UTC [n]."""

    wall: pl.Series
    offset: pl.Series


@dataclass(frozen=True, slots=True)
class _Direct:
    """A layout together with the offset that all times of a column end with."""

    layout: str
    offset: timedelta | None


def zero_offset(wall: pl.Series) -> pl.Series:
    """Return no distance from UTC for every time that is one."""
    return pl.select(pl.when(wall.is_not_null()).then(pl.duration(minutes=0))).to_series()


class TimeText:
    """Reads columns of text, each written in the layout that is given, else as most of the first one."""

    def __init__(self, given: str | None = None) -> None:
        self._given = given
        self._layout: str | None = None
        self._direct: _Direct | None = None

    def read(self, written: pl.Series) -> WallTimes:
        """Return the times; what is written in another way than the rest is none."""
        if self._given is not None:
            wall = _parsed(written.str.strip_chars(), self._given)
            return WallTimes(wall, _constant(None, len(wall)))
        if self._direct is not None:
            quick = _parsed(written, self._direct.layout)
            if not quick.null_count():
                return WallTimes(quick, _constant(self._direct.offset, len(written)))
        return self._read(written.str.strip_chars())

    def _read(self, text: pl.Series) -> WallTimes:
        bare = text.str.replace(OFFSET, "").str.replace("T", " ", literal=True).str.strip_chars()
        wall = self._wall(bare)
        if self._layout == UNIX:
            return WallTimes(wall, zero_offset(wall))
        offset = text.to_frame("text").select(_offset(pl.col("text"))).to_series()
        self._direct = self._learned(text, wall, offset)
        return WallTimes(wall, offset)

    def _wall(self, bare: pl.Series) -> pl.Series:
        if self._layout is None and bare.len() > SAMPLE:
            self._wall(bare.head(SAMPLE))
        layouts = (*LAYOUTS, UNIX) if self._layout is None else self._known_layouts(self._layout)
        best = max(((_parsed(bare, each), each) for each in layouts), key=lambda each: each[0].count())
        if best[0].count():
            self._layout = best[1]
        return best[0]

    def _known_layouts(self, layout: str) -> tuple[str, ...]:
        """Return the layout; seconds may have a fraction in one line and none in the next."""
        return (WHOLE, FRACTION) if layout in {WHOLE, FRACTION} else (layout,)

    def _learned(self, text: pl.Series, wall: pl.Series, offset: pl.Series) -> _Direct | None:
        first = wall.is_not_null().arg_max()
        if self._layout is None or first is None or wall[first] is None:
            return None
        value: str = text[first]
        suffix = re.search(OFFSET, value)
        between = "T" if "T" in value else " "
        layout = self._layout.replace(" ", between) + (suffix.group() if suffix else "")
        return _Direct(layout, offset[first])


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
    microseconds = number // 1000
    for below, factor in reversed(UNIX_UNITS):
        microseconds = pl.when(number < below).then(number * factor).otherwise(microseconds)
    return bare.to_frame("text").select(microseconds.cast(pl.Datetime("us"))).to_series()


def _offset(text: pl.Expr) -> pl.Expr:
    """Return the offset from UTC as a duration, null where none is written."""
    hours, minutes = (
        text.str.extract(r"[+-](\d{2}):?(\d{2})$", group).cast(pl.Int64).fill_null(0) for group in (1, 2)
    )
    sign = pl.when(text.str.contains(r"-\d{2}:?\d{2}$")).then(-1).otherwise(1)
    length = pl.duration(minutes=sign * (hours * 60 + minutes))
    return pl.when(text.str.contains(OFFSET)).then(length)


def _constant(offset: timedelta | None, count: int) -> pl.Series:
    return pl.Series([offset], dtype=pl.Duration("us")).new_from_index(0, count)
