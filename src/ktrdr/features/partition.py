"""The rows of one split, ready to train on or to be judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ktrdr.features.weights import training_weights


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows of one split: x float32 [n, f], y, uniqueness u, weight (mean 1), and where each row is from."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int32]
    u: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    time: npt.NDArray[np.int64]
    t1: npt.NDArray[np.int64]
    symbol: npt.NDArray[np.int32]
    rsi: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)


def joined(parts: Sequence[Partition]) -> Partition:
    """Return the rows of several symbols as one partition."""
    names = Partition.__dataclass_fields__
    return Partition(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def counted(part: Partition, *, uniqueness: bool) -> npt.NDArray[np.float64]:
    """Return what each row counts for [n] before classes are balanced."""
    return part.u if uniqueness else np.ones_like(part.u)


def weighted(part: Partition, pi: npt.NDArray[np.float64], *, uniqueness: bool, balanced: bool) -> Partition:
    """Return the partition with its training weights, by the class shares pi [K] of the training rows."""
    u = counted(part, uniqueness=uniqueness)
    return replace(part, weight=training_weights(part.y, u, pi, balanced=balanced))
