"""What is allowed in a strategy but probably not meant: each remark with the key that it is about."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ktrdr.strategies.fuzzy_spec import ExplicitSets, Shape
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS, IndicatorSpec
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag
from ktrdr.strategies.reading.mistakes import KeyPath
from ktrdr.strategies.strategy import Indicator, Strategy, spec_of

ANY = (-math.inf, math.inf)
USUAL: Mapping[str, tuple[float, float]] = {
    "training.epochs": (1, 10_000),
    "training.early_stopping.patience": (1, 1000),
    "training.learning_rate": (1e-6, 0.1),
    "training.weight_decay": (0.0, 1.0),
    "training.batch_size": (8, 65_536),
    "training.gradient_clip": (0.01, 100.0),
    "training.early_stopping.min_delta": (0.0, 0.1),
    "model.dropout": (0.0, 0.8),
    "model.hidden": (2, 1024),
    "features.lags": (1, 60),
    "split.train": (0.3, 0.9),
    "split.validation": (0.05, 0.4),
    "split.test": (0.05, 0.5),
    "split.embargo": (0, 500),
    "labels.horizon": (1, 250),
}
USUAL_SIZES: Mapping[tuple[type, str], tuple[float, float]] = {
    (TripleBarrier, "atr"): (0.1, 20.0),
    (TripleBarrier, "percent"): (0.01, 50.0),
    (ForwardReturn, "sigma"): (0.0, 5.0),
    (ForwardReturn, "percent"): (0.0, 50.0),
}
USUAL_ZIGZAG = (0.001, 0.5)
LONGEST_USUAL = 250  # bars that an indicator looks back
CLEAR = 0.05  # a set is clearly on above 1 - CLEAR and clearly off below CLEAR


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth a second look, and the key it stands at."""

    path: KeyPath
    words: str


def lint(strategy: Strategy) -> tuple[str, ...]:
    """Return the words of all remarks."""
    return tuple(each.words for each in remarks(strategy))


def remarks(strategy: Strategy) -> tuple[Remark, ...]:
    """Return what can be doubted without data: unused indicators, idle sets, odd sizes, zigzag labels."""
    return (*_unused(strategy), *_idle_sets(strategy), *_odd_sizes(strategy), *_of_the_present(strategy))


def is_scale_free(indicator: Indicator) -> bool:
    """Tell whether an indicator's values compare between prices of any size."""
    return INDICATOR_SPECS[indicator.type].scale_free(indicator.parameters)


def _unused(strategy: Strategy) -> Iterator[Remark]:
    used = {key.partition(".")[0] for key in strategy.fuzzy}
    for name in strategy.indicators:
        if name not in used:
            yield Remark(("indicators", name), f"indicator `{name}` is not used by any fuzzy set")


def _idle_sets(strategy: Strategy) -> Iterator[Remark]:
    for key, spec in strategy.fuzzy.items():
        limits = spec_of(strategy, key)
        for name, shape in spec.sets.items() if isinstance(spec, ExplicitSets) else ():
            if words := _idle_words(shape, limits):
                yield Remark(("fuzzy", key, name), f"set `{name}` of `{key}` {words}")


def _idle_words(shape: Shape, limits: IndicatorSpec) -> str | None:
    """Return why a set hardly tells the indicator's values apart, or None."""
    low, high = _limits(limits)
    reached = [membership(shape, each) for each in _places(shape, low, high)]
    if max(reached) == 0:
        return "lies outside the indicator's range"
    within = f"within the indicator's range, {_range_words(low, high)}"
    if min(reached) > CLEAR and shape.kind != "gaussian":
        return f"is always on {within}: between {min(reached):.2f} and {max(reached):.2f}"
    return f"is at most {max(reached):.2f} {within}" if max(reached) < 1 - CLEAR else None


def membership(shape: Shape, x: float) -> float:
    """Return how far a number belongs to a set, 0 to 1."""
    points = shape.points
    if shape.kind == "gaussian":
        return math.exp(-(((x - points[0]) / points[1]) ** 2) / 2)
    rise = 1.0 if shape.kind == "left" else _share(points[0], points[1], x)
    fall = 1.0 if shape.kind == "right" else 1.0 - _share(points[-2], points[-1], x)
    return min(rise, fall) if x not in points[1:-1] else 1.0


def _share(start: float, end: float, x: float) -> float:
    if start == end:
        return 1.0 if x > start else 0.0
    return min(max((x - start) / (end - start), 0.0), 1.0)


def _limits(spec: IndicatorSpec) -> tuple[float, float]:
    low = -math.inf if spec.minimum is None else spec.minimum
    return low, math.inf if spec.maximum is None else spec.maximum


def _places(shape: Shape, low: float, high: float) -> list[float]:
    """Return where a set can be most and least on within a range: its points, and the range's ends."""
    width = abs(shape.points[-1]) + abs(shape.points[0]) + 1.0
    ends = (max(low, min(shape.points) - 10 * width), min(high, max(shape.points) + 10 * width))
    return [
        *(each for each in shape.points if low <= each <= high),
        *(min(max(each, low), high) for each in ends),
    ]


def _range_words(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} and above"
    return f"{low:g} to {high:g}"


def _odd_sizes(strategy: Strategy) -> Iterator[Remark]:
    for name, (low, high) in USUAL.items():
        path = tuple(name.split("."))
        for value in _values(strategy, path):
            if not low <= value <= high:
                yield Remark(path, f"`{name}` is {value:g}; usual is {low:g} to {high:g}")
    yield from _odd_labels(strategy)
    yield from _odd_indicators(strategy)


def _odd_indicators(strategy: Strategy) -> Iterator[Remark]:
    for name, indicator in strategy.indicators.items():
        for key, value in indicator.parameters.items():
            if isinstance(value, int) and value > LONGEST_USUAL:
                words = f"`indicators.{name}.{key}` is {value}; usual is at most {LONGEST_USUAL}"
                yield Remark(("indicators", name, key), words)


def _odd_labels(strategy: Strategy) -> Iterator[Remark]:
    labels = strategy.labels
    names = ("up", "down") if isinstance(labels, TripleBarrier) else ("threshold",)
    low, high = USUAL_ZIGZAG if isinstance(labels, Zigzag) else USUAL_SIZES[type(labels), labels.unit]
    unit = "" if isinstance(labels, Zigzag) else f" {labels.unit}"
    for name in names:
        value = getattr(labels, name)
        if not low <= value <= high:
            words = f"`labels.{name}` is {value:g}{unit}; usual is {low:g} to {high:g}"
            yield Remark(("labels", name), words)


def _values(strategy: Strategy, path: tuple[str, ...]) -> tuple[float, ...]:
    """Return the number or numbers at a path; none where a section is off or has no such key."""
    value: object = strategy
    for part in path:
        value = getattr(value, part, None)
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, int | float) else ()


def _of_the_present(strategy: Strategy) -> Iterator[Remark]:
    """Figures: random walks, 70 % of labels and 50 % of the signs of what follows."""
    if isinstance(strategy.labels, Zigzag):
        yield Remark(
            ("labels", "type"),
            "zigzag labels describe the present trend more than the future: on a random walk the rule "
            "`RSI > 50` matches 70 % of them and half of what follows",
        )
