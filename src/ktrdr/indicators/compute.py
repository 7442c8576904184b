"""Indicators by TA-Lib, per contiguous block of finite bars, undefined where they mean nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import talib

from ktrdr.strategies.bar_terms import MISSED
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.strategy import Indicator, Strategy

Column = npt.NDArray[np.float64]
Outputs = dict[str, Column]
FEWEST_MISSED = 3  # one or two bars move an indicator less than its own smoothing


@dataclass(frozen=True, slots=True)
class Block:
    """Finite bars without a hole between them, one array [n] per column."""

    high: Column
    low: Column
    close: Column
    volume: Column


def indicator_columns(bars: pl.DataFrame, strategy: Strategy) -> Outputs:
    """Return every output of every indicator as [n], keyed like fuzzy sets: `rsi14`, `macd.hist`."""
    columns: Outputs = {}
    for name, indicator in strategy.indicators.items():
        for output, values in compute_indicator(bars, indicator).items():
            columns[name if output == "value" else f"{name}.{output}"] = values
    return columns


def compute_indicator(bars: pl.DataFrame, indicator: Indicator) -> Outputs:
    """Return the indicator's outputs as float64 [n]; NaN in the warm-up, in holes, and where undefined.

    After a hole, as the column `missed` tells of it, an indicator begins anew.
    """
    spec = INDICATOR_SPECS[indicator.type]
    function = FUNCTIONS[indicator.type]
    columns = {name: _column(bars, name) for name in ("high", "low", "close", "volume")}
    warm_up = spec.warm_up(indicator.parameters)
    outputs = {name: np.full(bars.height, np.nan) for name in spec.outputs}
    for start, stop in _blocks(columns, begins_anew(bars), needs_volume=spec.needs_volume):
        if stop - start <= warm_up:
            continue
        block = Block(**{name: values[start:stop] for name, values in columns.items()})
        for name, values in function(block, indicator.parameters).items():
            outputs[name][start + warm_up : stop] = values[warm_up:]
    return outputs


def begins_anew(bars: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Return before which bars [n] so many are missing that nothing smoothed goes on over them."""
    if MISSED not in bars.columns:
        return np.zeros(bars.height, dtype=np.bool_)
    return np.asarray(bars[MISSED].to_numpy() >= FEWEST_MISSED)


def _column(bars: pl.DataFrame, name: str) -> Column:
    return bars[name].cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)


def _blocks(
    columns: Mapping[str, Column], anew: npt.NDArray[np.bool_], *, needs_volume: bool
) -> Iterator[tuple[int, int]]:
    """Yield from where up to where bars are finite without a hole between them."""
    names = ("high", "low", "close", "volume") if needs_volume else ("high", "low", "close")
    finite = np.logical_and.reduce([np.isfinite(columns[name]) for name in names])
    numbers = np.where(finite, np.cumsum(anew | ~finite) + 1, 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], numbers, [0]))))
    for start, stop in pairwise(edges.tolist()):
        if numbers[start]:
            yield start, stop


def _rsi(block: Block, p: Mapping[str, Any]) -> Outputs:
    values = talib.RSI(block.close, p["period"])
    return {"value": np.where(_is_flat(block.close, p["period"]), np.nan, values)}


def _macd(block: Block, p: Mapping[str, Any]) -> Outputs:
    line, signal, hist = talib.MACD(block.close, p["fast"], p["slow"], p["signal"])
    scale = talib.ATR(block.high, block.low, block.close, 14) if p["scale"] == "atr" else 1.0
    return {"line": _ratio(line, scale), "signal": _ratio(signal, scale), "hist": _ratio(hist, scale)}


def _adx(block: Block, p: Mapping[str, Any]) -> Outputs:
    bars = (block.high, block.low, block.close, p["period"])
    return {"adx": talib.ADX(*bars), "plus_di": talib.PLUS_DI(*bars), "minus_di": talib.MINUS_DI(*bars)}


def _atr(block: Block, p: Mapping[str, Any]) -> Outputs:
    values = talib.ATR(block.high, block.low, block.close, p["period"])
    return {"value": values / block.close if p["scale"] == "percent" else values}


def _distance_ma(block: Block, p: Mapping[str, Any]) -> Outputs:
    average = talib.EMA if p["average"] == "ema" else talib.SMA
    return {"value": _ratio(block.close, average(block.close, p["period"])) - 1.0}


def _bbands(block: Block, p: Mapping[str, Any]) -> Outputs:
    upper, middle, lower = talib.BBANDS(block.close, p["period"], p["deviations"], p["deviations"])
    return {"percent_b": _ratio(block.close - lower, upper - lower), "width": _ratio(upper - lower, middle)}


def _stoch(block: Block, p: Mapping[str, Any]) -> Outputs:
    k, d = talib.STOCH(
        block.high,
        block.low,
        block.close,
        fastk_period=p["k"],
        slowk_period=p["smooth"],
        slowd_period=p["d"],
    )
    flat = _is_flat(block.close, p["k"] + p["smooth"] + p["d"] - 3)
    return {"k": np.where(flat, np.nan, k), "d": np.where(flat, np.nan, d)}


def _roc(block: Block, p: Mapping[str, Any]) -> Outputs:
    return {"value": talib.ROC(block.close, p["period"])}


def _volume_ratio(block: Block, p: Mapping[str, Any]) -> Outputs:
    return {"value": _ratio(block.volume, talib.SMA(block.volume, p["period"]))}


def _ratio(numerator: Column, denominator: Column | float) -> Column:
    divisor = np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, np.where(divisor == 0, np.nan, divisor))


def _is_flat(close: Column, period: int) -> npt.NDArray[np.bool_]:
    """Tell where no close has changed over the period: oscillators mean nothing there."""
    changed = np.concatenate(([0], np.cumsum(np.diff(close) != 0)))
    flat = np.zeros(len(close), dtype=bool)
    flat[period:] = changed[period:] == changed[:-period]
    return flat


FUNCTIONS: Mapping[str, Callable[[Block, Mapping[str, Any]], Outputs]] = {
    "rsi": _rsi,
    "macd": _macd,
    "adx": _adx,
    "atr": _atr,
    "distance_ma": _distance_ma,
    "bbands": _bbands,
    "stoch": _stoch,
    "roc": _roc,
    "volume_ratio": _volume_ratio,
}
