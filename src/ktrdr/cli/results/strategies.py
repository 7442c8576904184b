"""Strategies on one's own disk: written, checked, shown, and the grammar they follow. No server is asked."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ktrdr.cli.columns import aligned
from ktrdr.cli.error_report import error_text
from ktrdr.cli.new_files import new_file
from ktrdr.cli.safe_text import safe, safe_lines
from ktrdr.cli.strategy_text import read_strategy as read_text
from ktrdr.errors import NotFound, StrategyInvalid
from ktrdr.strategies.lint import remarks
from ktrdr.strategies.reading.sentences import nearest, place_of
from ktrdr.strategies.reference.indicators import IndicatorRow, indicator_rows, range_words
from ktrdr.strategies.reference.json_schema import EDITOR_LINE, strategy_schema
from ktrdr.strategies.reference.template import template
from ktrdr.strategies.strategy_file import as_in_a_file, parse_strategy, read_strategy, strategy_to_yaml

USUAL_NAME = "my_strategy"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
INDICATORS = ("INDICATOR", "OUTPUTS", "RANGE", "WARM-UP", "PARAMETERS")
PARAMETERS = ("PARAMETER", "DEFAULT", "MAY BE", "MEANING")


def written(file: Path, *, force: bool) -> list[str]:
    """Write a strategy that trains as it stands, and return what to do next."""
    name = file.stem if NAME.fullmatch(file.stem) else USUAL_NAME
    with new_file(file, force=force) as stream:
        stream.write(template(name).encode())
    train = shlex.join(("ktrdr", "models", "train", str(file)))
    return [f"Wrote {safe(file)}", f"Train it with: {safe(train)}"]


def checked(file: Path) -> tuple[bool, dict[str, Any], list[str]]:
    """Return whether a file is a strategy, its mistakes and warnings as data, and the same as lines."""
    try:
        strategy, document = read_strategy(read_text(file), str(file))
    except StrategyInvalid as error:
        mistakes = [_as_data(*each) for each in error.mistakes]
        shape = {"file": str(file), "valid": False, "mistakes": mistakes, "warnings": []}
        return False, shape, [error_text(error.message, error.hint, error.detail)]
    places = [(each.words, *place_of(document, each.path)) for each in remarks(strategy)]
    warnings = [_as_data(line + 1, column + 1, words) for words, line, column in places]
    told = (f"warning: {file}:{each['line']}:{each['column']}: {each['message']}" for each in warnings)
    lines = [f"{safe(file)} is a strategy: {safe(strategy.name)}", *map(safe, told)]
    return True, {"file": str(file), "valid": True, "mistakes": [], "warnings": warnings}, lines


def resolved(file: Path) -> str:
    """Return a strategy with every default written out, as YAML."""
    return safe_lines(strategy_to_yaml(parse_strategy(read_text(file), str(file)))).rstrip()


def resolved_data(file: Path) -> dict[str, Any]:
    """Return a strategy with every default written out, as plain values."""
    return as_in_a_file(parse_strategy(read_text(file), str(file)))


def indicator_data(name: str | None) -> list[dict[str, Any]]:
    """Return one or all indicators as plain values."""
    return [asdict(each) for each in _rows(name)]


def indicator_lines(name: str | None) -> list[str]:
    """Return all indicators as a table, or one with its parameters."""
    rows = _rows(name)
    if name is None:
        return aligned(INDICATORS, map(_indicator_cells, rows), right={"WARM-UP"})
    (row,) = rows
    cells = [(each.name, str(each.default), each.allowed, each.meaning) for each in row.parameters]
    return [
        f"{row.name} · {row.meaning}",
        f"  Outputs  {', '.join(row.outputs)}",
        f"  Range    {range_words(row.minimum, row.maximum)}",
        f"  Warm-up  {row.warm_up} bars with these parameters",
        *(f"  {line}" for line in aligned(PARAMETERS, cells, right=set())),
    ]


def schema_text() -> str:
    """Return the JSON schema of strategy files."""
    return json.dumps(strategy_schema(), indent=2)


def schema_written(file: Path, *, force: bool) -> list[str]:
    """Write the JSON schema and return the line by which an editor finds it."""
    with new_file(file, force=force) as stream:
        stream.write((schema_text() + "\n").encode())
    return [f"Wrote {safe(file)}", f"Begin a strategy beside it with: {EDITOR_LINE.format(safe(file.name))}"]


def _rows(name: str | None) -> Sequence[IndicatorRow]:
    rows = indicator_rows()
    if name is None:
        return rows
    found = [each for each in rows if each.name == name]
    if not found:
        hint = nearest(name, [each.name for each in rows])
        raise NotFound(f"there is no indicator `{name}`", hint=hint)
    return found


def _indicator_cells(row: IndicatorRow) -> tuple[str, ...]:
    parameters = " ".join(f"{each.name}={each.default}" for each in row.parameters)
    return (
        row.name,
        " ".join(row.outputs),
        range_words(row.minimum, row.maximum),
        str(row.warm_up),
        parameters,
    )


def _as_data(line: int, column: int, message: str, hint: str | None = None) -> dict[str, Any]:
    return {"line": line, "column": column, "message": message, "hint": hint}
