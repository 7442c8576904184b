"""A CSV file of one's own as bars: what it says is taken, and nothing is guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA
from ktrdr.market_data.csv_text import LINE, Progress, read_text_table
from ktrdr.market_data.csv_times import read_times
from ktrdr.market_data.ingest import clean, raise_offenders

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "date", "datetime", "timestamp"),
    **{name: (name,) for name in PRICES},
    "volume": ("volume", "vol"),
}


@dataclass(frozen=True, slots=True)
class ImportedBars:
    """Clean bars, how many exact duplicates were dropped, and the columns nothing was taken from."""

    bars: pl.DataFrame
    duplicates: int
    ignored: tuple[str, ...]


def read_csv_bars(
    path: Path,
    timeframe: str,
    *,
    now: datetime,
    on_progress: Progress,
    columns: Mapping[str, str] | None = None,
    tz: str | None = None,
) -> ImportedBars:
    """Return the bars of a CSV file; `columns` maps time, open, high, low, close, volume to its columns.

    `tz` is the zone of intraday times that carry no offset. Raises DataInvalid with line and column.
    """
    text = read_text_table(path, on_progress)
    header = [name for name in text.columns if name != LINE]
    taken = assign_columns(header, columns or {})
    values = [_numbers(text, taken[name]).rename(name) for name in SCHEMA if name in taken and name != "time"]
    times = read_times(text, taken["time"], timeframe, tz, now)
    bars = pl.DataFrame([times, *values])
    if "volume" not in taken:
        bars = bars.with_columns(pl.lit(None, dtype=pl.Float64).alias("volume"))
    kept, duplicates = clean(bars.select(list(SCHEMA)), text[LINE])
    return ImportedBars(kept, duplicates, tuple(name for name in header if name not in taken.values()))


def assign_columns(header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return which column each field is read from: as given, else the one that is named like it."""
    known = f"the columns are {', '.join(f'`{name}`' for name in header)}"
    for column in given.values():
        if column not in header:
            raise DataInvalid(f"line 1: there is no column `{column}`", hint=known)
    taken = dict(given)
    for field, names in NAMES.items():
        if field in taken:
            continue
        found = [name for name in header if name.lower() in names and name not in given.values()]
        if len(found) > 1:
            raise DataInvalid(
                f"line 1: both `{found[0]}` and `{found[1]}` could be `{field}`", hint=_say(field)
            )
        if found:
            taken[field] = found[0]
        elif field != "volume":
            raise DataInvalid(f"line 1: no column is named `{field}`; {known}", hint=_say(field))
    return taken


def _say(field: str) -> str:
    return f"say which with --map {field}=COLUMN"


def _numbers(text: pl.DataFrame, column: str) -> pl.Series:
    written = text[column]
    numbers = written.cast(pl.Float64, strict=False)
    broken = text.filter(numbers.is_null() & (written != "")).select(LINE, column).rows()
    raise_offenders([(line, f"column `{column}`: `{value[:40]}` is not a number") for line, value in broken])
    return numbers
