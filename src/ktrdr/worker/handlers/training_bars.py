"""The bars of a training: what it lacks is loaded first, as `data load` would."""

from collections.abc import Mapping, Sequence

from ktrdr.market_data.chunks import Mode
from ktrdr.market_data.jumps import Jump, find_jumps
from ktrdr.market_data.load import LoadedBars, read_bars
from ktrdr.market_data.loading import Wish
from ktrdr.market_data.series_choice import IMPORTED
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.sources import find_series
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.strategies.strategy import DataSection
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.bar_loading import BarLoading, Wanted


def load_training_bars(
    data: DataSection, context: OperationContext, folders: Folders
) -> dict[str, LoadedBars]:
    """Return the bars of each symbol within the strategy's dates; raises as loading does."""
    store = BarStore(folders.bars)
    wanted = [_wanted(store, symbol, data) for symbol in data.symbols]
    loaded = {}
    with BarLoading(store, context, folders) as loading:
        for number, (each, loader) in enumerate(zip(wanted, loading.look_up(wanted), strict=True)):
            if not _is_ones_own(store, each.series):
                loading.fill(loader, (number / len(wanted), (number + 1) / len(wanted)))
            loaded[each.series.symbol] = read_bars(store, each.series, data.start, data.end)
    context.report(100.0, f"{', '.join(data.symbols)} {data.timeframe}")
    return loaded


def _is_ones_own(store: BarStore, series: Series) -> bool:
    """Tell whether bars were imported as they are: there is nobody to ask for more, and nothing to make."""
    is_import = series.provider == IMPORTED and store.has(series)
    return is_import and store.meta(series).terms.made_of is None


def bar_warnings(loaded: Mapping[str, LoadedBars]) -> list[str]:
    """Return a sentence for each symbol whose prices jump as after a split that nobody adjusted for."""
    found = ((symbol, each.adjustment, find_jumps(each.bars)) for symbol, each in loaded.items())
    return [_split_words(symbol, adjustment, jumps) for symbol, adjustment, jumps in found if jumps]


def _split_words(symbol: str, adjustment: str, jumps: Sequence[Jump]) -> str:
    first, more = jumps[0], len(jumps) - 1
    others = f", and so {more:,} more {'time' if more == 1 else 'times'}" if more else ""
    return (
        f"{symbol} ({adjustment}) opens on {first.time:%Y-%m-%d} at {first.ratio:.3g} of the close before, "
        f"as after a split of {first.split}{others}: labels and indicators take it for a move of the market"
    )


def _wanted(store: BarStore, symbol: str, data: DataSection) -> Wanted:
    series = find_series(store, symbol, data.timeframe, data.provider)
    mode: Mode = "local" if series.provider == IMPORTED else "full"
    return Wanted(series, Wish(mode, data.start, data.end))
