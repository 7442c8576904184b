"""What is allowed in a strategy but probably not meant."""

from collections.abc import Iterator

from ktrdr.strategies.fuzzy_spec import ExplicitSets, Shape
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import Zigzag
from ktrdr.strategies.strategy import Indicator, Strategy


def lint(strategy: Strategy) -> tuple[str, ...]:
    """Return warnings that need no data: unused indicators, sets out of range, labels of the present."""
    return (*_unused(strategy), *_out_of_range(strategy), *_of_the_present(strategy))


def is_scale_free(indicator: Indicator) -> bool:
    """Tell whether an indicator's values compare between prices of any size."""
    return INDICATOR_SPECS[indicator.type].scale_free(indicator.parameters)


def _unused(strategy: Strategy) -> Iterator[str]:
    used = {key.partition(".")[0] for key in strategy.fuzzy}
    for name in strategy.indicators:
        if name not in used:
            yield f"indicator `{name}` is not used by any fuzzy set"


def _out_of_range(strategy: Strategy) -> Iterator[str]:
    for key, spec in strategy.fuzzy.items():
        limits = INDICATOR_SPECS[strategy.indicators[key.partition(".")[0]].type]
        if not isinstance(spec, ExplicitSets):
            continue
        for name, shape in spec.sets.items():
            low, high = _support(shape)
            below = limits.minimum is not None and high <= limits.minimum
            above = limits.maximum is not None and low >= limits.maximum
            if below or above:
                yield f"set `{name}` of `{key}` lies outside the indicator's range"


def _of_the_present(strategy: Strategy) -> Iterator[str]:
    """Figures: random walks, 70 % of labels and 50 % of the signs of what follows."""
    if isinstance(strategy.labels, Zigzag):
        yield (
            "zigzag labels describe the present trend more than the future: on a random walk the rule "
            "`RSI > 50` matches 70 % of them and half of what follows"
        )


def _support(shape: Shape) -> tuple[float, float]:
    if shape.kind == "left":
        return (float("-inf"), shape.points[-1])
    if shape.kind == "right":
        return (shape.points[0], float("inf"))
    if shape.kind == "gaussian":
        middle, width = shape.points
        return (middle - 4 * width, middle + 4 * width)
    return (shape.points[0], shape.points[-1])
