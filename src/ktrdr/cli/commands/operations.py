"""`ktrdr operations`: look at, follow, wait for, cancel and repeat operations of every kind."""

import asyncio
from typing import Annotated, Any

import typer
from rich.text import Text

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.background_output import background_output
from ktrdr.cli.commands.operations_list import list_operations
from ktrdr.cli.error_report import ExitCode, describe, error_object, exit_code, exit_code_of_status
from ktrdr.cli.follow import read_operation
from ktrdr.cli.operation_adapters import adapter_of_kind
from ktrdr.cli.operation_adapters.repeated import RepeatedOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.operation_details import details
from ktrdr.cli.operation_facts import has_ended, status_of
from ktrdr.cli.operation_ids import IdArgument
from ktrdr.cli.operation_outcome import SIGNAL_EXIT
from ktrdr.cli.options import MOST_SEARCHED, Output, OutputOption, UrlOption
from ktrdr.cli.safe_text import safe, safe_lines
from ktrdr.cli.session import Session, end_process, message_of, open_session
from ktrdr.cli.several import wait_for_ends
from ktrdr.cli.warnings_to_user import warn
from ktrdr.cli.watching import watch_active
from ktrdr.cli.worker_logs import LOG_PAUSE, LogReader, log_text
from ktrdr.errors import InputInvalid, KtrdrError
from ktrdr.operations.operation import OperationStatus

SomeIdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, unique beginnings, @last, or ^1.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All that have not ended.")]
KindOption = Annotated[str | None, typer.Option(help="With --all: only those of this kind.")]
WatchedOption = Annotated[str | None, typer.Option("--kind", help="Only those of this kind.")]

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def group() -> None:
    """List, follow, wait for, cancel and repeat operations."""


app.command("list")(list_operations)


@app.command("status")
def show_status(
    context: typer.Context,
    *,
    operation: IdArgument,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Exit as following it would; 8 if it has not ended.")
    ] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one operation as it is now."""
    session = open_session(context, url, output=output)
    shown = session.ask(lambda client: _read(session, client, operation))
    if output is Output.JSON:
        session.print_json(shown)
    else:
        session.out.print(details(shown))
    end_process(exit_code_of_status(status_of(shown)) if exit_status else ExitCode.COMPLETED)


@app.command()
@operation_command(starts=False)
def follow(
    opened: OpenSession,
    *,
    operation: IdArgument,
) -> None:
    """Follow an operation to its end."""
    session = opened()
    shown = session.ask(lambda client: _read(session, client, operation))
    session.follow(shown["operation_id"], adapter_of_kind(str(shown.get("operation_type"))))


@app.command()
def wait(
    context: typer.Context,
    *,
    operations: SomeIdsArgument = None,
    all_: AllOption = False,
    kind: KindOption = None,
    any_: Annotated[bool, typer.Option("--any", help="Until one of them has ended.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most.")] = None,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Wait until operations have ended, and exit as the first of them that did not complete."""
    _refuse_unless_named(operations, all_, kind)
    session = open_session(context, url, output=output)
    named = operations or _active(session, kind=kind)

    shown = session.ask(
        lambda client: wait_for_ends(
            client,
            named,
            whole_id=session.whole_id,
            any_of_them=any_,
            timeout=timeout,
            patience=session.contact_patience,
        )
    )
    ended = [each for each in shown if has_ended(each)]
    if output is Output.JSON:
        session.print_json({"operations": shown})
    else:
        for each in shown:
            session.out.print(Text(safe(f"{each['operation_id']} {status_of(each)}")), soft_wrap=True)
    is_over = (bool(ended) if any_ else len(ended) == len(shown)) or not named
    codes = [exit_code_of_status(status_of(each)) for each in ended] if is_over else [ExitCode.TIMEOUT]
    end_process(next((code for code in codes if code), ExitCode.COMPLETED))


