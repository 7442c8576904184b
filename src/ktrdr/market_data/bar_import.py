"""Import of one's own bars: a file of any size is read and checked as a whole before a bar is handed out."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.csv_rows import CsvRows
from ktrdr.market_data.import_offences import Offences
from ktrdr.market_data.import_options import WHOLE_PORTIONS, ImportOptions, Portions
from ktrdr.market_data.import_rows import CODE, RowReader, smallest_gap
from ktrdr.market_data.import_source import RowSource, one_ahead
from ktrdr.market_data.import_spill import BarSpill
from ktrdr.market_data.importing.asking import Asks, adopted, advice
from ktrdr.market_data.importing.report import ImportedSeries, ImportReport
from ktrdr.market_data.importing.sifting import sifted
from ktrdr.market_data.importing.spacing import refuse_other_spacing
from ktrdr.market_data.importing.values.numbers import PLAIN
from ktrdr.market_data.importing.writing import Survey, Undecided, Writing, given_writing
from ktrdr.market_data.ingest import NOTHING_WRITTEN
from ktrdr.market_data.parquet_rows import MAGIC, ParquetRows

PREVIEWED = 5
MOST_ASKED = 6

Progress = Callable[[float], None]


@dataclass(slots=True)
class _Found:
    """What the survey counts over pieces."""

    series: dict[int, ImportedSeries] = field(default_factory=dict)
    duplicates: int = 0
    contradicts: bool = False
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
        self._work = work
        self._spill = self._empty_spill()
        self._refusals = refusals
        self._names: tuple[str, ...] = ()
        self._good: frozenset[int] = frozenset()

    def read(self) -> ImportReport:
        """Read and check all of the file.

        Raises DataInvalid with the first ten offenders by line, unless they are tolerated, for a file that
        is damaged or cannot be understood, and for one without a good bar.
        """
        try:
            return self._read()
        except Asks as asked:
            raise self._led_on(asked) from None

    def _read(self) -> ImportReport:
        try:
            return self._read_as(given_writing(self._options))
        except Undecided:
            self.close()
        return self._read_as(self._look_through())

    def _look_through(self) -> Writing:
        """Return how the file is written, for which all of it is looked at."""
        source = open_rows(self._path, self._options, self._portions, as_text=True)
        try:
            survey = Survey(source.noun, source.layout.columns, self._options)
            for rows in source.chunks():
                survey.add(rows.table)
                self._on_progress(0.0)
            return survey.decided()
        finally:
            source.close()

    def _read_as(self, writing: Writing) -> ImportReport:
        plain = writing.numbers in {None, PLAIN}
        source = open_rows(self._path, self._options, self._portions, as_text=not plain)
        wrong = Offences(source.noun, self._refusals)
        try:
            reader = RowReader(self._options, source.layout, writing)
            preview = self._take(source, reader, wrong)
            reader.finish()
            self._names = reader.symbols.names
            found = self._survey(wrong, reader.smallest)
        finally:
            source.close()
            wrong.close()
        remarks = tuple(self._remarks(source, wrong, found, reader.moved))
        self._good = frozenset(found.series)
        return ImportReport(
            tuple(found.series.values()),
            found.duplicates,
            source.layout.columns,
            source.layout.ignored,
            preview,
            wrong.count,
            wrong.sentences,
            source.skipped,
            reader.without_price,
            reader.unknown_volumes,
            remarks,
        )

    def _led_on(self, first: Asks) -> DataInvalid:
        """Return a refusal whose hint has what the file needs next as well: following it once is enough."""
        asked, options = [first], self._options
        while len(asked) < MOST_ASKED:
            options = adopted(options, asked[-1])
            other = BarImport(
                self._path, options, self._work, lambda _: self._on_progress(0.0), portions=self._portions
            )
            self.close()
            try:
                other._read()
            except Asks as error:
                asked.append(error)
                continue
            except DataInvalid:
                break
            finally:
                other.close()
            break
        return DataInvalid(first.message, hint=advice(asked), detail=first.detail)

    def series(self) -> Iterator[tuple[str, Iterator[pl.DataFrame]]]:
        """Yield each symbol with its bars, frame by frame in order of time; read one before the next."""
        for code, pieces in groupby(self._spill.pieces(), key=attrgetter("code")):
            if code not in self._good:
                continue
            parts = (sifted(each.bars, tolerant=self._options.tolerant) for each in pieces)
            yield self._names[code], (each.bars for each in parts if each.bars.height)

    def close(self) -> None:
        """Remove what waits on the disk."""
        self._spill.close()
        self._spill = self._empty_spill()

    def _empty_spill(self) -> BarSpill:
        return BarSpill(self._work / "spill.bars", self._options.timeframe, self._portions.held)

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
            part = sifted(piece.bars, tolerant=self._options.tolerant)
            wrong.add(part.conflicts)
            found.duplicates += part.duplicates
            found.contradicts |= not part.conflicts.is_empty()
            if part.bars.height:
                self._count(found, piece.code, part.bars["time"])
        return found

    def _count(self, found: _Found, code: int, times: pl.Series) -> None:
        known = found.series.get(code)
        bars, first = (known.bars, known.first) if known else (0, times[0])
        found.series[code] = ImportedSeries(self._names[code], bars + len(times), first, times[-1])
        step = (times[0] - known.last).total_seconds() if known else None
        gaps = (smallest_gap(pl.Series([code]), times), step)
        found.smallest = min((each for each in (*gaps, found.smallest) if each is not None), default=None)

    def _remarks(self, source: RowSource, wrong: Offences, found: _Found, moved: int) -> Iterator[str]:
        """Refuse what cannot be kept, and yield what has to be said of the rest."""
        if wrong.count and not (self._options.tolerant and found.series):
            named = source.layout.unread_symbols
            raise wrong.error(
                f"leave `{self._options.symbol}` out, as column `{named}` names the symbols"
                if found.contradicts and named
                else None,
            )
        if not found.series:
            raise DataInvalid(source.nothing, hint=NOTHING_WRITTEN)
        if found.smallest is not None:
            series = found.series.values()
            first, last = min(each.first for each in series), max(each.last for each in series)
            if words := refuse_other_spacing(found.smallest, self._options, first, last):
                yield words
        if moved:
            yield f"{moved:,} weekly bars are kept under the Monday of their week, not as dated"


def open_rows(
    path: Path, options: ImportOptions, portions: Portions = WHOLE_PORTIONS, *, as_text: bool = False
) -> RowSource:
    """Return the rows of a file; what is in it, not its name, tells what it is."""
    with path.open("rb") as file:
        is_parquet = file.read(len(MAGIC)) == MAGIC
    if is_parquet:
        return ParquetRows(path, options, portions.rows)
    return CsvRows(path, options, portions.block, as_text=as_text)


def _preview(bars: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    first = bars.head(PREVIEWED)
    symbols = pl.Series("symbol", [names[code] for code in first[CODE]])
    return first.select(symbols, *SCHEMA)
