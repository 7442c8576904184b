"""Memberships follow their shapes; fitted sets cover everything once."""

import numpy as np
import pytest

from ktrdr.errors import InputInvalid
from ktrdr.fuzzy.fit import fit_sets
from ktrdr.fuzzy.memberships import membership
from ktrdr.strategies.fuzzy_spec import QuantileSets, Shape


@pytest.mark.parametrize(
    ("kind", "points", "value", "expected"),
    [
        ("left", (20, 40), 5, 1.0),
        ("left", (20, 40), 30, 0.5),
        ("right", (60, 80), 75, 0.75),
        ("triangle", (30, 50, 70), 40, 0.5),
        ("triangle", (30, 30, 70), 30, 1.0),
        ("triangle", (30, 70, 70), 70, 1.0),
        ("triangle", (30, 70, 70), 70.1, 0.0),
        ("trapezoid", (0, 1, 2, 3), 1.5, 1.0),
        ("trapezoid", (0, 1, 2, 3), 2.75, 0.25),
        ("gaussian", (50, 10), 60, np.exp(-0.5)),
    ],
)
def test_a_membership_follows_its_shape(
    kind: str, points: tuple[float, ...], value: float, expected: float
) -> None:
    shape = Shape.model_validate({"kind": kind, "points": points})
    assert membership(np.array([value]), shape)[0] == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["left", "right", "gaussian"])
def test_nan_in_gives_nan_out(kind: str) -> None:
    shape = Shape.model_validate({"kind": kind, "points": (1, 2)})
    assert np.isnan(membership(np.array([np.nan]), shape)[0])


@pytest.mark.parametrize("count", range(2, 10))
def test_fitted_sets_sum_to_one_everywhere(count: int) -> None:
    values = np.random.default_rng(3).normal(size=500)
    spec = QuantileSets(sets=count, fit="quantile", names=tuple(f"s{k}" for k in range(count)))
    sets = fit_sets(spec, values)
    total = np.sum([membership(np.linspace(-9, 9, 999), each) for each in sets.values()], axis=0)
    np.testing.assert_allclose(total, 1.0)


def test_coinciding_knots_are_an_error() -> None:
    with pytest.raises(InputInvalid, match="too few different quantiles"):
        fit_sets(QuantileSets(sets=3, fit="quantile", names=("a", "b", "c")), np.ones(100))
