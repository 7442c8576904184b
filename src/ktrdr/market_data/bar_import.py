"""Import of one's own bars: a file of any size is read and checked as a whole before a bar is handed out."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.csv_rows import CsvRows
from ktrdr.market_data.import_offences import Offences, offences
from ktrdr.market_data.import_options import LINE, WHOLE_PORTIONS, ImportOptions, Portions
from ktrdr.market_data.import_rows import CODE, RowReader, other_timeframe, smallest_gap
from ktrdr.market_data.import_source import RowSource, one_ahead
from ktrdr.market_data.import_spill import BarSpill
from ktrdr.market_data.ingest import NOTHING_WRITTEN
from ktrdr.market_data.parquet_rows import MAGIC, ParquetRows

PREVIEWED = 5

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class ImportedSeries:
    """What a file has of one symbol."""

    symbol: str
    bars: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file has, how it was understood, and what was wrong with it.

    `columns` tells from which column each field is read, `ignored` are the others, `preview` the first good
    rows, `offenders` the first ten of the `refused` as text.
    """

    series: tuple[ImportedSeries, ...]
    duplicates: int
    columns: dict[str, str]
    ignored: tuple[str, ...]
    preview: pl.DataFrame
    refused: int
    offenders: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What the survey counts over pieces."""

    series: dict[int, ImportedSeries] = field(default_factory=dict)
    duplicates: int = 0
    smallest: float | None = None


class BarImport:
    """Reads one file; memory holds a part of it, the rest waits in `work`, which is left as it was found.

    `refusals` is where all offences are written to, by line. `on_progress` is told the share that was read,
    and may raise to stop.
    """

    def __init__(
        self,
        path: Path,
        options: ImportOptions,
        work: Path,
        on_progress: Progress,
        *,
        refusals: Path | None = None,
        portions: Portions = WHOLE_PORTIONS,
    ) -> None:
        self._path = path
        self._options = options
        self._on_progress = on_progress
        self._portions = portions
        self._spill = BarSpill(work / "spill.bars", options.timeframe, portions.held)
        self._refusals = refusals
        self._names: tuple[str, ...] = ()
        self._good: frozenset[int] = frozenset()

    def read(self) -> ImportReport:
        """Read and check all of the file.

        Raises DataInvalid with the first ten offenders by line, unless they are tolerated, for a file that
        is damaged or cannot be understood, and for one without a good bar.
        """
        source = open_rows(self._path, self._options, self._portions)
        wrong = Offences(source.noun, self._refusals)
        try:
            reader = RowReader(self._options, source.columns)
            preview = self._take(source, reader, wrong)
            self._names = reader.symbols.names
            found = self._survey(wrong, reader.smallest)
        finally:
            source.close()
            wrong.close()
        self._refuse(source, wrong, found)
        self._good = frozenset(found.series)
        return ImportReport(
            tuple(found.series.values()),
            found.duplicates,
            source.columns,
            tuple(name for name in source.header if name not in source.columns.values()),
            preview,
            wrong.count,
            wrong.sentences,
        )

    def series(self) -> Iterator[tuple[str, Iterator[pl.DataFrame]]]:
        """Yield each symbol with its bars, frame by frame in order of time; read one before the next."""
        for code, pieces in groupby(self._spill.pieces(), key=attrgetter("code")):
            if code not in self._good:
                continue
            sifted = (_sifted(each.bars, tolerant=self._options.tolerant) for each in pieces)
            yield self._names[code], (each.bars for each in sifted if each.bars.height)

    def close(self) -> None:
        """Remove what waits on the disk."""
        self._spill.close()

    def _take(self, source: RowSource, reader: RowReader, wrong: Offences) -> pl.DataFrame:
        preview: pl.DataFrame | None = None
        with closing(one_ahead(source.chunks())) as chunks:
            for rows in chunks:
                bars, offending = reader.read(rows.table)
                wrong.add(pl.concat([rows.ragged, offending]).sort("line"))
                self._spill.add(bars)
                if preview is None and bars.height:
                    preview = _preview(bars, reader.symbols.names)
                self._on_progress(rows.share)
                if wrong.is_full and not self._options.tolerant:
                    break
        return pl.DataFrame() if preview is None else preview

    def _survey(self, wrong: Offences, smallest: float | None) -> _Found:
        found = _Found(smallest=smallest)
        for piece in self._spill.pieces():
            self._on_progress(1.0)
            sifted = _sifted(piece.bars, tolerant=self._options.tolerant)
            wrong.add(sifted.conflicts)
            found.duplicates += sifted.duplicates
            if sifted.bars.height:
                self._count(found, piece.code, sifted.bars["time"])
        return found

    def _count(self, found: _Found, code: int, times: pl.Series) -> None:
        known = found.series.get(code)
        bars, first = (known.bars, known.first) if known else (0, times[0])
        found.series[code] = ImportedSeries(self._names[code], bars + len(times), first, times[-1])
        step = (times[0] - known.last).total_seconds() if known else None
        gaps = (smallest_gap(pl.Series([code]), times), step)
        found.smallest = min((each for each in (*gaps, found.smallest) if each is not None), default=None)

    def _refuse(self, source: RowSource, wrong: Offences, found: _Found) -> None:
        if wrong.count and not (self._options.tolerant and found.series):
            raise wrong.error()
        if not found.series:
            raise DataInvalid(source.nothing, hint=NOTHING_WRITTEN)
        wanted = TIMEFRAME_SECONDS[self._options.timeframe]
        if found.smallest is not None and not 0.5 * wanted <= found.smallest <= 1.5 * wanted:
            raise other_timeframe(found.smallest, self._options.timeframe)


@dataclass(frozen=True, slots=True)
class _Sifted:
    """Unique bars in order of time, how many exact duplicates there were, and what contradicts."""

    bars: pl.DataFrame
    duplicates: int
    conflicts: pl.DataFrame


def open_rows(path: Path, options: ImportOptions, portions: Portions = WHOLE_PORTIONS) -> RowSource:
    """Return the rows of a file; what is in it, not its name, tells what it is."""
    with path.open("rb") as file:
        is_parquet = file.read(len(MAGIC)) == MAGIC
    if is_parquet:
        return ParquetRows(path, options, portions.rows)
    return CsvRows(path, options, portions.block)


def _sifted(bars: pl.DataFrame, *, tolerant: bool) -> _Sifted:
    """Sort bars and drop exact duplicates; of bars of one time that differ none is kept.

    The later of them are offences; where they are tolerated all are, as nobody knows which is right.
    """
    if (bars["time"].to_physical().diff() > 0).all():
        return _Sifted(bars.select(list(SCHEMA)), 0, offences([], []))
    unique = bars.sort("time", LINE).unique(list(SCHEMA), keep="first", maintain_order=True)
    twins = unique.filter(pl.col("time").is_duplicated())
    wrong = twins if tolerant else twins.filter(~pl.col("time").is_first_distinct())
    words = [f"another bar of {when:%Y-%m-%d %H:%M} differs" for when in wrong["time"]]
    kept = unique.filter(pl.col("time").is_unique()).select(list(SCHEMA))
    return _Sifted(kept, bars.height - unique.height, offences(wrong[LINE].to_list(), words).sort("line"))


def _preview(bars: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    first = bars.head(PREVIEWED)
    symbols = pl.Series("symbol", [names[code] for code in first[CODE]])
    return first.select(symbols, *SCHEMA)
