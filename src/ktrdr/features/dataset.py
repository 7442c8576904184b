"""Bars of every symbol and a strategy become three partitions and an account of every bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.features.labels import UNLABELLED, Labels, classes_of, label
from ktrdr.features.matrix import FittedSets, feature_matrix, warm_up
from ktrdr.features.partition import Partition, counted, joined, weighted
from ktrdr.features.shortage import Remains, too_few_rows
from ktrdr.features.split import EMBARGOED, PURGED, TEST, TRAIN, VALIDATION, Cuts, assign, find_cuts
from ktrdr.features.weights import class_shares, uniqueness
from ktrdr.fuzzy.fit import fit_sets
from ktrdr.indicators.compute import indicator_columns
from ktrdr.market_data.holes import reaching_back, with_missed
from ktrdr.strategies.bar_terms import MISSED
from ktrdr.strategies.fuzzy_spec import Shape
from ktrdr.strategies.strategy import Strategy, spec_of

FEWEST_ROWS = 50


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Where every bar of a symbol went; the counts after `loaded` sum to it."""

    symbol: str
    loaded: int
    warm_up: int
    non_finite: int
    unlabelled: int
    purged: int
    embargoed: int
    used: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """What training and evaluation need, and nothing fitted on anything but training rows."""

    symbols: tuple[str, ...]
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    train: Partition
    validation: Partition
    test: Partition
    fitted_sets: Mapping[str, Mapping[str, Shape]]
    pi: npt.NDArray[np.float64]
    ledger: tuple[LedgerRow, ...]
    cuts: Cuts
    horizon: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """One symbol's bars with what is known of each before anything is fitted."""

    bars: pl.DataFrame
    columns: Mapping[str, npt.NDArray[np.float64]]
    times: npt.NDArray[np.int64]
    labels: Labels
    usable: npt.NDArray[np.bool_]
    warm_up: int

    @property
    def tv_times(self) -> npt.NDArray[np.int64]:
        return self.times[np.minimum(self.labels.tv, len(self.times) - 1)]

    @property
    def horizon(self) -> int:
        ahead = self.labels.tv - np.arange(len(self.times))
        return int(ahead[self.usable].max(initial=1))


def build_dataset(bars: Mapping[str, pl.DataFrame], strategy: Strategy) -> Dataset:
    """Return the dataset of a strategy over bars by symbol, whatever order they are named in.

    Raises DataInvalid when there are too few rows, or a class that training never sees.
    """
    rows = {symbol: _examine(bars[symbol], strategy) for symbol in sorted(bars)}
    usable = [each.times[each.usable] for each in rows.values()]
    times = np.concatenate(usable)
    if len(times) < FEWEST_ROWS:
        raise too_few_rows(len(times), _remains(list(rows.values()), strategy), FEWEST_ROWS)
    cuts = find_cuts(times, strategy.split)
    splits = {symbol: _assign(each, cuts) for symbol, each in rows.items()}
    _refuse_unlearnable(rows, splits, classes_of(strategy.labels))
    fitted = _fit(rows, splits, strategy)
    return _assemble(rows, splits, fitted, strategy, cuts)


def _remains(rows: Sequence[_Rows], strategy: Strategy) -> Remains:
    """Return what of all symbols is there after the warm-up."""
    null = {
        key: np.concatenate([~np.isfinite(each.columns[key][each.warm_up :]) for each in rows])
        for key in strategy.fuzzy
    }
    return Remains(
        loaded=sum(len(each.times) for each in rows),
        warm_up=warm_up(strategy),
        bars=pl.concat([each.bars[each.warm_up :] for each in rows]),
        null=null,
        of_volume=frozenset(key for key in strategy.fuzzy if spec_of(strategy, key).needs_volume),
        unlabelled=np.concatenate([each.labels.y[each.warm_up :] == UNLABELLED for each in rows]),
    )


def _examine(loaded: pl.DataFrame, strategy: Strategy) -> _Rows:
    bars = with_missed(loaded, strategy.data.timeframe)
    missed = bars[MISSED].to_numpy()
    columns = indicator_columns(bars, strategy)
    wanted = np.column_stack([columns[key] for key in strategy.fuzzy])
    present: npt.NDArray[np.bool_] = np.asarray(np.isfinite(wanted).all(axis=1))
    finite = present.copy()
    for lag in strategy.features.lags:
        finite[:lag] = False
        finite[lag:] &= present[:-lag]
        finite &= ~reaching_back(missed, lag)
    before = min(warm_up(strategy), bars.height)
    finite[:before] = False
    labels = label(bars, strategy.labels, strategy.data.timeframe)
    times = bars["time"].to_physical().to_numpy()
    return _Rows(bars, columns, times, labels, finite & (labels.y != UNLABELLED), before)


