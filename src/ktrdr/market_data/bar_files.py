"""The files of a series: one a year (a month for 1m), each vouched for by its sha256."""

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, BinaryIO

import polars as pl

from ktrdr.atomic_files import write_bytes
from ktrdr.market_data.bars import SCHEMA, empty_bars
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import META, BarFile, SeriesMeta, damaged

MONTHLY = frozenset({"1m"})
DAMAGED = ".damaged"


def by_file(bars: pl.DataFrame, timeframe: str) -> list[pl.DataFrame]:
    """Return the bars of each file, of bars in order of time: a year's, or a month's where there are many."""
    if bars.is_empty():
        return []
    times, kept = bars["time"], bars.select(list(SCHEMA))
    begins = times.slice(0, 1).to_frame().select(_part(timeframe)).item()
    parts = pl.datetime_range(begins, times[-1], "1mo" if timeframe in MONTHLY else "1y", eager=True)
    edges = [*times.search_sorted(parts.cast(times.dtype)).to_list(), bars.height]
    return [kept.slice(start, end - start) for start, end in pairwise(edges) if end > start]


def file_names(bars: pl.DataFrame, timeframe: str) -> list[str]:
    """Return with what the names of the files begin that bars belong to."""
    begins = bars.select(part=_part(timeframe)).to_series().unique().to_list()
    return [_name_of(each, timeframe) for each in begins]


def _part(timeframe: str) -> pl.Expr:
    return pl.col("time").dt.truncate("1mo" if timeframe in MONTHLY else "1y")


def _name_of(moment: datetime, timeframe: str) -> str:
    return moment.strftime("%Y%m" if timeframe in MONTHLY else "%Y")


def inside(within: Interval) -> pl.Expr:
    """Return whether a bar opens within an interval."""
    return (pl.col("time") >= within.start) & (pl.col("time") < within.end)


def overlaps(file: BarFile, within: Interval) -> bool:
    """Tell whether a file can have bars of an interval."""
    return file.first < within.end and file.last >= within.start


def write_part(folder: Path, bars: pl.DataFrame, timeframe: str) -> dict[str, BarFile]:
    """Write the bars of one file durably, beside all others; its name tells its content apart."""
    data = _parquet(bars)
    digest = hashlib.sha256(data).hexdigest()
    first, last = bars["time"][0], bars["time"][-1]
    name = f"{_name_of(first, timeframe)}-{digest[:16]}.parquet"
    write_bytes(folder / name, data)
    return {name: BarFile(digest, bars.height, first, last)}


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A file that was opened, so that it is read as it is now, whoever replaces it meanwhile."""

    path: Path
    file: BarFile
    stream: BinaryIO

    def verified(self) -> bytes:
        """Return its bytes; raises DataDamaged if they are not what was written."""
        data = self.stream.read()
        if hashlib.sha256(data).hexdigest() != self.file.sha256:
            raise damaged(self.path)
        return data


def open_part(path: Path, file: BarFile, opened: ExitStack) -> OpenPart:
    """Open a file for as long as `opened` is; raises DataDamaged if it is gone."""
    try:
        return OpenPart(path, file, opened.enter_context(path.open("rb")))
    except FileNotFoundError:
        raise damaged(path) from None


def read_part(path: Path, file: BarFile) -> pl.DataFrame:
    """Return the bars of one file; raises DataDamaged if it is gone or not what was written."""
    with ExitStack() as opened:
        return read_parts([open_part(path, file, opened)])


def read_parts(parts: Sequence[OpenPart]) -> pl.DataFrame:
    """Return the bars of several files, in their order; no byte is parsed before it is known to be ours.

    Raises DataDamaged, naming the file.
    """
    if not parts:
        return empty_bars()
    with ThreadPoolExecutor() as threads:  # hashing leaves the interpreter to others
        buffers: list[IO[bytes]] = [io.BytesIO(data) for data in threads.map(OpenPart.verified, parts)]
    return pl.read_parquet(buffers)


def only_within(bars: pl.DataFrame, parts: Sequence[OpenPart], within: Interval | None) -> pl.DataFrame:
    """Return the bars of an interval; those of files that lie wholly in it are not looked at again."""
    if within is None or all(
        within.start <= each.file.first and each.file.last < within.end for each in parts
    ):
        return bars
    return bars.filter(inside(within))


def remove_strangers(folder: Path, meta: SeriesMeta | None) -> None:
    """Remove the files that a sidecar does not name, and what a crash left half written."""
    left = (path for pattern in ("*.parquet", ".*.parquet.*", f".{META}.*") for path in folder.glob(pattern))
    for file in left:
        if meta is None or file.name not in meta.files:
            file.unlink()


def remove_damaged(folder: Path) -> None:
    """Remove what was set aside as damaged."""
    for file in folder.glob(f"*{DAMAGED}"):
        file.unlink()


def _parquet(bars: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    bars.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
