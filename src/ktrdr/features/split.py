"""One calendar cut for all symbols, and no label that reaches across it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktrdr.strategies.strategy import SplitSection

Times = npt.NDArray[np.int64]
TRAIN, VALIDATION, TEST, PURGED, EMBARGOED = 0, 1, 2, 3, 4
ROUNDING = 1e-6  # a share of 0.57 of 100 is 57, though binary fractions make it 56.99


@dataclass(frozen=True, slots=True)
class Cuts:
    """The first time of validation and of test, in microseconds UTC; embargo ends after each."""

    validation: int
    test: int
    validation_embargo: int
    test_embargo: int


def find_cuts(times: Times, split: SplitSection) -> Cuts:
    """Return the cuts at floor(share * n) of the n distinct usable times."""
    distinct = _distinct(times)
    shares = (split.train, split.train + split.validation)
    first, second = (int(np.floor(share * len(distinct) + ROUNDING)) for share in shares)
    last = len(distinct) - 1
    at = [
        int(distinct[min(index, last)])
        for index in (first, second, first + split.embargo, second + split.embargo)
    ]
    return Cuts(*at)


def _distinct(times: Times) -> Times:
    """Return what `np.unique` does, quicker: every symbol's times are in order, and only merged."""
    merged = np.sort(times, kind="stable")
    return np.asarray(merged[np.append(True, np.diff(merged) > 0)])


def assign(times: Times, tv: Times, cuts: Cuts) -> npt.NDArray[np.int8]:
    """Return per row its split, or why it has none; `tv` is the last time a label could have used."""
    embargoed = ((times >= cuts.validation) & (times < cuts.validation_embargo)) | (
        (times >= cuts.test) & (times < cuts.test_embargo)
    )
    in_train = times < cuts.validation
    in_validation = (times >= cuts.validation) & (times < cuts.test)
    purged = (in_train & (tv >= cuts.validation)) | (in_validation & (tv >= cuts.test))
    assigned = np.select(
        [embargoed, purged, in_train, in_validation], [EMBARGOED, PURGED, TRAIN, VALIDATION], TEST
    )
    return np.asarray(assigned, dtype=np.int8)
