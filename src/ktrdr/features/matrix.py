"""The one pure function from bars to inputs: training, prediction and backtests use the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ktrdr.fuzzy.memberships import membership
from ktrdr.indicators.compute import compute_indicator, indicator_columns
from ktrdr.market_data.holes import reaching_back, with_missed
from ktrdr.strategies.bar_terms import MISSED
from ktrdr.strategies.fuzzy_spec import Shape
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.strategy import Indicator, Strategy

FittedSets = Mapping[str, Mapping[str, Shape]]
Column = npt.NDArray[np.float64]
RSI = Indicator(type="rsi", parameters={"period": 14})


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Inputs x float32 [n, f] with their names; NaN where a row is not usable. `rsi` is RSI(14) [n]."""

    names: tuple[str, ...]
    x: npt.NDArray[np.float32]
    rsi: Column


def feature_matrix(bars: pl.DataFrame, strategy: Strategy, fitted: FittedSets) -> FeatureTable:
    """Return memberships of every fuzzy set, now and at each lag; row t depends on bars up to t alone.

    A lag that would reach over a hole, as the column `missed` tells of it, is NaN.
    """
    bars = with_missed(bars, strategy.data.timeframe)
    columns = indicator_columns(bars, strategy)
    names, present = [], []
    for key, sets in fitted.items():
        for name, shape in sets.items():
            names.append(f"{key}.{name}")
            present.append(membership(columns[key], shape))
    now = np.column_stack(present).astype(np.float32)
    missed = bars[MISSED].to_numpy()
    lagged = [_shifted(now, lag, reaching_back(missed, lag)) for lag in strategy.features.lags]
    lagged_names = [f"{name}@-{lag}" for lag in strategy.features.lags for name in names]
    rsi = compute_indicator(bars, RSI)["value"]
    return FeatureTable((*names, *lagged_names), np.hstack([now, *lagged]), rsi)


def warm_up(strategy: Strategy) -> int:
    """Return how many bars pass before the first usable row."""
    used = {key.partition(".")[0] for key in strategy.fuzzy}
    needs = (INDICATOR_SPECS[each.type].warm_up(each.parameters) for each in _used(strategy, used))
    return max((*needs, INDICATOR_SPECS["rsi"].warm_up(RSI.parameters))) + max(
        strategy.features.lags, default=0
    )


def _used(strategy: Strategy, names: set[str]) -> list[Indicator]:
    return [indicator for name, indicator in strategy.indicators.items() if name in names]


def _shifted(
    table: npt.NDArray[np.float32], rows: int, unknown: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    shifted = np.full_like(table, np.nan)
    shifted[rows:] = table[: len(table) - rows]
    shifted[unknown] = np.nan
    return shifted
