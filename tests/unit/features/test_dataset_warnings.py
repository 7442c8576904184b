"""What a dataset warns of: rare classes, symbols not judged, too few samples; and what it does not mind."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.features.dataset import Dataset, build_dataset
from ktrdr.features.report import dataset_report
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
STRATEGY = parse_strategy(TEXT, "s.yaml")
AAPL, MSFT = load_sample("AAPL"), load_sample("MSFT")


def warnings_of(data: Dataset) -> list[str]:
    warnings: list[str] = dataset_report(data)["warnings"]
    return warnings


def test_a_rare_class_is_told_by_rows_and_by_weight() -> None:
    rare = parse_strategy(TEXT.replace("up: 2.0, down: 2.0", "up: 1.1, down: 1.1"), "s.yaml")
    data = build_dataset({"AAPL": AAPL}, rare)
    hold = data.train.y == 1
    rows, weight = hold.mean(), data.train.u[hold].sum() / data.train.u.sum()
    assert weight < 0.05 < rows, "the two differ, so that naming one by the other would be wrong"
    told = f"class HOLD is {rows:.1%} of the training rows and {weight:.1%} of their weight"
    assert told in warnings_of(data)
    train = dataset_report(data)["splits"]["train"]
    assert (train["class_shares"]["HOLD"], train["class_weights"]["HOLD"]) == pytest.approx((rows, weight))


def test_a_symbol_without_test_rows_is_named() -> None:
    early = MSFT.filter(pl.col("time").dt.year() < 2010)
    data = build_dataset({"AAPL": AAPL, "MSFT": early}, STRATEGY)
    assert "MSFT has no test rows: the figures of that split say nothing of it" in warnings_of(data)
    assert not any("AAPL has no" in each for each in warnings_of(data))


def test_few_effective_samples_are_told_though_there_are_many_rows() -> None:
    data = build_dataset({"AAPL": AAPL[:900]}, STRATEGY)
    effective = data.test.u.sum()
    assert effective < 30 < len(data.test)
    told = f"only {effective:.0f} effective test samples: hardly anything can be told from them"
    assert told in warnings_of(data)
    assert not any("effective" in each for each in warnings_of(build_dataset({"AAPL": AAPL}, STRATEGY)))


def test_the_order_in_which_symbols_are_named_changes_nothing() -> None:
    one = build_dataset({"AAPL": AAPL, "MSFT": MSFT}, STRATEGY)
    other = build_dataset({"MSFT": MSFT, "AAPL": AAPL}, STRATEGY)
    assert other.symbols == one.symbols == ("AAPL", "MSFT")
    assert other.fitted_sets == one.fitted_sets
    for part in ("train", "validation", "test"):
        for name in ("x", "y", "weight", "time", "symbol"):
            np.testing.assert_array_equal(
                getattr(getattr(other, part), name), getattr(getattr(one, part), name)
            )
