"""Why hardly a row is left to train on: what is null, why it is, and what would help."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.strategies.bar_terms import MISSED

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is after the warm-up, of all symbols: bars [n], which rows lack what, what needs volume."""

    loaded: int
    warm_up: int
    bars: pl.DataFrame
    null: Mapping[str, Flags]
    of_volume: frozenset[str]
    unlabelled: Flags


def too_few_rows(usable: int, remains: Remains, fewest: int) -> DataInvalid:
    """Return the error of a dataset with so few usable rows, with its true cause."""
    words = f"only {usable} usable rows are left of {remains.loaded:,} bars"
    count = remains.bars.height
    if count < 2 * fewest:
        return DataInvalid(words, hint=f"the warm-up takes {remains.warm_up} bars; load a longer range")
    key, lost = max(
        ((name, int(rows.sum())) for name, rows in remains.null.items()), key=lambda each: each[1]
    )
    unlabelled = int(remains.unlabelled.sum())
    what = f"`{key}` has no value on {lost:,}"
    if unlabelled > lost:
        what = f"{unlabelled:,} have no label"
    cause, hint = _cause(remains.bars, key, needs_volume=key in remains.of_volume)
    return DataInvalid(f"{words}: of the {count:,} after the warm-up {what}{cause}", hint=hint)


def _cause(bars: pl.DataFrame, key: str, *, needs_volume: bool) -> tuple[str, str]:
    """Return in words what is wrong with most of the bars, and what would help."""
    half, close = bars.height / 2, bars["close"]
    holes, flat = int((bars[MISSED] > 0).sum()), int((close.diff() == 0).sum())
    idle = int((bars["volume"].fill_null(0.0) == 0).sum())
    if flat > half:
        return (
            f", since the close stays the same on {flat:,}",
            "import bars that were traded, or coarser ones",
        )
    if needs_volume and idle > half:
        return (
            f", since the volume of {idle:,} is 0 or unknown",
            f"leave `{key}` out, or import bars with volume",
        )
    if holes:
        places = "1 place" if holes == 1 else f"{holes:,} places"
        return (
            f", since bars are missing in {places}",
            "see them with `ktrdr data gaps`, and load what is missing",
        )
    return "", "leave it out, or load other bars"
