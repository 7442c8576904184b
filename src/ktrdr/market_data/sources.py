"""From what is asked for to the loader that does it: which provider, on which terms."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.expected import BY_DAY
from ktrdr.market_data.loading import Notice, SeriesLoader, Wish
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.stored import StoredBars, finer_series
from ktrdr.market_data.series_choice import IMPORTED, choose_series
from ktrdr.market_data.series_meta import DataDamaged, Series, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.strategies.bar_terms import Adjustment

USUAL = "sample"

OpenSource = Callable[[str, Adjustment | None, str], BarProvider]


def find_series(store: BarStore, symbol: str, timeframe: str, provider: str | None = None) -> Series:
    """Return which series is meant: the named provider's, else one that is there, else the sample's.

    What is there is chosen as `choose_series` does, a series of finer bars where there is none of these.
    Raises InputInvalid, naming them, if several providers have it.
    """
    if provider is not None:
        return Series(provider, symbol, timeframe)
    finer = (each for each, seconds in TIMEFRAME_SECONDS.items() if seconds < TIMEFRAME_SECONDS[timeframe])
    for each in (timeframe, *finer):
        with suppress(NotFound):
            return Series(choose_series(store, symbol, each).provider, symbol, timeframe)
    return Series(USUAL, symbol, timeframe)


def open_loader(
    store: BarStore,
    series: Series,
    wish: Wish,
    open_source: OpenSource,
    *,
    adjustment: Adjustment | None = None,
    now: datetime,
    notice: Notice,
    wait: Callable[[float], None],
) -> SeriesLoader:
    """Return the loader of a series; what is stored already decides terms that nobody asked for.

    `open_source(name, adjustment, timeframe)` returns a provider. Raises InputInvalid for one that is not
    there, or that cannot do what is asked.
    """
    kept = _kept_terms(store, series)
    provider: BarProvider
    if wish.mode == "local":
        usual = kept or _finer_terms(store, series)
        terms = replace(usual, adjustment=adjustment or usual.adjustment)
        provider = StoredBars(series.provider, terms, store)
        kept = kept or terms
    elif series.provider == IMPORTED:
        hint = "import them again, or use --mode local or another --provider"
        raise InputInvalid(f"the bars of {series.symbol} were imported; there is nobody to ask", hint=hint)
    else:
        adjusted = adjustment or (kept.adjustment if kept else None)
        provider = open_source(series.provider, adjusted, series.timeframe)
    hours = kept.hours if kept and wish.hours == "all" else wish.hours
    return SeriesLoader(
        store, provider, series, replace(wish, hours=hours), now=now, notice=notice, wait=wait
    )


def _kept_terms(store: BarStore, series: Series) -> Terms | None:
    with suppress(DataDamaged):
        return store.meta(series).terms if store.has(series) else None
    return None


def _finer_terms(store: BarStore, series: Series) -> Terms:
    """Return the terms of the finest series that bars can be made of; days and weeks have no hours."""
    finest = next(finer_series(store, series.provider, series.symbol, series.timeframe), None)
    terms = finest.terms if finest else Terms()
    return replace(terms, hours="all") if series.timeframe in BY_DAY else terms
