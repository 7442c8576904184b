"""The JSON schema of strategy files, for editors: the grammar of the file, not of what it becomes."""

from typing import Any

from ktrdr.strategies.fuzzy_spec import SHAPE_POINTS
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS, IndicatorSpec
from ktrdr.strategies.strategy import Strategy

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EDITOR_LINE = "# yaml-language-server: $schema={}"
NUMBER = {"type": "number"}


def strategy_schema() -> dict[str, Any]:
    """Return the schema; what depends on several keys at once is left to `ktrdr strategies validate`."""
    schema = Strategy.model_json_schema()
    parts = schema["$defs"]
    parts["Indicator"] = {"oneOf": [_indicator(name, spec) for name, spec in INDICATOR_SPECS.items()]}
    parts["Shape"] = {"oneOf": [*map(_shape, SHAPE_POINTS), _numbers(3), _numbers(4)]}
    sets = parts["ExplicitSets"]["properties"]["sets"]
    parts["ExplicitSets"] = {"description": "Shapes by name.", "oneOf": [sets, _only("sets", sets)]}
    comment = "first line of a strategy file: " + EDITOR_LINE.format("strategy.schema.json")
    return {"$schema": DIALECT, "$comment": comment, **schema, "title": "A ktrdr strategy"}


def _indicator(name: str, spec: IndicatorSpec) -> dict[str, Any]:
    parameters = spec.parameters.model_json_schema()["properties"]
    return {
        "type": "object",
        "description": spec.meaning,
        "properties": {"type": {"const": name}, **parameters},
        "required": ["type"],
        "additionalProperties": False,
    }


def _shape(kind: str) -> dict[str, Any]:
    count = SHAPE_POINTS[kind]
    return {
        "type": "array",
        "prefixItems": [{"const": kind}, *([NUMBER] * count)],
        "items": False,
        "minItems": count + 1,
    }


def _numbers(count: int) -> dict[str, Any]:
    return {"type": "array", "items": NUMBER, "minItems": count, "maxItems": count}


def _only(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": False}
