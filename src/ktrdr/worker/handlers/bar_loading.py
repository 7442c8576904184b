"""Loading series with the words of an operation: progress, cancellation, and what stays when it fails."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self, TypeVar

from ktrdr.clock import SystemClock
from ktrdr.errors import KtrdrError, OperationCancelled
from ktrdr.market_data.load_report import LoadReport
from ktrdr.market_data.loading import SeriesLoader, Wish
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import open_provider
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.sources import open_loader
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.strategies.bar_terms import Adjustment
from ktrdr.worker.folders import Folders

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series, what is wanted of it, and the adjustment asked for."""

    series: Series
    wish: Wish
    adjustment: Adjustment | None = None


class BarLoading:
    """Loads series one after the other and counts over all of them; leaving it closes their providers."""

    def __init__(self, store: BarStore, context: OperationContext, folders: Folders) -> None:
        self._store = store
        self._context = context
        self._settings = ProviderSettings.from_environment(
            folders.provider_variables, folders.bars / ".pacing"
        )
        self._opened = ExitStack()
        self._sources: dict[tuple[str, Adjustment | None, str], BarProvider] = {}
        self._share = 0.0, 1.0
        self._stored = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def look_up(self, wanted: Sequence[Wanted]) -> list[SeriesLoader]:
        """Return a loader each; an unknown symbol is refused before anything is fetched."""
        loaders = [self._open(each) for each in wanted]
        for loader in loaders:
            loader.look_up()
        return loaders

    def load(self, loader: SeriesLoader) -> LoadReport:
        """Load one of them and tell what is there now; it is the whole of the current phase."""
        return self._done(loader, loader.load)

    def fill(self, loader: SeriesLoader, share: tuple[float, float]) -> None:
        """Load one of them, as a share (from, to) of the current phase."""
        self._share = share
        self._done(loader, loader.fill)

    def _done(self, loader: SeriesLoader, work: Callable[[], T]) -> T:
        try:
            done = work()
        except OperationCancelled:
            raise
        except KtrdrError as error:
            error.detail = (*error.detail, *self._kept(loader))
            raise
        self._say(1.0, loader.counts.new_bars)
        self._stored += loader.counts.new_bars
        return done

    def _open(self, wanted: Wanted) -> SeriesLoader:
        return open_loader(
            self._store,
            wanted.series,
            wanted.wish,
            self._source,
            adjustment=wanted.adjustment,
            now=SystemClock().now(),
            notice=self._say,
            wait=self._wait,
        )

    def _source(self, name: str, adjustment: Adjustment | None, timeframe: str) -> BarProvider:
        """Return the one provider of a name and adjustment: a source lets nobody in twice."""
        key = (name, adjustment, timeframe)
        if key not in self._sources:
            self._sources[key] = open_provider(name, self._settings, adjustment, timeframe)
            self._opened.callback(self._sources[key].close)
        return self._sources[key]

    def _say(self, share: float, new_bars: int) -> None:
        """Tell what is stored; at once, since the next request may take long or never be answered."""
        begin, end = self._share
        count = self._stored + new_bars
        self._context.report(
            100.0 * (begin + (end - begin) * share),
            f"{new_bars:,} new bars",
            items_processed=count,
            at_once=True,
        )

    def _wait(self, seconds: float) -> None:
        self._context.report(100.0 * self._share[0], "somebody else loads it, waiting")
        time.sleep(seconds)

    def _kept(self, loader: SeriesLoader) -> Iterator[str]:
        count = self._stored + loader.counts.new_bars
        if count:
            yield f"{count:,} new bars were stored before, and stay"
