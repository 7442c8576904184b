"""The feature pipeline, `build_dataset` of the example strategy: time per bar by number of bars.

The baseline is the time per bar of 10,000 bars, the mean of ten datasets; 1 is linear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.measure import Line, interleaved, ratios, run, seconds
from benchmarks.walk import random_walk
from ktrdr.features.dataset import build_dataset
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import parse_strategy

STRATEGY = Path(__file__).parents[1] / "examples" / "strategies" / "trend_momentum.yaml"


@dataclass(frozen=True, slots=True)
class Size:
    """Bars of the baseline, which is measured `repeats` times in a row, and of what is compared to it."""

    baseline: int
    repeats: int
    lengths: tuple[int, ...]
    runs: int


FULL, SMALL = Size(10_000, 10, (100_000, 1_000_000), 7), Size(2_000, 1, (4_000,), 1)


def minute_strategy() -> Strategy:
    """Return the example strategy for bars of a minute."""
    text = STRATEGY.read_text().replace("timeframe: 1d, start: 2000-03-01, end: 2013-03-01", "timeframe: 1m")
    return parse_strategy(text, "minute.yaml")


def seconds_per_bar(count: int, repeats: int) -> float:
    """Return the seconds per bar of building a dataset from so many bars."""
    bars, strategy = {"AAPL": random_walk(count)}, minute_strategy()
    spent = seconds(lambda: [build_dataset(bars, strategy) for _ in range(repeats)])
    return spent / (count * repeats)


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    few = partial(seconds_per_bar, size.baseline, size.repeats)
    many = (partial(seconds_per_bar, count, 1) for count in size.lengths)
    baseline, *longer = interleaved(size.runs, few, *many)
    for count, values in zip(size.lengths, longer, strict=True):
        what = f"Time per bar of {count:,} bars to {size.baseline:,}"
        yield Line(what, ratios(values, baseline), at_most=1.2)


if __name__ == "__main__":
    run("Features", lines, full=FULL, small=SMALL)
