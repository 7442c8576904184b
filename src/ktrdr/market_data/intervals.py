"""Half-open intervals of time, and sets of them: what of a series is there, missing, or known to be empty."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The moments from `start` up to, and without, `end`; both UTC, and `start` is before `end`."""

    start: datetime
    end: datetime


class Intervals:
    """A set of moments as sorted intervals that neither overlap nor touch."""

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._parts = tuple(_merged(sorted(intervals)))

    def __iter__(self) -> Iterator[Interval]:
        return iter(self._parts)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Intervals) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __repr__(self) -> str:
        return f"Intervals({list(self._parts)})"

    @property
    def length(self) -> timedelta:
        """Return how long all of them are together."""
        return sum((each.end - each.start for each in self), timedelta())

    def union(self, other: "Intervals") -> "Intervals":
        """Return the moments of either."""
        return Intervals((*self, *other))

    def subtract(self, other: "Intervals") -> "Intervals":
        """Return the moments of this one that the other does not have."""
        left = list(self)
        for taken in other:
            left = [rest for part in left for rest in _without(part, taken)]
        return Intervals(left)

    def intersect(self, other: "Intervals") -> "Intervals":
        """Return the moments of both."""
        return self.subtract(self.subtract(other))

    def to_json(self) -> list[list[str]]:
        """Return pairs of ISO times."""
        return [[each.start.isoformat(), each.end.isoformat()] for each in self]

    @classmethod
    def from_json(cls, pairs: Sequence[Sequence[str]]) -> "Intervals":
        """Read pairs of ISO times; raises ValueError for anything else."""
        return cls(
            Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs
        )


def _merged(ordered: Iterable[Interval]) -> Iterator[Interval]:
    current: Interval | None = None
    for each in ordered:
        if current is not None and each.start <= current.end:
            current = Interval(current.start, max(current.end, each.end))
            continue
        if current is not None:
            yield current
        current = each
    if current is not None:
        yield current


def _without(part: Interval, taken: Interval) -> Iterator[Interval]:
    if part.start < min(taken.start, part.end):
        yield Interval(part.start, min(taken.start, part.end))
    if max(taken.end, part.start) < part.end:
        yield Interval(max(taken.end, part.start), part.end)