def _assign(rows: _Rows, cuts: Cuts) -> npt.NDArray[np.int8]:
    assigned = assign(rows.times, rows.tv_times, cuts)
    assigned[~rows.usable] = UNLABELLED
    return assigned


def _fit(
    rows: Mapping[str, _Rows], splits: Mapping[str, npt.NDArray[np.int8]], strategy: Strategy
) -> dict[str, dict[str, Shape]]:
    fitted = {}
    for key, spec in strategy.fuzzy.items():
        training = [each.columns[key][splits[symbol] == TRAIN] for symbol, each in rows.items()]
        fitted[key] = fit_sets(spec, np.concatenate(training))
    return fitted


def _assemble(
    rows: Mapping[str, _Rows],
    splits: Mapping[str, npt.NDArray[np.int8]],
    fitted: FittedSets,
    strategy: Strategy,
    cuts: Cuts,
) -> Dataset:
    tables = {symbol: feature_matrix(each.bars, strategy, fitted) for symbol, each in rows.items()}
    classes = classes_of(strategy.labels)
    partitions = []
    for split in (TRAIN, VALIDATION, TEST):
        parts = [
            _part(
                rows[symbol],
                np.flatnonzero(splits[symbol] == split),
                tables[symbol].x,
                tables[symbol].rsi,
                number,
            )
            for number, symbol in enumerate(rows)
        ]
        partitions.append(joined(parts))
    unique = strategy.training.sample_weights == "uniqueness"
    pi = class_shares(partitions[0].y, counted(partitions[0], uniqueness=unique), len(classes))
    balanced = strategy.training.class_weights == "balanced"
    train, validation, test = (
        weighted(each, pi, uniqueness=unique, balanced=balanced) for each in partitions
    )
    return Dataset(
        symbols=tuple(rows),
        feature_names=next(iter(tables.values())).names,
        classes=classes,
        train=train,
        validation=validation,
        test=test,
        fitted_sets=fitted,
        pi=pi,
        ledger=tuple(_ledger_row(symbol, rows[symbol], splits[symbol]) for symbol in rows),
        cuts=cuts,
        horizon=max(each.horizon for each in rows.values()),
    )


def _part(
    rows: _Rows,
    chosen: npt.NDArray[np.int64],
    x: npt.NDArray[np.float32],
    rsi: npt.NDArray[np.float64],
    number: int,
) -> Partition:
    t1 = np.minimum(rows.labels.t1[chosen], len(rows.times) - 1)
    u = uniqueness(chosen, t1, len(rows.times))
    return Partition(
        x=x[chosen],
        y=rows.labels.y[chosen].astype(np.int32),
        u=u,
        weight=u,
        time=rows.times[chosen],
        t1=rows.times[t1],
        symbol=np.full(len(chosen), number, dtype=np.int32),
        rsi=rsi[chosen],
    )


def _refuse_unlearnable(
    rows: Mapping[str, _Rows], splits: Mapping[str, npt.NDArray[np.int8]], classes: tuple[str, ...]
) -> None:
    y = np.concatenate([each.labels.y for each in rows.values()])
    assigned = np.concatenate(list(splits.values()))
    for name, split in (("training", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        if not (assigned == split).any():
            hint = "load a longer range, shorten the horizon of the labels, or change the split"
            raise DataInvalid(f"no rows are left for {name}", hint=hint)
    missing = [name for number, name in enumerate(classes) if number not in y[assigned == TRAIN]]
    if missing:
        raise DataInvalid(
            f"training has no row of class {', '.join(missing)}",
            hint="change the thresholds of the labels, or load a longer range",
        )


def _ledger_row(symbol: str, rows: _Rows, splits: npt.NDArray[np.int8]) -> LedgerRow:
    unlabelled = rows.labels.y == UNLABELLED
    after = np.arange(len(rows.times)) >= rows.warm_up
    counts = {
        name: int((splits == value).sum()) for name, value in (("purged", PURGED), ("embargoed", EMBARGOED))
    }
    return LedgerRow(
        symbol=symbol,
        loaded=len(rows.times),
        warm_up=rows.warm_up,
        non_finite=int((after & ~rows.usable & ~unlabelled).sum()),
        unlabelled=int((after & unlabelled).sum()),
        used=int(np.isin(splits, (TRAIN, VALIDATION, TEST)).sum()),
        **counts,
    )
