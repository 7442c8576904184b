"""Lines of a benchmark's table, interleaved runs, ratios, and the command line that every benchmark has.

A benchmark is a module with a title, a full and a smallest size, and a function that yields its lines for a
size. `python -m benchmarks.NAME` prints its table, `--small` takes the smallest size, `--json` writes a line
as one JSON object, which `python -m benchmarks` puts into the table of all.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

HEADINGS = f"{'':<58} {'median':>10} {'min .. max':>20}   {'aim':<10} {'of aim':>6}"
Size = TypeVar("Size")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what was measured, every value of it, and at most one aim for the median."""

    what: str
    values: Sequence[float]
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Line":
        """Read what `to_json` wrote."""
        return cls(**{name: written[name] for name in cls.__dataclass_fields__})

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and beside them the median and whether it meets the aim (null without one)."""
        return {**asdict(self), "median": self.median, "is_met": self.is_met}

    @property
    def median(self) -> float:
        """Return the middle of the values."""
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        """Tell whether the median meets the aim; None without one."""
        if self.at_most is not None:
            return self.median <= self.at_most
        return None if self.at_least is None else self.median >= self.at_least

    def __str__(self) -> str:
        spread = f"{_number(min(self.values))} .. {_number(max(self.values))}"
        figure = f"{_number(self.median)} {self.unit}"
        return f"{self.what:<58} {figure:>10} {spread:>20}   {self._aim()}".rstrip()

    def _aim(self) -> str:
        aim = self.at_most if self.at_most is not None else self.at_least
        if aim is None:
            return ""
        sign = "<=" if self.at_most is not None else ">="
        return f"{f'{sign} {_number(aim)}':<10} {self.median / aim:>6.2f}{'' if self.is_met else '   missed'}"


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


def run(title: str, lines: Callable[[Size], Iterable[Line]], *, full: Size, small: Size) -> None:
    """Be the command line of a benchmark: write each line as soon as it is known."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--small", action="store_true", help="the smallest size, to see that it runs")
    parser.add_argument("--json", action="store_true", help="write each line as a JSON object")
    asked = parser.parse_args()
    measured = lines(small if asked.small else full)
    if not asked.json:
        print(f"\n{title}\n{HEADINGS}", flush=True)
    for line in measured:
        print(json.dumps(line.to_json()) if asked.json else line, flush=True)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
