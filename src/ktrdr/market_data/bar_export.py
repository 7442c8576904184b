"""A series as one CSV or Parquet file, in pieces and in bounded memory."""

import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import polars as pl
from polars.io.plugins import register_io_source

from ktrdr.market_data.bar_pages import nothing_within
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

PIECE = 1 << 18
TIME_LAYOUT = "%Y-%m-%dT%H:%M:%S%.fZ"


def csv_pieces(store: BarStore, series: Series, within: Interval) -> Iterator[bytes]:
    """Yield a header, and the bars of a file at a time; an import of it gives the very same bars.

    Times are ISO in UTC, an unknown volume is empty. Raises NotFound, before anything is yielded, for an
    interval without bars, and DataDamaged at a file that is not what was written.
    """
    with_header = True
    for bars in _some(store, series, within):
        text = bars.with_columns(pl.col("time").dt.strftime(TIME_LAYOUT))
        yield text.write_csv(include_header=with_header).encode()
        with_header = False


def parquet_pieces(store: BarStore, series: Series, within: Interval) -> Iterator[bytes]:
    """Yield the bytes of one Parquet file, made beforehand in a temporary file that nobody else can see.

    Raises as `csv_pieces` does, before anything is yielded.
    """
    with tempfile.TemporaryFile() as spool:
        source = register_io_source(lambda *_: _some(store, series, within), schema=SCHEMA)
        source.sink_parquet(spool, compression="zstd")
        yield from _pieces(spool)


def _some(store: BarStore, series: Series, within: Interval) -> Iterator[pl.DataFrame]:
    is_empty = True
    for bars in store.scan(series, within):
        if bars.height:
            is_empty = False
            yield bars
    if is_empty:
        raise nothing_within(store.meta(series), within)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