@app.command()
def cancel(
    context: typer.Context,
    *,
    operations: SomeIdsArgument = None,
    all_: AllOption = False,
    status: Annotated[
        OperationStatus | None, typer.Option(help="With --all: only those of this status.")
    ] = None,
    kind: KindOption = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "cancelled by hand",
    force: Annotated[bool, typer.Option("--force", help="Kill it without waiting for it to notice.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask operations to stop, each of them, whatever becomes of the others."""
    _refuse_unless_named(operations, all_, status or kind)
    session = open_session(context, url, output=output)
    answers: list[dict[str, Any]] = []
    errors: list[KtrdrError] = []
    for each in operations or _active(session, status, kind):
        try:
            answers.append(_cancel(session, each, reason, force))
        except KtrdrError as error:
            errors.append(error)
    _tell(session, answers, errors)
    for wrong in errors:
        typer.echo(describe(wrong), err=True)
    end_process(exit_code(errors[0]) if errors else ExitCode.COMPLETED)


@app.command()
def logs(
    context: typer.Context,
    *,
    operation: IdArgument,
    follow_: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the operation ends.")] = False,
    url: UrlOption = None,
) -> None:
    """Write what the worker of an operation logged."""
    session = open_session(context, url)

    async def ask(client: KtrdrApiClient) -> None:
        reader = LogReader(client, await session.whole_id(client, operation))
        lines = await reader.read()
        while lines or (follow_ and not reader.is_over):
            for line in lines:
                typer.echo(safe_lines(log_text(line)))
            await asyncio.sleep(0 if lines else LOG_PAUSE)
            lines = await reader.read()

    session.ask(ask)


@app.command()
@operation_command()
def retry(opened: OpenSession, *, operation: IdArgument) -> None:
    """Start and follow a new operation like one that has ended."""
    session = opened()
    shown = session.ask(lambda client: _read(session, client, operation))
    kind = adapter_of_kind(str(shown.get("operation_type")))
    session.run(RepeatedOperationAdapter(str(shown["operation_id"]), kind), message_of)


@app.command()
def watch(context: typer.Context, *, kind: WatchedOption = None, url: UrlOption = None) -> None:
    """Show what is active, live, until nothing is; Ctrl+C only stops the watching."""
    session = open_session(context, url)
    with background_output():
        signum = session.ask(lambda client: watch_active(client, kind))
        end_process(SIGNAL_EXIT + signum if signum else ExitCode.COMPLETED)


def _refuse_unless_named(operations: list[str] | None, all_: bool, chosen: str | None) -> None:
    if all_ == bool(operations) or (chosen and not all_):
        raise InputInvalid("name operations, or say --all", hint="then --status and --kind choose")


def _active(session: Session, status: OperationStatus | None = None, kind: str | None = None) -> list[str]:
    wanted = {"operation_type": kind} if kind else {}
    page = session.ask(lambda client: client.list_operations(active_only=True, limit=MOST_SEARCHED, **wanted))
    found = [str(each["operation_id"]) for each in page["data"] if status in {None, each["status"]}]
    if not found:
        typer.echo("No such operation is active.", err=True)
    return found


def _tell(session: Session, answers: list[dict[str, Any]], errors: list[KtrdrError]) -> None:
    if session.output == Output.JSON:
        session.print_json({"operations": answers, "errors": list(map(error_object, errors))})
        return
    for answer in answers:
        told = f"has ended already: {status_of(answer)}" if has_ended(answer) else "is being cancelled"
        ended = "cancelled" if status_of(answer) == OperationStatus.CANCELLED else told
        session.out.print(Text(safe(f"{answer['operation_id']} {ended}")), soft_wrap=True)
        for words in answer.get("warnings") or ():
            warn(f"{answer['operation_id']}: {words}")


def _cancel(session: Session, given: str, reason: str, force: bool) -> dict[str, Any]:
    async def ask(client: KtrdrApiClient) -> dict[str, Any]:
        return await client.cancel(await session.whole_id(client, given), reason, force=force)

    return session.ask(ask)


async def _read(session: Session, client: KtrdrApiClient, given: str) -> dict[str, Any]:
    return await read_operation(client, await session.whole_id(client, given))
