"""Bars put into the store of a ktrdr under test, without loading them."""

from datetime import UTC, datetime, timedelta

import polars as pl

from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.settings import Settings

SAMPLE_TERMS = Terms("split_dividend", "XNYS")


def store_sample(settings: Settings, symbol: str = "AAPL", *, without: tuple[str, ...] = ()) -> pl.DataFrame:
    """Put a symbol's daily bars into the store as the sample's, some days left out, and return them."""
    whole = load_sample(symbol)
    bars = whole.filter(~pl.col("time").dt.to_string("%Y-%m-%d").is_in(without))
    store_bars(settings, Series("sample", symbol, "1d"), bars, SAMPLE_TERMS)
    return bars


def store_bars(settings: Settings, series: Series, bars: pl.DataFrame, terms: Terms = SAMPLE_TERMS) -> None:
    """Put bars into the store."""
    BarStore(settings.data_dir).replace(series, [bars], terms)


def some_bars(
    count: int, timeframe: str = "1m", first: datetime = datetime(2020, 1, 30, tzinfo=UTC)
) -> pl.DataFrame:
    """Return bars without a pause, each price of its own, every third volume unknown."""
    step = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    rows = [
        (first + number * step, 1.5 + number, 2.5 + number, 0.5 + number, 2.0 + number, float(number))
        for number in range(count)
    ]
    bars = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return bars.with_columns(volume=pl.when(pl.col("volume") % 3 != 0).then(pl.col("volume")))
