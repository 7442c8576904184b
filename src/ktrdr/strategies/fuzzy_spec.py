"""Fuzzy sets of one indicator's output: given shapes by name, or sets fitted to the training rows.

In a file a shape is a list, `[left, 20, 40]` or `[30, 50, 70]`, and given sets stand right under the output.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ktrdr.strategies.section import Identifier, Section

SHAPE_POINTS = {"left": 2, "right": 2, "triangle": 3, "trapezoid": 4, "gaussian": 2}
QUANTILE_KEYS = frozenset({"sets", "fit", "names"})


class Shape(Section):
    """A membership function; in a file `[left, 20, 40]`, `[30, 50, 70]` or `[20, 40, 60, 80]`."""

    kind: Literal["left", "right", "triangle", "trapezoid", "gaussian"]
    points: tuple[float, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return given
        if not isinstance(given, list):
            raise ValueError("a fuzzy set is a list, as [30, 50, 70] or [left, 20, 40]")
        kind, points = _kind_and_points(given)
        if not all(map(_is_number, points)):
            raise ValueError("the points of a fuzzy set should be numbers")
        return {"kind": kind, "points": tuple(points)}

    @model_validator(mode="after")
    def _points_fit(self) -> "Shape":
        wanted = SHAPE_POINTS[self.kind]
        if len(self.points) != wanted:
            raise ValueError(f"`{self.kind}` has {wanted} numbers, not {len(self.points)}")
        if self.kind == "gaussian":
            if self.points[1] <= 0:
                raise ValueError("the width of a gaussian must be above 0")
        elif list(self.points) != sorted(self.points) or self.points[0] == self.points[-1]:
            raise ValueError(f"the points of `{self.kind}` must rise")
        return self


class QuantileSets(Section):
    """Sets fitted to the training rows: knots at the quantiles (k - 1/2)/K."""

    sets: int = Field(ge=2, le=9, description="How many sets.")
    fit: Literal["quantile"] = Field(description="How their shapes are found: on the training rows only.")
    names: tuple[Identifier, ...] = Field(description="Their names, the lowest first.")

    @model_validator(mode="after")
    def _as_many_names(self) -> "QuantileSets":
        if len(set(self.names)) != self.sets or len(self.names) != self.sets:
            raise ValueError(f"{self.sets} sets need {self.sets} different names")
        return self


class ExplicitSets(Section):
    """Sets with given shapes, by name."""

    sets: dict[Identifier, Shape] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _as_in_a_file(cls, given: Any) -> Any:
        if isinstance(given, dict) and not _is_wrapped(given):
            return {"sets": given}
        return given


def _tag(given: Any) -> str:
    if isinstance(given, QuantileSets):
        return "fitted sets"
    if isinstance(given, dict) and not _is_wrapped(given) and _speaks_of_quantiles(given):
        return "fitted sets"
    return "given sets"


FuzzySpec = Annotated[
    Annotated[ExplicitSets, Tag("given sets")] | Annotated[QuantileSets, Tag("fitted sets")],
    Discriminator(_tag),
]


def _is_wrapped(given: dict[Any, Any]) -> bool:
    return set(given) == {"sets"} and isinstance(given["sets"], dict)


def _speaks_of_quantiles(given: dict[Any, Any]) -> bool:
    """Tell fitted sets from given ones, also where a key is missing: no shape is a number or text."""
    return any(
        name in QUANTILE_KEYS and isinstance(value, int | float | str) for name, value in given.items()
    )


def _kind_and_points(given: list[Any]) -> tuple[str, list[Any]]:
    if given and isinstance(given[0], str):
        if given[0] not in SHAPE_POINTS:
            raise ValueError(f"there is no shape `{given[0]}`; there are {', '.join(SHAPE_POINTS)}")
        return given[0], given[1:]
    if len(given) not in {3, 4}:
        raise ValueError("a fuzzy set has 3 points (triangle) or 4 (trapezoid), or begins with its kind")
    return ("triangle" if len(given) == 3 else "trapezoid"), given


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
