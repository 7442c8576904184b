"""A year out of 10 million 1-minute bars: read from the store, to bare Polars on the same files.

The store also checks the sha256 of every byte it hands out; bare Polars reads the files of that year and
keeps the asked moments. The last line says how many of the files a year's read opens.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl

from benchmarks.measure import Line, interleaved, ratios, run, seconds
from benchmarks.walk import random_walk
from ktrdr.market_data.bar_files import inside, overlaps
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

SERIES = Series("import", "WALK", "1m")


@dataclass(frozen=True, slots=True)
class Size:
    """How many bars are stored, how long the range is that is read, and how often."""

    bars: int
    days: int
    runs: int


FULL, SMALL = Size(10_000_000, 365, 15), Size(100_000, 10, 1)


def bare_read(paths: list[Path], year: Interval) -> pl.DataFrame:
    """Read the files and keep the asked moments."""
    return pl.read_parquet(paths).filter(inside(year))


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    with tempfile.TemporaryDirectory() as folder:
        store = BarStore(Path(folder))
        store.replace(SERIES, [random_walk(size.bars)])
        files = store.meta(SERIES).files
        first = min(each.first for each in files.values())
        begin = first + timedelta(minutes=size.bars // 4)
        year = Interval(begin, begin + timedelta(days=size.days))
        touched = [name for name, file in files.items() if overlaps(file, year)]
        paths = sorted(path for path in Path(folder).rglob("*.parquet") if path.name in touched)
        assert store.read(SERIES, year).equals(bare_read(paths, year))
        read, plain = interleaved(
            size.runs,
            lambda: seconds(lambda: store.read(SERIES, year)),
            lambda: seconds(lambda: bare_read(paths, year)),
        )
        yield Line("A year read from the store to bare Polars", ratios(read, plain), at_most=1.3)
        yield Line("The baseline: bare Polars reads the year in", [each * 1000 for each in plain], "ms")
        yield Line("Files opened of all", [len(touched) / len(files)])


if __name__ == "__main__":
    run("Range reads", lines, full=FULL, small=SMALL)
