"""A CSV file of one's own as bars in memory: what it says is taken, and nothing is guessed."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ktrdr.market_data.bar_import import BarImport, Progress
from ktrdr.market_data.import_options import ImportOptions, Portions

ONLY = "the bars"


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
    options = ImportOptions(timeframe, now, ONLY, columns=columns or {}, tz=tz)
    imported = BarImport(path, options, path.parent, on_progress, portions=Portions(held=sys.maxsize))
    report = imported.read()
    bars = pl.concat([frame for _, frames in imported.series() for frame in frames])
    return ImportedBars(bars, report.duplicates, report.ignored)
