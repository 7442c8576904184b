"""Load: bars of a provider become bars in the store, chunk by chunk, and what was stored stays."""

import time

from ktrdr.clock import SystemClock
from ktrdr.kinds.data_load import DataLoadRequest, DataLoadResult, LoadedSeries
from ktrdr.market_data.loading import LoadReport, SeriesLoader
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.table import open_provider
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders


def handle(request: DataLoadRequest, context: OperationContext, folders: Folders) -> DataLoadResult:
    """Load one symbol after the other; each is a phase."""
    context.plan([PhaseProgress(symbol) for symbol in request.symbols])
    provider, store = open_provider(request.provider), BarStore(folders.bars)
    for symbol in request.symbols if request.mode != "local" else ():
        provider.first(symbol, request.timeframe)  # an unknown one is refused before anything is fetched
    return DataLoadResult(
        series=tuple(_load(symbol, request, context, provider, store) for symbol in request.symbols)
    )


def _load(
    symbol: str, request: DataLoadRequest, context: OperationContext, provider: BarProvider, store: BarStore
) -> LoadedSeries:
    def notice(share: float, new_bars: int) -> None:
        context.report(100.0 * share, f"{new_bars:,} new bars", items_processed=new_bars)

    def wait(seconds: float) -> None:
        context.report(0.0, "somebody else loads it, waiting")
        time.sleep(seconds)

    context.enter(symbol)
    series = Series(provider.name, symbol, request.timeframe)
    loader = SeriesLoader(store, provider, series, now=SystemClock().now(), notice=notice, wait=wait)
    report = loader.load(request.mode, request.start, request.end)
    context.report(100.0, f"{report.new_bars:,} new bars", items_processed=report.new_bars)
    return _result(report)


def _result(report: LoadReport) -> LoadedSeries:
    series = report.series
    return LoadedSeries(
        symbol=series.symbol,
        timeframe=series.timeframe,
        provider=series.provider,
        adjustment=report.adjustment,
        bars=report.bars,
        first=report.first,
        last=report.last,
        new_bars=report.new_bars,
        requests=report.requests,
        duplicates_dropped=report.duplicates_dropped,
    )
