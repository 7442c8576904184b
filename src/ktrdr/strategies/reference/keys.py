"""The keys of a section as a table: what each may be, its default, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

BOUNDS = (
    ("minimum", "at least {:,}"),
    ("exclusiveMinimum", "above {:,}"),
    ("maximum", "at most {:,}"),
    ("exclusiveMaximum", "below {:,}"),
)
TYPES = {"integer": "whole number", "number": "number", "string": "text", "array": "list", "null": "`null`"}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key: its name, what it may be, its default as a file has it (None: must be given), its meaning."""

    name: str
    allowed: str
    default: str | None
    meaning: str


def key_rows(model: type[BaseModel]) -> tuple[KeyRow, ...]:
    """Return a row for each key of a section that is not a section itself."""
    schema = model.model_json_schema()
    required = schema.get("required", ())
    return tuple(
        KeyRow(name, _allowed(each), None if name in required else _default(each), str(each["description"]))
        for name, each in schema["properties"].items()
        if "description" in each
    )


def flow(value: Any) -> str:
    """Return a value as a YAML file may have it, on one line."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(each)}" for name, each in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value) or "''"


def _default(schema: Mapping[str, Any]) -> str:
    return flow(schema.get("default"))


def _allowed(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_allowed(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "$ref" in schema:
        return "section"
    if schema.get("format") == "date":
        return "date, as 2024-01-31"
    bounds = [words.format(schema[name]) for name, words in BOUNDS if name in schema]
    kind = TYPES[schema["type"]]
    if schema["type"] == "array":
        kind = f"list of: {_allowed(schema['items'])}"
    return ", ".join((kind, *bounds))
