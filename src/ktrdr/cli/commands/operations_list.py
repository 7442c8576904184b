"""`ktrdr operations list`: which operations there are."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from ktrdr.cli.invocation import Invocation
from ktrdr.cli.local_server import ensure_server
from ktrdr.cli.operation_tables import table_lines
from ktrdr.cli.options import MOST_SEARCHED, Output, OutputOption, UrlOption
from ktrdr.cli.quick_commands import QuickCommand, QuickGroup
from ktrdr.cli.warnings_to_user import warn
from ktrdr.client.local_answer import local_answer
from ktrdr.errors import InputInvalid
from ktrdr.lazy import resolve
from ktrdr.operations.operation import OperationStatus
from ktrdr.settings import Settings

SESSION = "ktrdr.cli.session:open_session"
PATIENCE = 1.0

app = typer.Typer(rich_markup_mode=None, cls=QuickGroup)


@app.callback()
def group() -> None:
    """List operations."""


@app.command("list", cls=QuickCommand)
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
    given = {"status": status.value if status else None, "operation_type": kind}
    wanted = {name: value for name, value in given.items() if value is not None}
    page = _page(context, url, {"active_only": active, "limit": limit, **wanted})
    if output is Output.JSON:
        counts = {name: page.get(name) for name in ("total_count", "active_count")}
        typer.echo(json.dumps({"operations": page["data"], **counts}, indent=2, allow_nan=False))
    elif page["data"]:
        typer.echo("\n".join(table_lines(page["data"])))
    else:
        typer.echo(_nothing(active=active, chosen=status or kind), err=True)


def _page(context: typer.Context, url: str | None, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page from one's own server at once, else as every other command asks."""
    given = (context.find_object(Invocation) or Invocation()).surroundings
    settings = Settings.load()
    page = None
    if given is None and not url and not settings.api_url:
        target = f"/api/v1/operations?{urlencode(query)}"
        page = local_answer(ensure_server(settings, warn), target, PATIENCE)
    if page is None:
        session = resolve(SESSION)(context, url)
        page = session.ask(lambda client: client.list_operations(**query))
    return dict(page)


def _nothing(*, active: bool, chosen: str | None) -> str:
    """Say that a list is empty, and of what: there may be others."""
    if chosen:
        return "No such operation is active." if active else "There is no such operation."
    return "No operation is active." if active else "There are no operations."
