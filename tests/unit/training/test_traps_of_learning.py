"""What training may not know, and what it must find out about data that hold nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.features.dataset import Dataset, build_dataset
from ktrdr.features.partition import Partition
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.baselines import baselines_of
from ktrdr.training.config import TrainingConfig, from_strategy
from ktrdr.training.evaluate import Evaluation, evaluate
from ktrdr.training.linear import fit_linear
from ktrdr.training.loop import train
from ktrdr.training.network import predict
from ktrdr.training.records import Samples, TrainedNetwork
from ktrdr.training.verdicts import RIVALS

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
STRATEGY = parse_strategy(TEXT, "s.yaml")
AS_IT_STANDS = from_strategy(STRATEGY, 3)
QUICK = replace(AS_IT_STANDS, epochs=10, patience=None, hidden=(4,))
LENGTH, TRAIN_ROWS, CHECK_ROWS = 2000, 1200, 200


def samples(part: Partition) -> Samples:
    return Samples(part.x, part.y, part.weight)


def learned(data: Dataset) -> TrainedNetwork:
    return train(QUICK, samples(data.train), samples(data.validation))


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


def trimmed(data: Dataset) -> Dataset:
    """Keep equally many rows of each walk, so that one compiled program serves all."""
    return replace(data, train=last(data.train, TRAIN_ROWS), validation=last(data.validation, CHECK_ROWS))


def last(part: Partition, rows: int) -> Partition:
    return Partition(**{name: getattr(part, name)[-rows:] for name in Partition.__dataclass_fields__})


@cache
def judged(seed: int, config: TrainingConfig) -> Evaluation:
    """Train on a walk as an operation does, and judge it beside its baselines."""
    data = trimmed(build_dataset({"WALK": walk(seed)}, STRATEGY))
    network = train(config, samples(data.train), samples(data.validation))
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    said = {name: predict(network.weights, part.x, "relu") for name, part in parts.items()}
    linear = fit_linear(data.train.x, data.train.y, data.train.u, len(data.classes))
    opponents = baselines_of(data.train, data.pi, linear)
    return evaluate(data, said, opponents, scored_before=0)


def unfounded(walks: int, config: TrainingConfig) -> dict[str, int]:
    """Count the walks on which each verdict says that something was learned."""
    verdicts = [judged(seed, config).verdict for seed in range(walks)]
    assert {each[name] for each in verdicts for name in RIVALS} <= {"yes", "no", "not distinguishable"}
    return {name: sum(each[name] == "yes" for each in verdicts) for name in RIVALS}


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
    found = np.array([judged(seed, QUICK).test_metrics["direction"] for seed in range(20)], dtype=float)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - 0.5) <= 2.5 * error


def test_on_40_random_walks_no_verdict_claims_more_than_4() -> None:
    assert {name: count for name, count in unfounded(40, QUICK).items() if count > 4} == {}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_on_200_random_walks_no_verdict_of_the_example_claims_more_than_10() -> None:
    assert {name: count for name, count in unfounded(200, AS_IT_STANDS).items() if count > 10} == {}
