"""Operations as lines of a table."""

from datetime import datetime
from typing import Any

from rich.cells import cell_len

from ktrdr.cli.operation_facts import elapsed_seconds, has_ended, status_of
from ktrdr.cli.progress_words import duration
from ktrdr.cli.safe_text import safe
from ktrdr.clock import SystemClock

HEADER = ("ID", "KIND", "STATUS", "PROGRESS", "STARTED", "ELAPSED", "WHAT")
RIGHT = frozenset({"PROGRESS", "ELAPSED"})


def table_lines(operations: list[dict[str, Any]]) -> list[str]:
    """Return a header and a line each, as wide as they are: an id cut short is no id."""
    rows = [HEADER, *(tuple(map(safe, cells(each))) for each in operations)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_padded, row, widths, HEADER)).rstrip() for row in rows]


def _padded(cell: str, width: int, column: str) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column in RIGHT else cell + space


def cells(operation: dict[str, Any]) -> tuple[str, ...]:
    """Return what the columns of HEADER say of an operation."""
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
