"""Every indicator with its parameters, outputs, range and warm-up, as plain rows."""

from dataclasses import dataclass

from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.reference.keys import KeyRow, key_rows


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator; the warm-up, in bars, is with the parameters as they stand."""

    name: str
    meaning: str
    outputs: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    warm_up: int
    parameters: tuple[KeyRow, ...]


def indicator_rows() -> tuple[IndicatorRow, ...]:
    """Return a row for each indicator, by name."""
    return tuple(
        IndicatorRow(
            name=name,
            meaning=spec.meaning,
            outputs=spec.outputs,
            minimum=spec.minimum,
            maximum=spec.maximum,
            warm_up=spec.warm_up(spec.parameters().model_dump()),
            parameters=key_rows(spec.parameters),
        )
        for name, spec in sorted(INDICATOR_SPECS.items())
    )


def range_words(minimum: float | None, maximum: float | None) -> str:
    """Return `0 to 100`, `from 0` or `any`."""
    if maximum is not None:
        return f"{minimum:g} to {maximum:g}"
    return "any" if minimum is None else f"from {minimum:g}"
