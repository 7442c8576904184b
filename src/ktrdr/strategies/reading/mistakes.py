"""Mistakes in a file, each with its place, and the one error that tells them all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ktrdr.errors import StrategyInvalid

KeyPath: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

MOST_TOLD = 20
WIDTH = 100  # of the part of a line that is shown
LINE_ENDS = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")  # as YAML counts lines
TOKEN = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, at a line and column counted from 0, and how to mend it."""

    place: Place
    message: str
    hint: str | None = None


def refusal(text: str, file_name: str, mistakes: Sequence[Mistake]) -> StrategyInvalid:
    """Return the error that tells every mistake at its place; its message begins with the first one's."""
    lines = LINE_ENDS.split(text)
    first, *rest = mistakes[:MOST_TOLD]
    detail = list(_excerpt(lines, first.place, first.hint if rest else None))
    for each in rest:
        detail += [_at(file_name, each), *_excerpt(lines, each.place, each.hint)]
    return StrategyInvalid(
        _at(file_name, first),
        hint=_count(len(mistakes)) if rest else first.hint,
        detail=detail,
        mistakes=[(*_from_one(each.place), each.message, each.hint) for each in mistakes],
    )


def _at(file_name: str, mistake: Mistake) -> str:
    line, column = _from_one(mistake.place)
    return f"{file_name}:{line}:{column}: {mistake.message}"


def _from_one(place: Place) -> Place:
    return (place[0] + 1, place[1] + 1)


def _excerpt(lines: Sequence[str], place: Place, hint: str | None) -> tuple[str, ...]:
    """Return the line and a caret under the place, cut where the line is long."""
    number, column = place
    if number >= len(lines) or (number, column, lines[0]) == (0, 0, ""):
        return ()
    start = 0 if column < WIDTH else column - WIDTH // 2
    shown = lines[number][start : start + WIDTH]
    token = TOKEN.match(shown[column - start :])
    caret = "^" * len(token.group(0) if token else "^")
    words = f" {hint}" if hint else ""
    return (f"{number + 1:6} | {shown}", " " * (9 + column - start) + caret + words)


def _count(count: int) -> str:
    untold = f", the first {MOST_TOLD} of them above" if count > MOST_TOLD else ""
    return f"{count:,} mistakes{untold}; see `ktrdr strategies new FILE` for a strategy that works"
