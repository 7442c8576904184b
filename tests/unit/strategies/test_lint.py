"""What is allowed but probably not meant is told, at the key that it is about; what is usual is not."""

from pathlib import Path

import numpy as np
import pytest

from ktrdr.fuzzy.memberships import membership as trained
from ktrdr.strategies.fuzzy_spec import Shape
from ktrdr.strategies.lint import lint, membership, remarks
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
LABELS = "{type: triple_barrier, horizon: 10, up: 2.0, down: 2.0, unit: atr}"
OLD = "[left, 20, 40]"


def changed(good: str, bad: str) -> Strategy:
    assert good in TEXT
    return parse_strategy(TEXT.replace(good, bad, 1), "s.yaml")


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (
            OLD,
            "[left, -50, 400]",
            "set `oversold` of `rsi14` is always on within the indicator's range, 0 to 100",
        ),
        (OLD, "[left, -50, -10]", "set `oversold` of `rsi14` lies outside the indicator's range"),
        (OLD, "[right, 60, 180]", "set `oversold` of `rsi14` is at most 0.33 within"),
        (OLD, "[90, 150, 400]", "is at most 0.17 within"),
        (OLD, "[gaussian, 150, 20]", "is at most 0.04 within"),
        (OLD, "[-100, -50, 150, 200]", "is always on within"),
        (
            "learning_rate: 0.001",
            "learning_rate: 1000",
            "`training.learning_rate` is 1000; usual is 1e-06",
        ),
        ("weight_decay: 0.0001", "weight_decay: 30", "`training.weight_decay` is 30"),
        ("batch_size: 64", "batch_size: 1", "`training.batch_size` is 1"),
        ("min_delta: 0.0001", "min_delta: 5", "`training.early_stopping.min_delta` is 5"),
        ("dropout: 0.2", "dropout: 0.99", "`model.dropout` is 0.99"),
        ("hidden: [16]", "hidden: [16, 4000]", "`model.hidden` is 4000"),
        ("lags: [1, 2]", "lags: [1, 100]", "`features.lags` is 100"),
        ("horizon: 10", "horizon: 900", "`labels.horizon` is 900"),
        ("up: 2.0", "up: 500", "`labels.up` is 500 atr; usual is 0.1 to 20"),
        (LABELS, "{type: forward_return, threshold: 90, unit: percent}", "`labels.threshold` is 90 percent"),
        (LABELS, "{type: zigzag, threshold: 0.9}", "`labels.threshold` is 0.9; usual"),
        ("type: rsi, period: 14", "type: rsi, period: 900", "`indicators.rsi14.period` is 900; usual"),
        ("epochs: 200", "epochs: 90000", "`training.epochs` is 90000"),
        ("embargo: 0", "embargo: 5000", "`split.embargo` is 5000"),
        (
            "train: 0.70, validation: 0.15, test: 0.15",
            "train: 0.97, validation: 0.02, test: 0.01",
            "`split.test` is",
        ),
    ],
)
def test_what_is_hardly_meant_is_told(good: str, bad: str, words: str) -> None:
    assert any(words in each for each in lint(changed(good, bad)))


@pytest.mark.parametrize(
    "shape",
    [OLD, "[0, 0, 30]", "[-30, 0, 30]", "[gaussian, 50, 30]", "[right, 0, 100]", "[60, 80, 99, 99]"],
)
def test_a_set_that_tells_values_apart_is_not_doubted(shape: str) -> None:
    assert lint(changed(OLD, shape)) == ()


def test_a_doubt_stands_at_its_key() -> None:
    assert [each.path for each in remarks(changed(OLD, "[left, -9, -1]"))] == [("fuzzy", "rsi14", "oversold")]


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("left", (2.0, 4.0), [1.0, 1.0, 0.5, 0.0, 0.0]),
        ("right", (2.0, 4.0), [0.0, 0.0, 0.5, 1.0, 1.0]),
        ("triangle", (2.0, 2.0, 4.0), [0.0, 1.0, 0.5, 0.0, 0.0]),
        ("triangle", (1.0, 4.0, 4.0), [0.0, 1 / 3, 2 / 3, 1.0, 0.0]),
        ("trapezoid", (1.0, 2.0, 4.0, 5.0), [0.0, 1.0, 1.0, 1.0, 0.0]),
        ("gaussian", (3.0, 1.0), [0.0111, 0.6065, 1.0, 0.6065, 0.1353]),
    ],
)
def test_a_doubted_set_is_computed_as_a_trained_one(
    kind: str, points: tuple[float, ...], expected: list[float]
) -> None:
    shape, places = Shape.model_validate({"kind": kind, "points": points}), np.array([0.0, 2, 3, 4, 5])
    assert [membership(shape, each) for each in places] == pytest.approx(expected, abs=1e-4)
    assert trained(places, shape) == pytest.approx(expected, abs=1e-4)
