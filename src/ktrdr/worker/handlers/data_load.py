"""Load: bars of a provider become bars in the store, chunk by chunk, and what was stored stays."""

from dataclasses import asdict

from ktrdr.kinds.data_load import DataLoadRequest, DataLoadResult, LoadedSeries
from ktrdr.market_data.load_report import LoadReport
from ktrdr.market_data.loading import Wish
from ktrdr.market_data.sources import find_series
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.bar_loading import BarLoading, Wanted


def handle(request: DataLoadRequest, context: OperationContext, folders: Folders) -> DataLoadResult:
    """Load one symbol after the other; each is a phase."""
    context.plan([PhaseProgress(symbol) for symbol in request.symbols])
    context.enter(request.symbols[0], "looking it up")
    store = BarStore(folders.bars)
    wish = Wish(request.mode, request.start, request.end, request.hours)
    wanted = [
        Wanted(find_series(store, symbol, request.timeframe, request.provider), wish, request.adjustment)
        for symbol in request.symbols
    ]
    reports = []
    with BarLoading(store, context, folders) as loading:
        for symbol, loader in zip(request.symbols, loading.look_up(wanted), strict=True):
            context.enter(symbol)
            reports.append(_result(loading.load(loader)))
    return DataLoadResult(series=tuple(reports))


def _result(report: LoadReport) -> LoadedSeries:
    quality, counts = report.quality, report.counts
    return LoadedSeries.model_validate(
        {
            **asdict(report.series),
            "adjustment": report.terms.adjustment,
            "calendar": report.terms.calendar,
            "hours": report.terms.hours,
            "bars": quality.bars,
            "first": quality.first,
            "last": quality.last,
            "new_bars": counts.new_bars,
            "requests": counts.requests,
            "duplicates_dropped": counts.duplicates,
            "outside_hours_dropped": counts.outside_hours,
            "mended_files": counts.mended,
            "expected": quality.expected,
            "missing": quality.missing,
            "coverage": quality.coverage,
            "gaps": quality.gaps,
            "jumps": [each.time for each in quality.jumps],
        }
    )
