"""Figures with all digits worth having: what a price was given with, without the noise of floating point."""

import math
from collections.abc import Iterable, Sequence

SIGNIFICANT = 8
MOST_DECIMALS = 12
SAME = 1e-9
UNKNOWN = "–"


def prices(values: Sequence[float]) -> list[str]:
    """Return the prices with as many decimals as all of them need: eight significant digits at most."""
    decimals = _decimals(values)
    return [f"{each:.{decimals}f}" for each in values]


def volumes(values: Sequence[float | None]) -> list[str]:
    """Return the volumes with thousands apart, as many decimals as all of them need, and a dash for None."""
    decimals = _decimals([each for each in values if each is not None])
    return [UNKNOWN if each is None else f"{each:,.{decimals}f}" for each in values]


def ticks(low: float, high: float, count: int) -> tuple[list[float], list[str]]:
    """Return `count` values from `low` to `high`, and their words, with the decimals that tell them apart."""
    step = (high - low) / max(count - 1, 1)
    values = [low + number * step for number in range(count)]
    decimals = 2 if step <= 0 else min(max(1 - math.floor(math.log10(step)), 0), MOST_DECIMALS)
    return values, [f"{each:.{decimals}f}" for each in values]


def moment(time: str, timeframe: str) -> str:
    """Return a bar's time as a date, or to the minute where bars are shorter than a day."""
    return time[: 10 if timeframe in {"1d", "1w"} else 16].replace("T", " ")


def _decimals(values: Iterable[float]) -> int:
    sizes = [abs(each) for each in values if each]
    if not sizes:
        return 0
    most = min(max(SIGNIFICANT - 1 - math.floor(math.log10(min(sizes))), 0), MOST_DECIMALS)
    fits = (
        decimals
        for decimals in range(most)
        if all(math.isclose(round(each, decimals), each, rel_tol=SAME) for each in sizes)
    )
    return next(fits, most)
