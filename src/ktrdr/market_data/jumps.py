"""Opens that look like a split nobody adjusted for."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

FRACTIONS = {"1/2": 1 / 2, "1/3": 1 / 3, "2/3": 2 / 3, "1/4": 1 / 4, "1/5": 1 / 5, "1/10": 1 / 10}
INVERSES = {"2": 2.0, "3": 3.0, "3/2": 3 / 2, "4": 4.0, "5": 5.0, "10": 10.0}
TOLERANCE = 0.025


@dataclass(frozen=True, slots=True)
class Jump:
    """When it opened, the open over the close before it, and the ratio of the split it looks like."""

    time: datetime
    ratio: float
    split: str


def find_jumps(bars: pl.DataFrame) -> tuple[Jump, ...]:
    """Return bars that open within 2.5 % of a usual split ratio of the close before them.

    From open to close before it, since a close to close change also has the day's own move in it.
    """
    ratios = bars.select("time", ratio=pl.col("open") / pl.col("close").shift(1))
    suspects = ratios.filter((pl.col("ratio") < 0.75) | (pl.col("ratio") > 1.4))
    named = [(when, ratio, _split(ratio)) for when, ratio in suspects.iter_rows()]
    return tuple(Jump(when, ratio, split) for when, ratio, split in named if split)


def _split(ratio: float) -> str | None:
    usual = FRACTIONS | INVERSES
    return next((name for name, each in usual.items() if abs(ratio / each - 1) <= TOLERANCE), None)
