"""Prices adjusted in two ways are never mixed: where stored and fetched bars overlap, they must agree."""

from datetime import timedelta

import polars as pl

from ktrdr.errors import DataInvalid, ProviderFailed
from ktrdr.market_data.chunks import Chunk
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

SAME_CLOSE = 1e-6
MOMENT = timedelta(microseconds=1)


def refuse_lost_neighbours(series: Series, chunk: Chunk, fetched: pl.DataFrame) -> None:
    """Raise ProviderFailed if a stored bar that was asked for again did not come: the answer is not whole."""
    times = set(fetched["time"])
    asked = [chunk.request.start] if chunk.request.start < chunk.wanted.start else []
    asked += [chunk.request.end - MOMENT] if chunk.request.end > chunk.wanted.end else []
    for each in asked:
        if each not in times:
            raise ProviderFailed(
                f"`{series.provider}` did not give the bar of {each:%Y-%m-%d %H:%M} again, which is stored",
                hint=f"load again later, or `ktrdr data delete {series.symbol} --timeframe "
                f"{series.timeframe}` and load all of it",
            )


def refuse_another_adjustment(store: BarStore, series: Series, fetched: pl.DataFrame) -> None:
    """Raise DataInvalid if a stored close differs from the fetched one by more than 1e-6 of it."""
    if fetched.is_empty():
        return
    span = Interval(fetched["time"][0], fetched["time"][-1] + MOMENT)
    both = store.read(series, span).join(fetched, on="time", suffix="_now")
    changed = both.filter((pl.col("close_now") / pl.col("close") - 1).abs() > SAME_CLOSE)
    if changed.height:
        was, now = changed["close"][0], changed["close_now"][0]
        raise DataInvalid(
            f"the close of {series.symbol} on {changed['time'][0]:%Y-%m-%d} was {was:g} and is {now:g} now: "
            "the provider adjusts its prices in another way",
            hint="bars of two adjustments are never mixed and nothing was changed; "
            f"`ktrdr data delete {series.symbol}` first, to load all of it again",
        )
