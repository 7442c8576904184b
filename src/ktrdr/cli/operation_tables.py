"""Operations as lines of a table, and one of them in detail."""

from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ktrdr.cli.follow import has_ended, status_of
from ktrdr.cli.operation_report import elapsed_seconds
from ktrdr.cli.progress_words import duration
from ktrdr.cli.safe_text import safe
from ktrdr.clock import SystemClock

HEADER = ("ID", "KIND", "STATUS", "PROGRESS", "STARTED", "ELAPSED", "WHAT")
RIGHT = frozenset({"PROGRESS", "ELAPSED"})
LINEAGE = ("started_by", "retry_of")


def table_lines(operations: list[dict[str, Any]]) -> list[str]:
    """Return a header and a line each, as wide as they are: an id cut short is no id."""
    rows = [HEADER, *(tuple(map(safe, _cells(each))) for each in operations)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_padded, row, widths, HEADER)).rstrip() for row in rows]


def details(operation: dict[str, Any]) -> Table:
    """Return what there is to say of one operation, a row each."""
    error = operation.get("error") or {}
    rows = dict(zip((name.lower() for name in HEADER), _cells(operation), strict=True))
    rows |= {"message": str(operation["progress"].get("message") or "")}
    rows |= {"error": str(error.get("detail") or ""), "hint": str(error.get("hint") or "")}
    rows |= {name.replace("_", " "): str(operation["metadata"].get(name) or "") for name in LINEAGE}
    rows |= {"cancelled by": _who_cancelled(operation)}
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(safe(value)))
    return table


def _padded(cell: str, width: int, column: str) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column in RIGHT else cell + space


def _cells(operation: dict[str, Any]) -> tuple[str, ...]:
    return (
        operation["operation_id"],
        operation["operation_type"],
        _shown_status(operation),
        f"{operation['progress']['percentage']:.0f} %",
        _clock_time(operation.get("started_at")),
        duration(elapsed_seconds(operation)),
        str(operation["metadata"].get("description", "")),
    )


def _clock_time(moment: object) -> str:
    """Return when it began in the reader's own time, with the date unless it was today."""
    try:
        began = datetime.fromisoformat(str(moment)).astimezone()
    except ValueError:
        return ""
    is_today = began.date() == SystemClock().now().astimezone().date()
    return f"{began:%H:%M:%S}" if is_today else f"{began:%Y-%m-%d %H:%M}"


def _shown_status(operation: dict[str, Any]) -> str:
    waiting = operation.get("cancel_requested") and not has_ended(operation)
    return "cancelling" if waiting else status_of(operation)


def _who_cancelled(operation: dict[str, Any]) -> str:
    asked = operation.get("cancel_requested") or {}
    return f"{asked.get('by')} ({asked.get('reason')})" if asked else ""
