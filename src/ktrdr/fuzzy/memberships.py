"""How much a value belongs to a fuzzy set: vectorised, NaN in gives NaN out."""

import numpy as np
import numpy.typing as npt

from ktrdr.strategies.fuzzy_spec import Shape

Column = npt.NDArray[np.float64]


def membership(values: Column, shape: Shape) -> Column:
    """Return memberships [n] in 0..1; two equal neighbouring points are a vertical edge with value 1."""
    if shape.kind == "gaussian":
        middle, width = shape.points
        return np.asarray(np.exp(-0.5 * ((values - middle) / width) ** 2))
    if shape.kind == "left":
        rise, fall = None, shape.points
    elif shape.kind == "right":
        rise, fall = shape.points, None
    else:
        rise, fall = shape.points[:2], shape.points[-2:]
    up = _ramp(values, rise[0], rise[1], 1.0) if rise else np.ones_like(values)
    down = 1.0 - _ramp(values, fall[0], fall[1], 0.0) if fall else np.ones_like(values)
    return np.where(np.isnan(values), np.nan, np.clip(np.minimum(up, down), 0.0, 1.0))


def _ramp(values: Column, low: float, high: float, at_edge: float) -> Column:
    """Rise from 0 at `low` to 1 at `high`; on a vertical edge the value is `at_edge`."""
    if low == high:
        return np.where(values == low, at_edge, (values > low).astype(np.float64))
    return (values - low) / (high - low)
