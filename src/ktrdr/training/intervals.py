"""Intervals of means and ratios of values that overlap in time, in closed form, without random numbers.

A label that reaches h bars ahead makes the figures of h neighbouring dates one another's copies: the variance
is taken over sums of h dates in a row, all symbols together, and the degrees of freedom count horizons.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

FEWEST_HORIZONS = 7
FEWEST_DATES = 60

Column = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of a mean or ratio."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OverlappingDates:
    """The dates of the rows of one split: each row's date [n], their count, and the largest horizon."""

    position: npt.NDArray[np.int64]
    count: int
    horizon: int

    @classmethod
    def of(cls, times: Times, horizon: int) -> "OverlappingDates":
        """Return the dates of rows at `times` [n], in any order, whose labels reach `horizon` bars ahead."""
        distinct, position = np.unique(times, return_inverse=True)
        return cls(position, len(distinct), horizon)

    @property
    def are_too_few(self) -> bool:
        """Tell that under 60 dates or 7 horizons there is no interval."""
        return self.count < max(FEWEST_DATES, FEWEST_HORIZONS * self.horizon)

    def mean(self, values: Column) -> Interval | None:
        """Return the interval of the mean of `values` [n], None over too few dates."""
        return self.ratio(values, np.ones_like(values))

    def ratio(self, values: Column, counts: Column) -> Interval | None:
        """Return the interval of Σ values / Σ counts over rows [n], None over too few dates or no counts."""
        if self.are_too_few or not counts.any():
            return None
        sums, numbers = (np.bincount(self.position, each, self.count) for each in (values, counts))
        middle = float(sums.sum() / numbers.sum())
        half = _half_width((sums - middle * numbers) / numbers.mean(), self.horizon)
        return Interval(middle - half, middle + half)


def _half_width(z: Column, horizon: int) -> float:
    """Return t(n/L - 1) · √(κ·V/(1 - L/n)) of the influence z [n] of each date, blocks of L = h dates.

    V = ΣB²/(n²·L) over the circular sums B of L dates; κ = 3h²/(2h²+1) is what such blocks miss of the
    variance when correlation falls evenly to zero at h.
    """
    dates = len(z)
    running = np.concatenate(([0.0], np.cumsum(np.concatenate((z, z[:horizon])))))
    blocks = running[horizon : horizon + dates] - running[:dates]
    variance = float((blocks**2).sum()) / (dates**2 * horizon)
    missed = 3 * horizon**2 / (2 * horizon**2 + 1)
    quantile = float(stdtrit(dates / horizon - 1, 0.975))
    return quantile * float(np.sqrt(missed * variance / (1 - horizon / dates)))
