"""`ktrdr operations list`: which operations there are."""

from typing import Annotated, Any

import typer
from rich.text import Text

from ktrdr.cli.operation_ids import MOST_SEARCHED
from ktrdr.cli.operation_tables import table_lines
from ktrdr.cli.options import Output, OutputOption, UrlOption
from ktrdr.cli.session import open_session
from ktrdr.errors import InputInvalid
from ktrdr.operations.operation import OperationStatus


def list_operations(
    context: typer.Context,
    *,
    active: Annotated[bool, typer.Option("--active", help="Only those that have not ended.")] = False,
    status: Annotated[OperationStatus | None, typer.Option(help="Only those of this status.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_SEARCHED, help="How many at most.")] = 20,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List operations, newest first."""
    if active and status:
        raise InputInvalid("--active and --status exclude each other", hint="leave one of them out")
    session = open_session(context, url, output=output)
    given = {"status": status.value if status else None, "operation_type": kind}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    page = session.ask(lambda client: client.list_operations(active_only=active, limit=limit, **wanted))
    if output is Output.JSON:
        counts = {name: page.get(name) for name in ("total_count", "active_count")}
        session.print_json({"operations": page["data"], **counts})
    elif page["data"]:
        session.out.print(Text("\n".join(table_lines(page["data"]))), soft_wrap=True)
    else:
        typer.echo(_nothing(active=active, chosen=status or kind), err=True)


def _nothing(*, active: bool, chosen: str | None) -> str:
    """Say that a list is empty, and of what: there may be others."""
    if chosen:
        return "No such operation is active." if active else "There is no such operation."
    return "No operation is active." if active else "There are no operations."
