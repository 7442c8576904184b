"""How much a row counts: the uniqueness of its label, and the balance of its class."""

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def uniqueness(rows: Rows, t1: Rows, length: int) -> Column:
    """Return u [n]: the mean over bars row+1..t1 of 1 / (labels that cover the bar).

    `rows` and `t1` are bar numbers of one symbol and split, after purging; `length` is the number of bars.
    Source: Lopez de Prado, Advances in Financial Machine Learning, section 4.4.
    """
    steps = np.zeros(length + 2)
    np.add.at(steps, rows + 1, 1.0)
    np.add.at(steps, t1 + 1, -1.0)
    cover = np.cumsum(steps)
    inverse = np.divide(1.0, cover, out=np.zeros_like(cover), where=cover > 0)
    total = np.concatenate(([0.0], np.cumsum(inverse)))
    covered = np.maximum(t1 - rows, 1)
    return np.asarray((total[t1 + 1] - total[rows + 1]) / covered)


def class_shares(y: npt.NDArray[np.int32], u: Column, classes: int) -> Column:
    """Return the share of each class [K] under u."""
    sums = np.bincount(y, weights=u, minlength=classes)
    return np.asarray(sums / sums.sum())


def training_weights(y: npt.NDArray[np.int32], u: Column, shares: Column, *, balanced: bool) -> Column:
    """Return w [n] with mean 1: u, or u over the class's share of it."""
    weights = u / (len(shares) * shares[y]) if balanced else u
    return np.asarray(weights / weights.mean()) if len(weights) else weights
