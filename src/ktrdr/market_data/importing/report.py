"""What an import tells: what a file has of each symbol, how it was understood, and what was wrong with it."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True, slots=True)
class ImportedSeries:
    """What a file has of one symbol."""

    symbol: str
    bars: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file has, how it was understood, and what was wrong with it.

    `columns` tells from which column each field is read, `ignored` are the others, `preview` the first good
    rows, `offenders` the first ten of the `refused` as text. `skipped` are lines before the header,
    `without_price` is how many rows are no bar, `unknown_volumes` how many bars have no volume.
    `remarks` are sentences that a user should read.
    """

    series: tuple[ImportedSeries, ...]
    duplicates: int
    columns: dict[str, str]
    ignored: tuple[str, ...]
    preview: pl.DataFrame
    refused: int
    offenders: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    without_price: int = 0
    unknown_volumes: int = 0
    remarks: tuple[str, ...] = ()
