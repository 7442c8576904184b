"""The opponents: fitted on training rows by rules of their own, whatever a strategy says of its training."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ktrdr.features.partition import Partition
from ktrdr.training.baselines import RsiRule, fit_rsi_rule
from ktrdr.training.linear import GRADIENT_NORM, fit_linear
from ktrdr.training.network import predict

ROWS, CLASSES = 400, 3
PI = np.array([0.5, 0.3, 0.2])


def partition(seed: int) -> Partition:
    """Rows whose class follows the first input, of uneven uniqueness."""
    generator = np.random.default_rng(seed)
    x = generator.random((ROWS, 4), dtype=np.float32)
    x[:, 3] = 1 - x[:, 2]  # as the memberships of two sets of one indicator
    y = (x[:, 0] * 2 + generator.random(ROWS)).astype(np.int32)
    u, times = generator.uniform(0.05, 1, ROWS), np.arange(ROWS)
    rsi = generator.uniform(0, 100, ROWS)
    return Partition(x=x, y=y, u=u, weight=u, time=times, t1=times, symbol=y * 0, rsi=rsi)


def test_the_linear_baseline_is_the_penalised_regression_of_scikit_learn() -> None:
    """scikit-learn minimises C·Σu·l + ½|W|², so C·Σu = 1/0.01 makes both the same."""
    train = partition(1)
    fit = fit_linear(train.x, train.y, train.u, CLASSES)
    oracle = LogisticRegression(C=1 / (0.01 * train.u.sum()), tol=1e-10, max_iter=10_000)
    oracle.fit(train.x.astype(float), train.y, sample_weight=train.u)
    np.testing.assert_allclose(
        predict(fit.weights, train.x, "relu"), oracle.predict_proba(train.x.astype(float)), atol=1e-5
    )


def test_the_linear_baseline_ends_where_the_gradient_is_nothing_and_always_there() -> None:
    train = partition(2)
    heard: list[tuple[int, float]] = []
    fit = fit_linear(
        train.x, train.y, train.u, CLASSES, on_iteration=lambda number, norm: heard.append((number, norm))
    )
    again = fit_linear(train.x, train.y, train.u, CLASSES)
    assert fit.has_converged
    assert fit.gradient_norm <= GRADIENT_NORM
    assert [number for number, _ in heard] == list(range(1, fit.iterations + 1))
    assert heard[-1][1] == fit.gradient_norm
    for name, values in fit.weights.items():
        assert again.weights[name].tobytes() == values.tobytes()


def test_a_baseline_can_be_cancelled_between_its_iterations() -> None:
    train = partition(2)

    def stop(_number: int, _norm: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_linear(train.x, train.y, train.u, CLASSES, on_iteration=stop)


def test_the_rsi_rule_says_the_smoothed_weighted_shares_of_each_quintile() -> None:
    train = partition(3)
    rule = fit_rsi_rule(train, PI)
    np.testing.assert_allclose(rule.cuts, np.quantile(train.rsi, [0.2, 0.4, 0.6, 0.8]))
    own = (train.rsi >= rule.cuts[1]) & (train.rsi < rule.cuts[2])
    for number in range(CLASSES):
        counted = train.u[own & (train.y == number)].sum()
        expected = (counted + 10 * PI[number]) / (train.u[own].sum() + 10)
        np.testing.assert_allclose(rule.predict(train.rsi[own])[:, number], expected)


def test_where_rsi_is_not_known_the_rule_says_the_class_shares() -> None:
    train = partition(4)
    rule = fit_rsi_rule(train, PI)
    np.testing.assert_array_equal(rule.predict(np.array([np.nan])), [PI])
    flat = fit_rsi_rule(replace(train, rsi=np.full(ROWS, np.nan)), PI)
    np.testing.assert_allclose(flat.predict(train.rsi), np.tile(PI, (ROWS, 1)))


def test_a_rule_comes_back_from_json_as_it_was() -> None:
    rule = fit_rsi_rule(partition(5), PI)
    again = RsiRule.from_dict(rule.to_dict())
    rsi = np.array([1.0, 30, 50, 70, 99, np.nan])
    np.testing.assert_array_equal(again.predict(rsi), rule.predict(rsi))


@pytest.mark.parametrize("name", ["cuts", "probabilities", "pi"])
def test_a_rule_of_another_shape_is_no_rule(name: str) -> None:
    shape = fit_rsi_rule(partition(5), PI).to_dict()
    with pytest.raises(ValueError, match="four cuts"):
        RsiRule.from_dict({**shape, name: shape[name][1:]})
