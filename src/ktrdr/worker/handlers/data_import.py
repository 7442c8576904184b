"""Import: one's own file becomes bars in the store, whole or not at all."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import polars as pl

from ktrdr.clock import SystemClock
from ktrdr.errors import DataInvalid
from ktrdr.kinds.data_import import DataImportRequest, DataImportResult
from ktrdr.market_data.bar_import import BarImport
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.import_refusals import keep_refusals
from ktrdr.market_data.importing.report import ImportedSeries, ImportReport
from ktrdr.market_data.series_choice import IMPORTED
from ktrdr.market_data.series_import import ImportManner, SeriesImport, known_calendar
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders

PHASES = (PhaseProgress("Read", 0.7), PhaseProgress("Store", 0.3))
LISTED = 1000
LONGEST_SHOWN = 200


def handle(request: DataImportRequest, context: OperationContext, folders: Folders) -> DataImportResult:
    """Read, check and store the bars of an uploaded file; the upload is gone afterwards."""
    context.plan(PHASES[:1] if request.dry_run else PHASES)
    context.enter("Read", request.file_name)
    file = context.work_folder / "upload"
    folders.claim_upload(request.upload_id, file)
    try:
        with closing(_Import(request, context, folders, file)) as running:
            return running.run()
    finally:
        file.unlink()


class _Import:
    """One import: what is read and checked first is stored then, or only told of."""

    def __init__(
        self, request: DataImportRequest, context: OperationContext, folders: Folders, file: Path
    ) -> None:
        self._request = request
        self._context = context
        self._folders = folders
        self._refused = context.work_folder / "refused.csv"
        self._store = BarStore(folders.bars)
        self._bars = BarImport(
            file,
            _options(request, self._calendar()),
            context.work_folder,
            lambda share: context.report(100.0 * share, request.file_name),
            refusals=self._refused if request.quarantine and not request.dry_run else None,
        )

    def run(self) -> DataImportResult:
        """Check everything before the first bar is stored, and return what was done."""
        report = self._read()
        series = [self._series_import(each.symbol) for each in report.series]
        self._examine(report, series)
        kept = self._keep(report, series) if not self._request.dry_run else None
        return self._result(report, series, kept)

    def close(self) -> None:
        """Leave nothing in the work folder."""
        self._bars.close()
        self._refused.unlink(missing_ok=True)

    def _read(self) -> ImportReport:
        try:
            return self._bars.read()
        except DataInvalid as error:
            words = f"{self._request.file_name}, {error.message}"
            raise DataInvalid(words, hint=error.hint, detail=error.detail) from None

    def _calendar(self) -> TradingCalendar | None:
        """Return the calendar that is said, else the one of the stored series; raises for an unknown one."""
        if self._request.calendar is not None:
            return open_calendar(self._request.calendar)
        return known_calendar(self._store, self._series(self._request.symbol or ""))

    def _series(self, symbol: str) -> Series:
        return Series(IMPORTED, symbol, self._request.timeframe)

    def _series_import(self, symbol: str) -> SeriesImport:
        request = self._request
        manner = ImportManner(request.adjustment, request.calendar, request.replace, request.outside)
        return SeriesImport(self._store, self._series(symbol), manner)

    def _examine(self, report: ImportReport, series: Sequence[SeriesImport]) -> None:
        """Hold every series against its calendar and what is stored; without either, count its bars."""
        if all(each.is_plain for each in series):
            for one, known in zip(series, report.series, strict=True):
                one.take(known.bars)
            return
        for one, (_, frames) in zip(series, self._bars.series(), strict=True):
            one.examine(self._watched(frames))

    def _watched(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in frames:
            self._context.check()
            yield frame

    def _keep(self, report: ImportReport, series: Sequence[SeriesImport]) -> Path | None:
        """Store every series; the list of what was set aside is there before, and gone if none was stored."""
        total = sum(each.bars for each in report.series)
        self._context.enter("Store", f"{total:,} bars")
        listed = None
        if report.refused:
            listed = keep_refusals(self._refused, self._folders.bars, self._context.operation_id)
        done, stored = 0, 0
        try:
            for one, (_, frames) in zip(series, self._bars.series(), strict=True):
                one.keep(self._counted(frames, done, total, stored), self._wait)
                done, stored = done + one.counts.bars, stored + 1
        finally:
            if listed is not None and not stored:
                listed.unlink()
        return listed

    def _counted(
        self, frames: Iterator[pl.DataFrame], done: int, total: int, stored: int
    ) -> Iterator[pl.DataFrame]:
        for frame in frames:
            yield frame
            done += frame.height
            self._context.report(100.0 * done / total, f"{done:,} bars", items_processed=stored)

    def _wait(self, seconds: float) -> None:
        self._context.check()
        time.sleep(seconds)

    def _result(
        self, report: ImportReport, series: Sequence[SeriesImport], kept: Path | None
    ) -> DataImportResult:
        listed = zip(report.series[:LISTED], series, strict=False)
        return DataImportResult.model_validate(
            {
                "series": [_figures(known, one) for known, one in listed],
                "series_count": len(report.series),
                "duplicates_dropped": report.duplicates,
                "ignored_columns": report.ignored,
                "columns": report.columns,
                "skipped_lines": [line[:LONGEST_SHOWN] for line in report.skipped],
                "rows_without_price": report.without_price,
                "unknown_volumes": report.unknown_volumes,
                "quarantined": report.refused,
                "quarantine_file": None if kept is None else str(kept),
                "offenders": report.offenders,
                "dry_run": self._request.dry_run,
                "remarks": report.remarks,
                "preview": report.preview.to_dicts(),
            }
        )


def _figures(known: ImportedSeries, one: SeriesImport) -> dict[str, object]:
    return {
        **asdict(known),
        "timeframe": one.series.timeframe,
        "new_bars": one.counts.new,
        "equal_bars": one.counts.equal,
        "replaced_bars": one.replaced,
        "total_bars": one.total,
        "adjustment": one.terms.adjustment,
        "calendar": one.terms.calendar,
        "outside": one.outside,
    }


def _options(request: DataImportRequest, calendar: TradingCalendar | None) -> ImportOptions:
    return ImportOptions(
        request.timeframe,
        SystemClock().now(),
        request.symbol or "",
        request.symbol_column,
        {str(name): column for name, column in request.columns.items()},
        request.tz,
        request.separator,
        request.decimal_comma,
        tolerant=request.quarantine or request.dry_run,
        time_format=request.time_format,
        no_header=request.no_header,
        skip_lines=request.skip_lines,
        thousands=request.thousands,
        calendar=calendar,
        is_timeframe_sure=request.is_timeframe_sure,
    )
