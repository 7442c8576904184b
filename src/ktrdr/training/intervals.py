"""How sure a figure is: circular block resamples of dates, all symbols together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

RESAMPLES = 2000
FEWEST_BLOCKS = 8

Column = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of a mean."""

    low: float
    high: float


def mean_interval(values: Column, times: Times, horizon: int, seed: int) -> Interval | None:
    """Return estimate ± t(n/L - 1) · sd of the mean of `values` [n], blocks of L = 2·horizon dates.

    None under 8 blocks. Source: Politis and Romano (1992), circular block bootstrap.
    """
    dates, position = np.unique(times, return_inverse=True)
    block = 2 * horizon
    blocks = len(dates) // block
    if blocks < FEWEST_BLOCKS:
        return None
    sums = np.bincount(position, weights=values)
    counts = np.bincount(position).astype(float)
    chosen = _resampled_dates(len(dates), block, seed)
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    half = float(stdtrit(len(dates) / block - 1, 0.975) * means.std(ddof=1))
    estimate = float(values.mean())
    return Interval(estimate - half, estimate + half)


def _resampled_dates(dates: int, block: int, seed: int) -> npt.NDArray[np.int64]:
    generator = np.random.Generator(np.random.Philox(seed))
    starts = generator.integers(0, dates, (RESAMPLES, -(-dates // block)))
    runs = (starts[:, :, None] + np.arange(block)) % dates
    return runs.reshape(RESAMPLES, -1)[:, :dates]
