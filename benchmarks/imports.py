"""Import of a CSV file of 1-minute bars into the store, to bare Polars for the same bytes.

Bare Polars reads the whole file, parses times, sorts, and writes the same monthly zstd Parquet files with
fsync. The import also checks every rule, keeps line numbers, vouches for each file by its sha256, and holds
only a part of the file in memory: its peak is that of a process of its own, beyond what it needs to begin.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.measure import Line, interleaved, ratios, run, seconds
from benchmarks.walk import random_walk
from ktrdr.market_data.bar_import import BarImport
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

WRITTEN = "%Y-%m-%dT%H:%M:%SZ"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEAK = "--peak"


@dataclass(frozen=True, slots=True)
class Size:
    """Bars of the small file, of the large one, and how often each is imported."""

    few: int
    many: int
    runs: int


FULL, SMALL = Size(1_000_000, 10_000_000, 3), Size(5_000, 20_000, 1)


def write_csv(folder: Path, count: int) -> Path:
    """Write a file of so many bars, with prices of four decimals, and return its path."""
    file = folder / f"{count}.csv"
    bars = random_walk(count).with_columns(pl.selectors.float().round(4))
    bars.with_columns(pl.col("time").dt.strftime(WRITTEN)).write_csv(file)
    return file


def import_bars(file: Path) -> None:
    """Import a file into a store of its own."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        options = ImportOptions("1m", NOW, "WALK")
        importing = BarImport(file, options, Path(folder), lambda _: None)
        importing.read()
        for symbol, frames in importing.series():
            BarStore(Path(folder)).replace(Series("import", symbol, "1m"), frames)
        importing.close()


def bare_polars(file: Path) -> None:
    """Do with a file what has to be done, and nothing else."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        time = pl.col("time").str.to_datetime(WRITTEN, time_unit="us", time_zone="UTC", cache=False)
        bars = pl.read_csv(file).with_columns(time, volume=pl.col("volume").cast(pl.Float64)).sort("time")
        months = bars.with_columns(month=pl.col("time").dt.truncate("1mo"))
        for number, part in enumerate(months.partition_by("month", maintain_order=True, include_key=False)):
            buffer = io.BytesIO()
            part.write_parquet(buffer, compression="zstd")
            with (Path(folder) / f"{number}.parquet").open("wb") as written:
                written.write(buffer.getvalue())
                written.flush()
                os.fsync(written.fileno())


def peak_of(file: Path) -> float:
    """Return by how much an import lets a fresh process grow, in MB."""
    command = [sys.executable, "-m", "benchmarks.imports", PEAK, str(file)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak() -> float:
    """Return the largest size this process ever had, in MB; `getrusage` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (write_csv(Path(folder), count) for count in (size.few, size.many))
        work = (partial(import_bars, many), partial(bare_polars, many), partial(import_bars, few))
        imported, bare, little = interleaved(size.runs, *(partial(seconds, each) for each in work), warm_up=0)
        yield Line(f"Import of {size.many:,} bars to bare Polars", ratios(imported, bare), at_most=1.5)
        yield Line(f"The baseline: bare Polars for {size.many:,} bars", bare, "s")
        share = size.many / size.few
        linear = [each / share for each in ratios(imported, little)]
        yield Line(f"Time per bar of {size.many:,} bars to {size.few:,}", linear, at_most=1.2)
        for count, file in ((size.few, few), (size.many, many)):
            yield Line(f"Peak memory of an import of {count:,} bars", [peak_of(file)], "MB", at_most=1000.0)


def main() -> None:
    """Print the table, or what one import needs, for the process that asks for it."""
    if sys.argv[1:2] != [PEAK]:
        return run("Import", lines, full=FULL, small=SMALL)
    before = peak()
    import_bars(Path(sys.argv[2]))
    return print(peak() - before)


if __name__ == "__main__":
    main()
