"""The bars that come with ktrdr: four stocks, daily, raw with their factors."""

from importlib.resources import as_file, files

import polars as pl

from ktrdr.market_data.bars import PRICES, SCHEMA
from ktrdr.market_data.series_meta import Series, SeriesInfo, Terms
from ktrdr.strategies.bar_terms import Adjustment

TIMEFRAME = "1d"
PROVIDER = "sample"


def sample_symbols() -> tuple[str, ...]:
    """Return the symbols of the sample."""
    return tuple(_table()["symbol"].unique().sort())


def load_sample(symbol: str, adjustment: Adjustment = "split_dividend") -> pl.DataFrame:
    """Return a symbol's bars; prices are multiplied by the factor, volume divided by the split factor."""
    table = _table().filter(pl.col("symbol") == symbol)
    factor = {"raw": pl.lit(1.0), "split": pl.col("split_factor"), "split_dividend": pl.col("total_factor")}
    splits = pl.lit(1.0) if adjustment == "raw" else pl.col("split_factor")
    prices = [pl.col(name) * factor[adjustment] for name in PRICES]
    return table.with_columns(*prices, pl.col("volume") / splits).select(list(SCHEMA))


def sample_series() -> tuple[SeriesInfo, ...]:
    """Return what the sample holds, as the store does of its own."""
    found = (
        _table()
        .group_by("symbol")
        .agg(pl.len().alias("rows"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
    )
    return tuple(
        SeriesInfo(Series(PROVIDER, symbol, TIMEFRAME), Terms("split_dividend", "XNYS"), rows, first, last)
        for symbol, rows, first, last in found.sort("symbol").iter_rows()
    )


def _table() -> pl.DataFrame:
    with as_file(files("ktrdr.market_data") / "sample" / "stocks.parquet") as path:
        return pl.read_parquet(path)
