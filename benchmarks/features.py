"""The feature pipeline, `build_dataset` of the example strategy: time per bar by number of bars.

The baseline is the time per bar of 10,000 bars, the mean of ten datasets; 1 is linear.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Line, interleaved, print_table, ratios, seconds
from benchmarks.walk import random_walk
from ktrdr.features.dataset import build_dataset
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import parse_strategy

STRATEGY = Path(__file__).parents[1] / "examples" / "strategies" / "trend_momentum.yaml"
BASELINE, LENGTHS, RUNS = 10_000, (100_000, 1_000_000), 7
REPEATS = {BASELINE: 10}


def minute_strategy() -> Strategy:
    """Return the example strategy for bars of a minute."""
    text = STRATEGY.read_text().replace("timeframe: 1d, start: 2000-03-01, end: 2013-03-01", "timeframe: 1m")
    return parse_strategy(text, "minute.yaml")


def seconds_per_bar(count: int) -> float:
    """Return the seconds per bar of building a dataset from so many bars."""
    bars, strategy, repeats = {"AAPL": random_walk(count)}, minute_strategy(), REPEATS.get(count, 1)
    spent = seconds(lambda: [build_dataset(bars, strategy) for _ in range(repeats)])
    return spent / (count * repeats)


def lines() -> Iterator[Line]:
    """Measure and yield the lines."""
    counts = (BASELINE, *LENGTHS)
    baseline, *longer = interleaved(RUNS, *(partial(seconds_per_bar, count) for count in counts))
    for count, values in zip(LENGTHS, longer, strict=True):
        yield Line(f"Time per bar of {count:,} bars to {BASELINE:,}", ratios(values, baseline))


if __name__ == "__main__":
    print_table("Features", lines())
