"""What a dataset says of itself: its horizon, its cuts, its holes."""

from pathlib import Path

import numpy as np
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.features.dataset import build_dataset
from ktrdr.features.labels import label
from ktrdr.features.report import dataset_report
from ktrdr.features.split import find_cuts
from ktrdr.features.weights import class_shares, training_weights, uniqueness
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.label_spec import Zigzag
from ktrdr.strategies.strategy import SplitSection, Strategy
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
BARRIER = next(line for line in TEXT.splitlines() if line.startswith("labels:"))
BARS = {"AAPL": load_sample("AAPL")}


def strategy_with(old: str, new: str) -> Strategy:
    assert old in TEXT
    return parse_strategy(TEXT.replace(old, new), "s.yaml")


def test_the_horizon_of_zigzag_is_its_longest_reach() -> None:
    data = build_dataset(BARS, strategy_with(BARRIER, "labels: {type: zigzag, threshold: 0.05}"))
    labels = label(BARS["AAPL"], Zigzag(type="zigzag", threshold=0.05), "1d")
    reach = (labels.tv - np.arange(len(labels.tv)))[labels.y != -1].max()
    assert 10 < data.horizon <= reach


def test_the_horizon_of_barriers_is_the_one_asked_for() -> None:
    assert build_dataset(BARS, parse_strategy(TEXT, "s.yaml")).horizon == 10


@pytest.mark.parametrize(("train", "first", "second"), [(0.57, 57, 78), (0.70, 70, 85)])
def test_cuts_are_at_the_share_a_person_would_count(train: float, first: int, second: int) -> None:
    split = SplitSection(train=train, validation=(second - first) / 100, test=1 - second / 100)
    cuts = find_cuts(np.arange(100), split)
    assert (cuts.validation, cuts.test) == (first, second)


def test_the_embargo_drops_the_first_bars_after_each_cut() -> None:
    without = build_dataset(BARS, parse_strategy(TEXT, "s.yaml"))
    data = build_dataset(BARS, strategy_with("embargo: 0", "embargo: 5"))
    assert data.ledger[0].embargoed == 10
    assert len(without.test) - len(data.test) == 5
    assert data.test.time.min() == without.test.time[5]


def test_rows_that_no_set_of_an_indicator_covers_are_counted() -> None:
    wide = "{oversold: [left, 20, 40], neutral: [30, 50, 70], overbought: [right, 60, 80]}"
    narrow = "{oversold: [left, 5, 10], overbought: [right, 90, 95]}"
    report = dataset_report(build_dataset(BARS, strategy_with(wide, narrow)))
    assert any("every membership of `rsi14` is 0" in warning for warning in report["warnings"])


def test_a_class_that_training_never_sees_is_an_error() -> None:
    flat = strategy_with(
        BARRIER, "labels: {type: triple_barrier, horizon: 10, up: 90, down: 90, unit: percent}"
    )
    with pytest.raises(DataInvalid, match="no row of class"):
        build_dataset(BARS, flat)


def test_a_horizon_that_purges_all_training_rows_is_named() -> None:
    with pytest.raises(DataInvalid, match="no rows are left for"):
        build_dataset({"AAPL": BARS["AAPL"][:900]}, strategy_with("horizon: 10", "horizon: 500"))


def test_uniqueness_is_the_mean_share_of_each_bar_after_the_row() -> None:
    """Rows 0 and 1 share bar 2; row 0 has bar 1 alone, row 1 bar 3: each 0.75."""
    np.testing.assert_allclose(uniqueness(np.array([0, 1]), np.array([2, 3]), 5), [0.75, 0.75])
    np.testing.assert_allclose(uniqueness(np.array([0, 2]), np.array([2, 4]), 5), [1.0, 1.0])


def test_balanced_weights_give_every_class_the_same_sum_and_mean_one() -> None:
    y, u = np.array([0, 0, 0, 1, 2, 2]), np.array([0.5, 0.5, 1.0, 0.2, 0.4, 0.4])
    weights = training_weights(y, u, class_shares(y, u, 3), balanced=True)
    sums = [weights[y == number].sum() for number in range(3)]
    np.testing.assert_allclose(sums, [2.0, 2.0, 2.0])
    np.testing.assert_allclose(weights.mean(), 1.0)


@pytest.mark.parametrize("sample_weights", ["uniqueness", "none"])
def test_balanced_classes_weigh_the_same_however_samples_are_weighted(sample_weights: str) -> None:
    text = TEXT.replace("class_weights: none", "class_weights: balanced")
    text = text.replace("sample_weights: uniqueness", f"sample_weights: {sample_weights}")
    train = build_dataset(BARS, parse_strategy(text, "s.yaml")).train
    sums = np.bincount(train.y, weights=train.weight)
    np.testing.assert_allclose(sums, sums.mean())
