"""Fuzzy sets fitted to training rows only."""

import numpy as np
import numpy.typing as npt

from ktrdr.errors import InputInvalid
from ktrdr.strategies.fuzzy_spec import ExplicitSets, FuzzySpec, QuantileSets, Shape


def fit_sets(spec: FuzzySpec, training_values: npt.NDArray[np.float64]) -> dict[str, Shape]:
    """Return the sets by name: as given, or with knots at the quantiles (k - 1/2)/K of the finite values.

    Fitted memberships sum to 1 everywhere. Raises InputInvalid when knots coincide.
    """
    if isinstance(spec, ExplicitSets):
        return dict(spec.sets)
    return _quantile_sets(spec, training_values[np.isfinite(training_values)])


def _quantile_sets(spec: QuantileSets, values: npt.NDArray[np.float64]) -> dict[str, Shape]:
    shares = (np.arange(1, spec.sets + 1) - 0.5) / spec.sets
    knots = [float(knot) for knot in np.quantile(values, shares)] if len(values) else [0.0, 0.0]
    if len(set(knots)) < spec.sets:
        raise InputInvalid(
            f"{spec.sets} fuzzy sets cannot be fitted: the training values have too few different quantiles",
            hint="ask for fewer sets, or give their shapes",
        )
    first = Shape(kind="left", points=(knots[0], knots[1]))
    last = Shape(kind="right", points=(knots[-2], knots[-1]))
    inner = [Shape(kind="triangle", points=tuple(knots[k - 1 : k + 2])) for k in range(1, spec.sets - 1)]
    return dict(zip(spec.names, (first, *inner, last), strict=True))
