"""A year out of 10 million 1-minute bars: read from the store, to bare Polars on the same files.

The store also checks the sha256 of every byte it hands out; bare Polars reads the files of that year and
keeps the asked moments. The last line says how many of the files a year's read opens.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.measure import Line, interleaved, print_table, ratios, seconds
from benchmarks.walk import random_walk
from ktrdr.market_data.bar_files import inside, overlaps
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

BARS, RUNS = 10_000_000, 15
SERIES = Series("import", "WALK", "1m")


def lines() -> Iterator[Line]:
    """Measure and yield the lines."""
    with tempfile.TemporaryDirectory() as folder:
        store = BarStore(Path(folder))
        store.replace(SERIES, [random_walk(BARS)])
        files = store.meta(SERIES).files
        first = min(each.first for each in files.values())
        year = Interval(
            datetime(first.year + 5, 1, 1, tzinfo=UTC), datetime(first.year + 6, 1, 1, tzinfo=UTC)
        )
        touched = [name for name, file in files.items() if overlaps(file, year)]
        paths = [path for path in Path(folder).rglob("*.parquet") if path.name in touched]
        bare = lambda: pl.read_parquet(sorted(paths)).filter(inside(year))  # noqa: E731
        assert store.read(SERIES, year).equals(bare())
        read, plain = interleaved(
            RUNS, lambda: seconds(lambda: store.read(SERIES, year)), lambda: seconds(bare)
        )
        yield Line("A year read from the store to bare Polars", ratios(read, plain), at_most=1.3)
        yield Line("The baseline: bare Polars reads the year in", [each * 1000 for each in plain], "ms")
        yield Line("Files opened of all", [len(touched) / len(files)])


if __name__ == "__main__":
    print_table("Range reads", lines())
