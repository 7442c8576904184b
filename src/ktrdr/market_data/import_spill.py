"""Bars on the way from a file to the store: what memory does not hold waits on the disk."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from ktrdr.market_data.bar_files import MONTHLY
from ktrdr.market_data.bars import EARLIEST, LATEST, SCHEMA
from ktrdr.market_data.import_options import LINE
from ktrdr.market_data.import_rows import CODE

COLUMNS = (LINE, *SCHEMA)
WIDTH = 8
KEY = "key"
FILES_OF_A_SERIES = 10_000 * 12
DAY_KEY = "day"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY, DAYS_OF_A_SERIES = (EARLIEST - EPOCH).days, (LATEST - EARLIEST).days + 1
UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bars of one symbol and of whole files of the store, in the order of the input with `LINE`."""

    code: int
    bars: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that were put down together, sorted by `KEY`, at a place in the file."""

    start: int
    rows: int


class BarSpill:
    """Takes bars in any order and gives them back by symbol and file, in pieces of about `held` bars.

    Nothing is on the disk before more than `held` bars came. Bars that all come in order of time, and are of
    one symbol, are known to be so.
    """

    def __init__(self, file: Path, timeframe: str, held: int) -> None:
        self.rows = 0
        self._path = file
        self._file: BinaryIO | None = None
        self._is_monthly = timeframe in MONTHLY
        self._held = held
        self._pending: list[pl.DataFrame] = []
        self._runs: list[_Run] = []
        self._index: list[pl.DataFrame] = []

    def add(self, bars: pl.DataFrame) -> None:
        """Take bars with their `LINE` and the number of their symbol."""
        self._pending.append(bars)
        self.rows += bars.height
        if sum(each.height for each in self._pending) >= self._held:
            self._put_down()

    def pieces(self) -> Iterator[Piece]:
        """Yield the bars of each symbol in order of their files."""
        if self._file is None:
            yield from self._pieces_in_memory()
            return
        self._put_down()
        index = pl.concat(self._index).sort(KEY, "run", maintain_order=True)
        for keys in self._batches(index):
            code = int(keys[KEY][0] // FILES_OF_A_SERIES)
            places = keys.group_by("run", maintain_order=True).agg(
                pl.col("start").min(), pl.col("count").sum()
            )
            parts = [self._read(*each) for each in places.rows()]
            yield Piece(code, pl.concat(parts))

    def close(self) -> None:
        """Remove what is on the disk."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _pieces_in_memory(self) -> Iterator[Piece]:
        if not self._pending:
            return
        self._pending = [pl.concat(self._pending)]
        for (code,), bars in self._pending[0].partition_by(CODE, as_dict=True, include_key=False).items():
            yield Piece(int(code), bars)

    def _put_down(self) -> None:
        """Write what is held, sorted so that every file's bars are together, and note where they are."""
        if not self._pending:
            return
        if self._file is None:
            self._file = self._path.open("w+b", buffering=0)
        bars = pl.concat(self._pending)
        self._pending = []
        days = _days(bars)
        if not days.is_sorted():
            bars = bars.with_columns(days).sort(DAY_KEY, maintain_order=True)
            days = bars[DAY_KEY]
        self._note(days)
        self._file.seek(0, os.SEEK_END)
        for name in COLUMNS:
            _values(bars[name]).tofile(self._file)

    def _note(self, days: pl.Series) -> None:
        before = self._runs[-1] if self._runs else _Run(0, 0)
        start = before.start + before.rows * len(COLUMNS) * WIDTH
        counted = days.rle().struct.unnest().select(self._key(), pl.col("len").cast(pl.Int64).alias("count"))
        placed = (
            counted.group_by(KEY, maintain_order=True)
            .agg(pl.col("count").sum())
            .with_columns(
                (pl.col("count").cum_sum() - pl.col("count")).alias("start"),
                pl.lit(len(self._runs), dtype=pl.Int64).alias("run"),
            )
        )
        self._runs.append(_Run(start, len(days)))
        self._index.append(placed)

    def _key(self) -> pl.Expr:
        """Return what tells the files of all symbols apart, in order of symbol and time."""
        code, day = pl.col("value") // DAYS_OF_A_SERIES, pl.col("value") % DAYS_OF_A_SERIES
        date = (day + FIRST_DAY).cast(pl.Int32).cast(pl.Date)
        month = date.dt.month().cast(pl.Int64) - 1 if self._is_monthly else 0
        return (code * FILES_OF_A_SERIES + date.dt.year().cast(pl.Int64) * 12 + month).alias(KEY)

    def _batches(self, index: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield rows of the index that are read together: whole files of one symbol, about `held` bars."""
        sizes = index.group_by(KEY, maintain_order=True).agg(pl.col("count").sum(), pl.len())
        begin, end, held, code = 0, 0, 0, -1
        for key, count, length in sizes.rows():
            if end > begin and (key // FILES_OF_A_SERIES != code or held + count > self._held):
                yield index[begin:end]
                begin, held = end, 0
            code, held, end = key // FILES_OF_A_SERIES, held + count, end + length
        yield index[begin:end]

    def _read(self, run: int, start: int, count: int) -> pl.DataFrame:
        place = self._runs[run]
        columns = []
        for number, name in enumerate(COLUMNS):
            offset = place.start + (number * place.rows + start) * WIDTH
            columns.append(self._column(name, os.pread(self._descriptor, count * WIDTH, offset)))
        return pl.DataFrame(columns)

    @property
    def _descriptor(self) -> int:
        assert self._file is not None  # noqa: S101  # there is a run only in a file
        return self._file.fileno()

    def _column(self, name: str, data: bytes) -> pl.Series:
        if name in {LINE, "time"}:
            whole = pl.Series(name, np.frombuffer(data, np.int64))
            return whole.cast(SCHEMA["time"]) if name == "time" else whole
        values = pl.Series(name, np.frombuffer(data, np.float64))
        return values.fill_nan(None) if name == "volume" else values


def _days(bars: pl.DataFrame) -> pl.Series:
    """Return a number for the symbol and the day of each bar [n], in order of both."""
    day = pl.col("time").dt.date().to_physical().cast(pl.Int64) - FIRST_DAY
    return bars.select((pl.col(CODE) * DAYS_OF_A_SERIES + day).alias(DAY_KEY)).to_series()


def _values(column: pl.Series) -> np.ndarray:
    """Return the values of a column; an unknown volume is NaN, which no accepted one is."""
    plain = column.fill_null(UNKNOWN) if column.dtype == pl.Float64 else column.to_physical()
    return np.ascontiguousarray(plain.to_numpy())
