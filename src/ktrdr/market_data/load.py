"""Bars for a training: from the store if they were imported, else from the sample."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import describe_range, in_range
from ktrdr.market_data.ingest import check_bars
from ktrdr.market_data.sample import PROVIDER, TIMEFRAME, load_sample, sample_symbols
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

IMPORTED = "import"


@dataclass(frozen=True, slots=True)
class LoadedBars:
    """Bars, where they came from, and a sha256 over their values."""

    bars: pl.DataFrame
    provider: str
    adjustment: str
    fingerprint: str


def load_bars(
    folder: Path, symbol: str, timeframe: str, start: date | None = None, end: date | None = None
) -> LoadedBars:
    """Return the bars of an inclusive range of dates; imported bars win over the sample.

    Raises DataInvalid, naming what there is, if the symbol is unknown or the range is empty.
    """
    store = BarStore(folder)
    series = Series(IMPORTED, symbol, timeframe)
    if store.has(series):
        whole, provider, adjustment = store.read(series), IMPORTED, "raw"
    elif timeframe == TIMEFRAME and symbol in sample_symbols():
        whole, provider, adjustment = load_sample(symbol), PROVIDER, "split_dividend"
    else:
        raise _unknown(store, symbol, timeframe)
    check_bars(whole)
    bars = in_range(whole, start, end)
    if bars.is_empty():
        there = f"there are {whole.height:,} from {describe_range(whole)}"
        raise DataInvalid(f"no {symbol} {timeframe} bars from {start} to {end}", hint=there)
    return LoadedBars(bars, provider, adjustment, _fingerprint(bars))


def _unknown(store: BarStore, symbol: str, timeframe: str) -> DataInvalid:
    known = [f"{name} {TIMEFRAME}" for name in sample_symbols()]
    known += [f"{each.series.symbol} {each.series.timeframe}" for each in store.list()]
    return DataInvalid(
        f"there are no bars of {symbol} {timeframe}",
        hint=f"there are {', '.join(known)}; import your own with `ktrdr data import FILE`",
    )


def _fingerprint(bars: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for column in bars.iter_columns():
        digest.update(column.to_physical().to_numpy().tobytes())
    return digest.hexdigest()
