"""What a model must beat: the majority, and a rule anybody could write down."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition

Classes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RsiRule:
    """RSI(14) cut at two values; momentum buys above the upper one, reversal below the lower one."""

    low: float
    high: float
    momentum: bool
    classes: tuple[str, ...]

    def decide(self, rsi: npt.NDArray[np.float64]) -> Classes:
        """Return a class per row [n]."""
        buy, sell = self.classes.index("BUY"), self.classes.index("SELL")
        hold = self.classes.index("HOLD") if "HOLD" in self.classes else sell
        above, below = (buy, sell) if self.momentum else (sell, buy)
        return np.select([rsi >= self.high, rsi <= self.low], [above, below], hold).astype(np.int32)


def fit_rsi_rule(train: Partition, pi: npt.NDArray[np.float64], classes: tuple[str, ...]) -> RsiRule:
    """Cut at the quantiles of the training rows that give the training class shares, the better way round."""
    buy, sell = pi[classes.index("BUY")], pi[classes.index("SELL")]
    finite = train.rsi[np.isfinite(train.rsi)]
    candidates = []
    for momentum, above, below in ((True, buy, sell), (False, sell, buy)):
        low, high = np.quantile(finite, (below, 1 - above)).tolist()
        candidates.append(RsiRule(low, high, momentum, classes))
    return max(candidates, key=lambda rule: float((rule.decide(train.rsi) == train.y).mean()))


def majority(dataset: Dataset, rows: int) -> Classes:
    """Return the class of the largest training share, for every row [n]."""
    return np.full(rows, int(dataset.pi.argmax()), dtype=np.int32)
