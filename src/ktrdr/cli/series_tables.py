"""Stored bars as lines of text: the list of series, one of them, and its bars."""

from collections.abc import Mapping, Sequence
from typing import Any

from ktrdr.cli.columns import aligned
from ktrdr.cli.figures import UNKNOWN, moment, prices, volumes
from ktrdr.cli.safe_text import safe

SERIES = ("SYMBOL", "TIMEFRAME", "BARS", "FROM", "TO", "PROVIDER", "ADJUSTMENT", "CALENDAR")
BARS = ("TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000.0


def series_lines(series: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table of series; those that are only built in say so."""
    return aligned(SERIES, map(_series_cells, series), right={"BARS"})


def bar_lines(page: Mapping[str, Any]) -> list[str]:
    """Return a headline and a table of bars, the figures of a column aligned."""
    bars = page["bars"]
    figures = _price_columns(bars)
    times = [moment(str(each["time"]), page["timeframe"]) for each in bars]
    columns = (times, *figures, volumes([each["volume"] for each in bars]))
    table = aligned(BARS, zip(*columns, strict=True), right=set(BARS[1:]))
    return [_headline(page), *table]


def _headline(page: Mapping[str, Any]) -> str:
    """Return `AAPL 1d · 20 of 3,270 bars · sample, split_dividend`."""
    shown, rows = len(page["bars"]), int(page["rows"])
    count = f"{rows:,} bars" if shown == rows else f"{shown:,} of {rows:,} bars"
    return " · ".join((title(page), count, origin(page)))


def range_lines(series: Mapping[str, Any]) -> list[str]:
    """Return what is known of a series, a line each."""
    timeframe = series["timeframe"]
    span = f", {_time(series['first'], timeframe)} to {_time(series['last'], timeframe)}"
    return [
        f"{title(series)} · {origin(series)}",
        f"  Bars      {int(series['rows']):,}{span if series['first'] else ''}",
        *_interval_lines("Covered", series["covered"], timeframe),
        *_interval_lines("No bars", series["empty"], timeframe),
        f"  Calendar  {safe(series['calendar'] or UNKNOWN)}",
        f"  Hours     {safe(series['hours'])}",
        f"  On disk   {bytes_words(int(series['bytes']))} in {_counted(int(series['files']), 'file')}",
    ]


def deleted_line(series: Mapping[str, Any]) -> str:
    """Return what was deleted, in one line."""
    return f"Deleted {title(series)} from {safe(series['provider'])}: {int(series['rows']):,} bars"


def title(series: Mapping[str, Any]) -> str:
    """Return `AAPL 1d`."""
    return f"{safe(series['symbol'])} {safe(series['timeframe'])}"


def origin(series: Mapping[str, Any]) -> str:
    """Return `sample, split_dividend`."""
    return f"{safe(series['provider'])}, {safe(series['adjustment'])}"


def bytes_words(count: int) -> str:
    """Return bytes in words: `2.4 kB`."""
    size, unit = float(count), 0
    while size >= THOUSAND and unit < len(UNITS) - 1:
        size, unit = size / THOUSAND, unit + 1
    return f"{count} B" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def _series_cells(series: Mapping[str, Any]) -> tuple[str, ...]:
    built_in = " (built in)" if series.get("built_in") else ""
    return (
        str(series["symbol"]),
        str(series["timeframe"]),
        f"{int(series['rows']):,}",
        str(series["first"])[:10],
        str(series["last"])[:10],
        f"{series['provider']}{built_in}",
        str(series.get("adjustment") or UNKNOWN),  # an older server does not say it
        str(series.get("calendar") or UNKNOWN),
    )


def _price_columns(bars: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the columns of prices, all with the same decimals."""
    names = ("open", "high", "low", "close")
    words = prices([float(each[name]) for name in names for each in bars])
    return [words[number * len(bars) : (number + 1) * len(bars)] for number in range(len(names))]


def _interval_lines(name: str, intervals: Sequence[Sequence[str]], timeframe: str) -> list[str]:
    return [
        f"  {name if not number else '':<8}  {_time(start, timeframe)} up to {_time(end, timeframe)}"
        for number, (start, end) in enumerate(intervals)
    ]


def _time(text: object, timeframe: str) -> str:
    return safe(moment(str(text), timeframe))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
