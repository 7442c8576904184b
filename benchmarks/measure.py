"""What every benchmark shares: interleaved runs, ratios, and a line of the table with median and spread."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

HEADINGS = f"{'':<58} {'median':>10} {'min .. max':>20}   {'aim':<10} {'of aim':>6}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what was measured, every value of it, and at most one aim for the median."""

    what: str
    values: Sequence[float]
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        middle = statistics.median(self.values)
        spread = f"{_number(min(self.values))} .. {_number(max(self.values))}"
        figure = f"{_number(middle)} {self.unit}"
        return f"{self.what:<58} {figure:>10} {spread:>20}   {self._aim(middle)}".rstrip()

    def _aim(self, middle: float) -> str:
        aim = self.at_most or self.at_least
        if aim is None:
            return ""
        sign, is_met = ("<=", middle <= aim) if self.at_most else (">=", middle >= aim)
        return f"{f'{sign} {_number(aim)}':<10} {middle / aim:>6.2f}{'' if is_met else '   missed'}"


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(runs: int, *measurements: Callable[[], float], warm_up: int = 1) -> list[tuple[float, ...]]:
    """Return the values of each measurement, taken in turns A B A B; warm-up rounds are thrown away."""
    rounds = [tuple(measure() for measure in measurements) for _ in range(warm_up + runs)]
    return list(zip(*rounds[warm_up:], strict=True))


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Return what each round's first value is of its second."""
    return [first / second for first, second in zip(over, under, strict=True)]


def print_table(title: str, lines: Iterable[Line]) -> None:
    """Write a title and each line as soon as it is known."""
    print(f"\n{title}\n{HEADINGS}", flush=True)
    for line in lines:
        print(line, flush=True)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
