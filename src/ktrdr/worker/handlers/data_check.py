"""Check: every stored bar of a range is read, and judged by its trading calendar."""

from dataclasses import asdict
from datetime import datetime

import polars as pl

from ktrdr.clock import SystemClock
from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.kinds.data_check import DataCheckRequest, DataCheckResult, FoundGap, FoundJump
from ktrdr.market_data.bar_files import overlaps
from ktrdr.market_data.bar_pages import nothing_within
from ktrdr.market_data.bars import PRICES, SCHEMA, TIMEFRAME_SECONDS, day_range, end_of_bar
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.finished import finished_until
from ktrdr.market_data.holes import find_holes
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.quality import QualityReport, quality_report
from ktrdr.market_data.series_choice import choose_series
from ktrdr.market_data.series_meta import SeriesMeta
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders

PHASES = (PhaseProgress("Read", 0.7), PhaseProgress("Check", 0.3))
JUDGED = ("time", *PRICES)
MOST_NAMED = 10
MOST_EXPECTED = 20_000_000


def handle(request: DataCheckRequest, context: OperationContext, folders: Folders) -> DataCheckResult:
    """Read the bars a file at a time, keeping only what is judged, and judge them."""
    context.plan(PHASES)
    context.enter("Read")
    store = BarStore(folders.bars)
    meta = store.meta(choose_series(store, request.symbol, request.timeframe, request.provider))
    calendar, note = _calendar(request.calendar, meta.terms.calendar)
    bars = _read(store, meta, day_range(request.start, request.end), context)
    context.enter("Check", f"{bars.height:,} bars")
    report = quality_report(bars, request.timeframe, calendar, _asked(request, bars, calendar))
    if calendar is not None and bars.height == meta.rows:
        _keep_holes(store, meta, bars["time"], calendar)
    if request.fail_on_gaps:
        _refuse_gaps(meta, report, note)
    context.report(100.0, f"{bars.height:,} bars", items_processed=bars.height, items_total=bars.height)
    return _result(meta, report, note)


def _keep_holes(store: BarStore, meta: SeriesMeta, times: pl.Series, calendar: TradingCalendar) -> None:
    """Keep what is missing for whoever uses the bars, unless the series has another calendar of its own."""
    if meta.terms.calendar not in {None, calendar.name}:
        return
    holes = find_holes(times, meta.series.timeframe, calendar)
    if holes is not None and holes != meta.holes:
        store.keep_holes(meta, holes)


def _calendar(given: str | None, kept: str | None) -> tuple[TradingCalendar | None, str | None]:
    """Return the calendar, or why there is none; raises InputInvalid for a given one that cannot be had."""
    if given is not None:
        return open_calendar(given), None
    if kept is None:
        return None, "the bars are kept without a trading calendar"
    try:
        return open_calendar(kept), None
    except InputInvalid as error:
        return None, "; ".join(filter(None, (error.message, error.hint)))


def _read(store: BarStore, meta: SeriesMeta, within: Interval, context: OperationContext) -> pl.DataFrame:
    total = sum(overlaps(file, within) for file in meta.files.values())
    parts = [pl.DataFrame(schema={name: SCHEMA[name] for name in JUDGED})]
    count = 0
    for number, bars in enumerate(store.scan(meta.series, within), start=1):
        parts.append(bars.select(JUDGED))
        count += bars.height
        share = min(100.0 * number / max(total, 1), 100.0)
        context.report(share, f"{count:,} bars", items_processed=count)
    if not count:
        raise nothing_within(meta, within)
    return pl.concat(parts)


def _asked(
    request: DataCheckRequest, bars: pl.DataFrame, calendar: TradingCalendar | None
) -> Interval | None:
    """Return when bars are expected: as dates say, else from the first, or to the last bar."""
    if request.start is None and request.end is None:
        return None
    asked = day_range(request.start, request.end)
    first: datetime = bars["time"][0]
    last: datetime = bars["time"][-1]
    over = end_of_bar(last, request.timeframe)
    length = TIMEFRAME_SECONDS[request.timeframe]
    if request.start and (first - asked.start).total_seconds() / length > MOST_EXPECTED:
        raise InputInvalid(
            f"more than {MOST_EXPECTED:,} bars would be expected before the first one, of {first:%Y-%m-%d}",
            hint="give a later --start",
        )
    finished = max(over, finished_until(SystemClock().now(), request.timeframe, calendar))
    return Interval(
        asked.start if request.start else first,
        min(asked.end, finished) if request.end else over,
    )


def _refuse_gaps(meta: SeriesMeta, report: QualityReport, note: str | None) -> None:
    name = f"{meta.series.symbol} {meta.series.timeframe}"
    if report.missing is None:
        raise DataInvalid(f"whether {name} has gaps cannot be known: {note}", hint="name one with --calendar")
    if report.missing:
        places = [
            f"{gap.start:%Y-%m-%d %H:%M} up to {gap.end:%Y-%m-%d %H:%M}: {gap.missing:,} missing"
            for gap in report.unexpected[:MOST_NAMED]
        ]
        raise DataInvalid(
            f"{name} misses {report.missing:,} of {report.expected:,} bars",
            hint=f"see all with: ktrdr data gaps {meta.series.symbol} --timeframe {meta.series.timeframe}",
            detail=places,
        )


def _result(meta: SeriesMeta, report: QualityReport, note: str | None) -> DataCheckResult:
    return DataCheckResult(
        **asdict(meta.series),
        adjustment=meta.terms.adjustment,
        hours=meta.terms.hours,
        calendar=report.calendar or meta.terms.calendar,
        note=note,
        bars=report.bars,
        first=report.first,
        last=report.last,
        expected=report.expected,
        present=report.present,
        outside=report.outside,
        flat_outside=report.flat_outside,
        missing=report.missing,
        coverage=report.coverage,
        gaps=None if report.gaps is None else dict(report.gaps),
        unexpected=tuple(
            FoundGap(start=each.start, end=each.end, missing=each.missing) for each in report.unexpected
        ),
        jumps=tuple(FoundJump(time=each.time, ratio=each.ratio, split=each.split) for each in report.jumps),
    )
