"""`ktrdr operations`: look at, follow and cancel operations of every kind."""

from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.error_report import ExitCode, describe, exit_code
from ktrdr.cli.follow import has_ended, read_operation, status_of
from ktrdr.cli.operation_adapters import adapter_of_kind
from ktrdr.cli.operation_report import elapsed_seconds
from ktrdr.cli.options import (
    NoProgressOption,
    OnInterruptOption,
    Output,
    OutputOption,
    Progress,
    ProgressOption,
    QuietOption,
    RunOutput,
    RunOutputOption,
    UrlOption,
)
from ktrdr.cli.progress_display import duration
from ktrdr.cli.safe_text import safe
from ktrdr.cli.session import Session, end_process, open_session
from ktrdr.errors import InputInvalid, KtrdrError, NotFound

NEWEST = "@last"
MOST_SEARCHED = 1000
HEADER = ("ID", "KIND", "STATUS", "PROGRESS", "ELAPSED", "WHAT")
RIGHT = frozenset({"PROGRESS", "ELAPSED"})

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="An id, a unique beginning of one, or @last for the newest.")
]
IdArguments = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Ids, unique beginnings of some, or @last.")
]


@app.callback()
def group() -> None:
    """List, follow and cancel operations."""


@app.command("list")
def list_operations(
    context: typer.Context,
    *,
    active: Annotated[bool, typer.Option("--active", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_SEARCHED, help="How many at most.")] = 20,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List operations, newest first."""
    session = open_session(context, url, output=output)
    page = session.ask(lambda client: client.list_operations(active_only=active, limit=limit))
    if output is Output.JSON:
        counts = {name: page.get(name) for name in ("total_count", "active_count")}
        session.print_json({"operations": page["data"], **counts})
    elif page["data"]:
        session.out.print(Text("\n".join(_lines(page["data"]))), soft_wrap=True)
    else:
        typer.echo("There are no operations.", err=True)


@app.command()
def status(
    context: typer.Context,
    *,
    operation: IdArgument,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one operation as it is now."""
    session = open_session(context, url, output=output)
    shown = session.ask(lambda client: _read(client, operation))
    if output is Output.JSON:
        session.print_json(shown)
    else:
        session.out.print(_details(shown))


@app.command()
def follow(
    context: typer.Context,
    *,
    operation: IdArgument,
    url: UrlOption = None,
    output: RunOutputOption = RunOutput.TABLE,
    quiet: QuietOption = False,
    progress: ProgressOption = Progress.AUTO,
    no_progress: NoProgressOption = False,
    on_interrupt: OnInterruptOption = None,
) -> None:
    """Follow an operation to its end; Ctrl+C only stops the following."""
    session = open_session(
        context,
        url,
        output=output,
        quiet=quiet,
        progress=Progress.NONE if no_progress else progress,
        on_interrupt=on_interrupt,
    )
    shown = session.ask(lambda client: _read(client, operation))
    session.follow(shown["operation_id"], adapter_of_kind(str(shown.get("operation_type"))))


@app.command()
def cancel(
    context: typer.Context,
    *,
    operations: IdArguments,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "cancelled by hand",
    force: Annotated[bool, typer.Option("--force", help="Kill it without waiting for it to notice.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask operations to stop, each of them, whatever becomes of the others."""
    session = open_session(context, url, output=output)
    answers, errors = [], []
    for each in operations:
        try:
            answers.append(_cancel(session, each, reason, force))
        except KtrdrError as error:
            errors.append(error)
    if output is Output.JSON:
        session.print_json({"operations": answers})
    else:
        for answer in answers:
            session.out.print(Text(safe(_told(answer))), soft_wrap=True)
    for each_error in errors:
        typer.echo(describe(each_error), err=True)
    end_process(exit_code(errors[0]) if errors else ExitCode.COMPLETED)


def _told(answer: dict[str, Any]) -> str:
    told = f"has ended already: {status_of(answer)}" if has_ended(answer) else "is being cancelled"
    ended = "cancelled" if status_of(answer) == "cancelled" else told
    return f"{answer['operation_id']} {ended}"


def _cancel(session: Session, given: str, reason: str, force: bool) -> dict[str, Any]:
    async def ask(client: KtrdrApiClient) -> dict[str, Any]:
        return await client.cancel(await _whole_id(client, given), reason, force=force)

    return session.ask(ask)


async def _read(client: KtrdrApiClient, given: str) -> dict[str, Any]:
    return await read_operation(client, await _whole_id(client, given))


async def _whole_id(client: KtrdrApiClient, given: str) -> str:
    """Return the one id that `given` begins; raises NotFound or InputInvalid."""
    if given != NEWEST:
        with suppress(NotFound):
            return str((await read_operation(client, given))["operation_id"])
    page = await client.list_operations(limit=1 if given == NEWEST else MOST_SEARCHED)
    known = [str(each["operation_id"]) for each in page["data"]]
    matches = known[:1] if given == NEWEST else [each for each in known if each.startswith(given)]
    if len(matches) > 1:
        raise InputInvalid(
            f"`{given}` begins {len(matches)} ids", hint="write more of it: " + ", ".join(matches[:5])
        )
    if not matches:
        raise NotFound(f"there is no operation `{given}`", hint="see `ktrdr operations list`")
    return matches[0]


def _lines(operations: list[dict[str, Any]]) -> list[str]:
    """Return the table's lines, as wide as they are: an id cut short is no id."""
    rows = [HEADER, *(tuple(map(safe, _cells(each))) for each in operations)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_padded, row, widths, HEADER)).rstrip() for row in rows]


def _padded(cell: str, width: int, column: str) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column in RIGHT else cell + space


def _cells(operation: dict[str, Any]) -> tuple[str, ...]:
    return (
        operation["operation_id"],
        operation["operation_type"],
        _shown_status(operation),
        f"{operation['progress']['percentage']:.0f} %",
        duration(elapsed_seconds(operation)),
        str(operation["metadata"].get("description", "")),
    )


def _details(operation: dict[str, Any]) -> Table:
    error = operation.get("error") or {}
    names = ("id", "kind", "status", "progress", "elapsed", "what")
    rows = dict(zip(names, _cells(operation), strict=True))
    rows |= {"message": str(operation["progress"].get("message") or "")}
    rows |= {"error": str(error.get("detail") or ""), "hint": str(error.get("hint") or "")}
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(safe(value)))
    return table


def _shown_status(operation: dict[str, Any]) -> str:
    waiting = operation.get("cancel_requested") and not has_ended(operation)
    return "cancelling" if waiting else status_of(operation)
