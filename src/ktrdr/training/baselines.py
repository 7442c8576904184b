"""What a model must beat: the training shares, a rule anybody could write down, and a linear model.

All of them give probabilities, so that one loss judges them and the model alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ktrdr.features.partition import Partition
from ktrdr.training.linear import LinearFit
from ktrdr.training.network import Weights, predict

BINS = 5
PRIOR_WEIGHT = 10.0

Column = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RsiRule:
    """Class probabilities [5, K] by the quintile of RSI(14); pi [K] where RSI is not known."""

    cuts: Column
    probabilities: Probabilities
    pi: Column

    def predict(self, rsi: Column) -> Probabilities:
        """Return class probabilities per row [n, K]."""
        table = np.vstack([self.probabilities, self.pi])
        bins = np.searchsorted(self.cuts, rsi, side="right")
        return np.asarray(table[np.where(np.isfinite(rsi), bins, BINS)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, shape: Mapping[str, Any]) -> "RsiRule":
        """Read what `to_dict` wrote; raises LookupError, TypeError or ValueError for anything else."""
        rule = cls(**{name: np.array(shape[name], dtype=float) for name in cls.__dataclass_fields__})
        if rule.cuts.shape != (BINS - 1,) or rule.probabilities.shape != (BINS, *rule.pi.shape):
            raise ValueError("a rule has four cuts, and a share of every class in each of five bins")
        return rule


def fit_rsi_rule(train: Partition, pi: Column) -> RsiRule:
    """Cut at the quintiles of the training rows; the u-weighted class shares of each bin, smoothed.

    P(k | bin) = (Σu·[y = k] + 10·pi_k) / (Σu + 10): without the ten, ten effective rows of noise would be a
    rule that a constant "beats".
    """
    known = np.isfinite(train.rsi)
    rsi, y, u = train.rsi[known], train.y[known], train.u[known]
    cuts = np.quantile(rsi, np.arange(1, BINS) / BINS) if len(rsi) else np.zeros(BINS - 1)
    cells = np.searchsorted(cuts, rsi, side="right") * len(pi) + y
    sums = np.bincount(cells, u, BINS * len(pi)).reshape(BINS, len(pi))
    smoothed = (sums + PRIOR_WEIGHT * pi) / (sums.sum(axis=1, keepdims=True) + PRIOR_WEIGHT)
    return RsiRule(np.asarray(cuts), smoothed, pi)


@dataclass(frozen=True, slots=True)
class Baselines:
    """The opponents of one training, as they are saved with the model."""

    pi: Column
    rsi_rule: RsiRule
    linear: Weights

    def predict(self, x: npt.NDArray[np.float32], rsi: Column) -> dict[str, Probabilities]:
        """Return the class probabilities [n, K] of `prior`, `rsi_rule` and `linear` for rows [n]."""
        return {
            "prior": np.tile(self.pi, (len(rsi), 1)),
            "rsi_rule": self.rsi_rule.predict(rsi),
            "linear": predict(self.linear, x, "relu"),
        }


def baselines_of(train: Partition, pi: Column, linear: LinearFit) -> Baselines:
    """Return the opponents fitted on training rows alone."""
    return Baselines(pi, fit_rsi_rule(train, pi), linear.weights)
