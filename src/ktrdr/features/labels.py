"""Labels: 0 BUY, 1 HOLD, 2 SELL (zigzag: 0 BUY, 1 SELL); what cannot be known is -1, never HOLD."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from ktrdr.indicators.compute import begins_anew, compute_indicator
from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.holes import with_missed
from ktrdr.strategies.bar_terms import MISSED
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag
from ktrdr.strategies.strategy import Indicator

BUY, HOLD, SELL, UNLABELLED = 0, 1, 2, -1
THREE_WAY = ("BUY", "HOLD", "SELL")
TWO_WAY = ("BUY", "SELL")
EWMA_SPAN = 50
ATR = Indicator(type="atr", parameters={"period": 14, "scale": "percent"})

Column = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Labels:
    """Per row [n]: the class, t1 the last row it used, tv the last row it could have used."""

    y: npt.NDArray[np.int8]
    t1: Rows
    tv: Rows


def classes_of(spec: TripleBarrier | ForwardReturn | Zigzag) -> tuple[str, ...]:
    """Return the names of the classes a label type has, in the order of their numbers."""
    return TWO_WAY if isinstance(spec, Zigzag) else THREE_WAY


def label(bars: pl.DataFrame, spec: TripleBarrier | ForwardReturn | Zigzag, timeframe: str) -> Labels:
    """Label every row; a row whose tv lies beyond the data, a hole or a bar without prices is unlabelled.

    Where bars are missing their column `missed` tells, or else the length of a pause.
    """
    bars = with_missed(bars, timeframe)
    priced = np.logical_and.reduce([np.isfinite(bars[name].to_numpy()) for name in PRICES])
    if isinstance(spec, Zigzag):
        labels = _zigzag(bars["close"].to_numpy(), spec.threshold)
    elif isinstance(spec, TripleBarrier):
        labels = _triple_barrier(bars, spec)
    else:
        labels = _forward(bars, spec)
    unknown = ~priced | _beyond_data_or_break(labels.tv, ~priced | (bars[MISSED].to_numpy() > 0))
    return Labels(np.where(unknown, UNLABELLED, labels.y).astype(np.int8), labels.t1, labels.tv)


def _beyond_data_or_break(tv: Rows, breaks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    passed = np.cumsum(breaks)
    last = np.minimum(tv, len(tv) - 1)
    return np.asarray((tv >= len(tv)) | (passed[last] != passed))


def _triple_barrier(bars: pl.DataFrame, spec: TripleBarrier) -> Labels:
    opens, high, low, close = (bars[name].to_numpy() for name in PRICES)
    n = len(close)
    entry = close if spec.entry == "close" else np.append(opens[1:], np.nan)
    unit = compute_indicator(bars, ATR)["value"] if spec.unit == "atr" else np.full(n, 0.01)
    upper, lower = entry * (1 + spec.up * unit), entry * (1 - spec.down * unit)
    y = np.full(n, HOLD, dtype=np.int8)
    t1 = np.arange(n) + spec.horizon
    is_open = np.isfinite(upper)
    for step in range(1, spec.horizon + 1):
        rows = np.flatnonzero(is_open[: max(n - step, 0)])
        later = rows + step
        touched = _touches(upper[rows], lower[rows], opens[later], high[later], low[later])
        hit = touched != UNLABELLED
        y[rows[hit]], t1[rows[hit]] = touched[hit], later[hit]
        is_open[rows[hit]] = False
    y[~np.isfinite(upper)] = UNLABELLED
    return Labels(y, t1, np.arange(n) + spec.horizon)


def _touches(upper: Column, lower: Column, opens: Column, high: Column, low: Column) -> npt.NDArray[np.int8]:
    """Return per row what one later bar decides; both barriers within one bar is HOLD."""
    up, down = high >= upper, low <= lower
    decided = np.select(
        [opens >= upper, opens <= lower, up & down, up, down], [BUY, SELL, HOLD, BUY, SELL], UNLABELLED
    )
    return np.asarray(decided, dtype=np.int8)


def _forward(bars: pl.DataFrame, spec: ForwardReturn) -> Labels:
    opens, close = bars["open"].to_numpy(), bars["close"].to_numpy()
    n = len(close)
    entry = close if spec.entry == "close" else np.append(opens[1:], np.nan)
    ahead = np.append(close[spec.horizon :], np.full(min(spec.horizon, n), np.nan))[:n]
    returns = ahead / entry - 1
    if spec.unit == "percent":
        threshold = np.full(n, spec.threshold / 100)
    else:
        threshold = spec.threshold * _volatility(close, begins_anew(bars)) * np.sqrt(spec.horizon)
    y = np.select([returns > threshold, returns < -threshold], [BUY, SELL], HOLD).astype(np.int8)
    y[~np.isfinite(returns) | ~np.isfinite(threshold)] = UNLABELLED
    last = np.arange(n) + spec.horizon
    return Labels(y, last, last)


def _volatility(close: Column, anew: npt.NDArray[np.bool_]) -> Column:
    """Return the EWMA (span 50) deviation of log returns up to each row, none over a hole."""
    returns = pl.Series(np.where(anew, np.nan, np.diff(np.log(close), prepend=np.nan))).fill_nan(None)
    return returns.ewm_std(span=EWMA_SPAN, min_samples=EWMA_SPAN).fill_null(np.nan).to_numpy()


def _zigzag(close: Column, threshold: float) -> Labels:
    n = len(close)
    y = np.full(n, UNLABELLED, dtype=np.int8)
    t1 = np.arange(n)
    pivots = _pivots(close, threshold)
    for (start, _, _), (end, confirmed, is_high) in pairwise(pivots):
        y[start:end] = 0 if is_high else 1
        t1[start:end] = confirmed
    return Labels(y, t1, t1.copy())


def _pivots(close: Column, threshold: float) -> list[tuple[int, int, bool]]:
    """Return confirmed pivots: row, row of confirmation, and whether it is a high."""
    pivots: list[tuple[int, int, bool]] = []
    low = high = int(np.isfinite(close).argmax())
    direction = 0
    prices = close.tolist()
    for row, price in enumerate(prices):
        low = row if price < prices[low] else low
        high = row if price > prices[high] else high
        if direction >= 0 and price <= prices[high] * (1 - threshold):
            pivots.append((high, row, True))
            direction, low, high = -1, row, row
        elif direction <= 0 and price >= prices[low] * (1 + threshold):
            pivots.append((low, row, False))
            direction, low, high = 1, row, row
    return pivots
