"""A refusal that leads on: what a file looks like, and the options with which it is read."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import ImportOptions

FLAGS = {
    "no_header": "--no-header",
    "skip_lines": "--skip-lines",
    "symbol_column": "--symbol-column",
    "timeframe": "--timeframe",
    "time_format": "--time-format",
    "tz": "--tz",
    "thousands": "--thousands",
    "decimal_comma": "--decimal-comma",
}


class Asks(DataInvalid):
    """A file that could be read if options were added; the hint names exactly these.

    `changes` maps fields of `ImportOptions` to the values they need, `note` says what else they could be.
    """

    def __init__(
        self, message: str, changes: Mapping[str, Any], note: str = "", *, detail: Sequence[str] = ()
    ) -> None:
        self.changes = dict(changes)
        self.note = note
        super().__init__(message, hint=advice([self]), detail=detail)


def ask_for_zone(options: ImportOptions) -> Asks:
    """Return the refusal of times without a zone; it proposes that of the calendar."""
    proposed = options.calendar.zone if options.calendar else "UTC"
    note = f"or the zone they are in, as --tz {'UTC' if options.calendar else 'America/New_York'}"
    return Asks("the times do not say their zone", {"tz": proposed}, note)


def advice(asked: Iterable[Asks]) -> str:
    """Return one hint for all that is asked, with every option once."""
    changes: dict[str, Any] = {}
    notes = []
    for each in asked:
        columns = {**changes.get("columns", {}), **each.changes.get("columns", {})}
        changes |= each.changes | ({"columns": columns} if columns else {})
        notes += [each.note] if each.note else []
    words = f"add {' '.join(_flags(changes))}"
    return f"{words} ({'; '.join(notes)})" if notes else words


def adopted(options: ImportOptions, asked: Asks) -> ImportOptions:
    """Return the options together with what a refusal asks for."""
    columns = {**options.columns, **asked.changes.get("columns", {})}
    return replace(options, **{**asked.changes, "columns": columns})


def _flags(changes: Mapping[str, Any]) -> Iterator[str]:
    for name, flag in FLAGS.items():
        value = changes.get(name)
        if value is not None:
            yield flag if value is True else f"{flag} {shlex.quote(str(value))}"
    for field, column in changes.get("columns", {}).items():
        yield f"--map {shlex.quote(f'{field}={column}')}"
