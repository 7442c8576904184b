"""What training may not know, and what it must find out about data that hold nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from ktrdr.features.dataset import Dataset, build_dataset
from ktrdr.features.partition import Partition
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.config import from_strategy
from ktrdr.training.loop import train
from ktrdr.training.metrics import split_metrics
from ktrdr.training.network import predict
from ktrdr.training.records import Samples, TrainedNetwork

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
STRATEGY = parse_strategy(TEXT, "s.yaml")
CONFIG = replace(from_strategy(STRATEGY, 3), epochs=10, patience=None, hidden=(4,))
WALKS, LENGTH, TRAIN_ROWS, CHECK_ROWS = 20, 2000, 1200, 200


def samples(part: Partition, rows: int | None = None) -> Samples:
    chosen = slice(None) if rows is None else slice(-rows, None)
    return Samples(part.x[chosen], part.y[chosen], part.weight[chosen])


def learned(data: Dataset) -> TrainedNetwork:
    """Train on equally many rows of each, so that one compiled program serves every walk."""
    return train(CONFIG, samples(data.train, TRAIN_ROWS), samples(data.validation, CHECK_ROWS))


def poisoned(part: Partition) -> Partition:
    return replace(part, x=np.full_like(part.x, np.nan), y=np.zeros_like(part.y), weight=part.weight * np.nan)


def walk(seed: int) -> pl.DataFrame:
    """Daily bars whose future nobody can know."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(0, 0.01, (LENGTH, 4)).cumsum(axis=1)
    before = np.concatenate(([0.0], steps[:, -1].cumsum()[:-1]))[:, None]
    path = 100 * np.exp(before + steps)
    opened = 100 * np.exp(before[:, 0])
    everything = np.column_stack([opened, path])
    start = datetime(2000, 1, 1, tzinfo=UTC)
    times = pl.Series([start + timedelta(days=day) for day in range(LENGTH)], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "time": times,
            "open": opened,
            "high": everything.max(axis=1),
            "low": everything.min(axis=1),
            "close": path[:, -1],
            "volume": generator.uniform(1, 2, LENGTH),
        }
    )


def direction_on(seed: int) -> float | None:
    data = build_dataset({"WALK": walk(seed)}, STRATEGY)
    probabilities = predict(learned(data).weights, data.test.x, "relu")
    return split_metrics(data.test.y, probabilities, data.pi, data.test.u, data.classes).direction


def test_trap_08_poisoned_test_rows_leave_every_weight_as_it_was() -> None:
    data = build_dataset({"AAPL": load_sample("AAPL")}, STRATEGY)
    clean, dirty = learned(data), learned(replace(data, test=poisoned(data.test)))
    for name, values in clean.weights.items():
        np.testing.assert_array_equal(dirty.weights[name], values)


def test_trap_08_bars_of_the_test_period_leave_every_weight_as_it_was() -> None:
    bars = load_sample("AAPL")
    data = build_dataset({"AAPL": bars}, STRATEGY)
    in_test = pl.col("time").to_physical() >= data.cuts.test
    tripled = [pl.when(in_test).then(pl.col(name) * 3).otherwise(pl.col(name)) for name in bars.columns[1:]]
    other = build_dataset({"AAPL": bars.with_columns(tripled)}, STRATEGY)
    assert not np.array_equal(other.test.y, data.test.y)
    clean, changed = learned(data), learned(other)
    for name, values in clean.weights.items():
        np.testing.assert_array_equal(changed.weights[name], values)


def test_trap_10_nobody_knows_the_direction_of_a_random_walk() -> None:
    found = np.array([each for each in map(direction_on, range(WALKS)) if each is not None])
    assert len(found) == WALKS
    error = found.std(ddof=1) / np.sqrt(WALKS)
    assert abs(found.mean() - 0.5) <= 2.5 * error
