"""One operation in detail, a row for each thing there is to say of it."""

from typing import Any

from rich.table import Table
from rich.text import Text

from ktrdr.cli.operation_tables import HEADER, cells
from ktrdr.cli.safe_text import safe

LINEAGE = ("started_by", "retry_of")


def details(operation: dict[str, Any]) -> Table:
    """Return what there is to say of one operation, a row each."""
    error = operation.get("error") or {}
    rows = dict(zip((name.lower() for name in HEADER), cells(operation), strict=True))
    rows |= {"message": str(operation["progress"].get("message") or "")}
    rows |= {"error": str(error.get("detail") or ""), "hint": str(error.get("hint") or "")}
    rows |= {name.replace("_", " "): str(operation["metadata"].get(name) or "") for name in LINEAGE}
    rows |= {"cancelled by": _who_cancelled(operation)}
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(safe(value)))
    return table


def _who_cancelled(operation: dict[str, Any]) -> str:
    asked = operation.get("cancel_requested") or {}
    return f"{asked.get('by')} ({asked.get('reason')})" if asked else ""
