"""Bars for use: of a series that is stored, with what vouches for them."""

import hashlib
from dataclasses import dataclass
from datetime import date

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import day_range
from ktrdr.market_data.holes import with_missed
from ktrdr.market_data.ingest import check_bars
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore


@dataclass(frozen=True, slots=True)
class LoadedBars:
    """Bars with `missed` beside them, where they came from, and a sha256 over their values."""

    bars: pl.DataFrame
    provider: str
    adjustment: str
    fingerprint: str


def read_bars(store: BarStore, series: Series, start: date | None, end: date | None) -> LoadedBars:
    """Return the stored bars of an inclusive range of dates.

    Raises NotFound for a series that is not stored, DataInvalid, naming what there is, for an empty range.
    """
    meta = store.meta(series)
    bars = store.read(series, day_range(start, end))
    if bars.is_empty():
        there = f"`{series.provider}` has none"
        if meta.first and meta.last:
            first, last = f"{meta.first:%Y-%m-%d}", f"{meta.last:%Y-%m-%d}"
            there = f"there are {meta.rows:,}: --start-date {first} --end-date {last}"
        raise DataInvalid(f"no {series.symbol} {series.timeframe} bars from {start} to {end}", hint=there)
    check_bars(bars)
    known = with_missed(bars, series.timeframe, meta.holes)
    return LoadedBars(known, series.provider, meta.terms.adjustment, _fingerprint(known))


def _fingerprint(bars: pl.DataFrame) -> str:
    """Return the digest of all values; what is missing belongs to it, since labels depend on that."""
    digest = hashlib.sha256()
    for column in bars.iter_columns():
        digest.update(column.to_physical().to_numpy().tobytes())
    return digest.hexdigest()
