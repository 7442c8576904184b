"""`ktrdr data check` and `gaps`: how good stored bars are."""

from pathlib import Path
from typing import Annotated

import typer

from ktrdr.cli.commands.data_series import (
    SERIES_PATH,
    EndOption,
    ProviderOption,
    StartOption,
    SymbolArgument,
    TimeframeOption,
    wanted,
)
from ktrdr.cli.follow import read_operation
from ktrdr.cli.new_files import new_file, refuse_existing
from ktrdr.cli.operation_adapters.data_check import DataCheckOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.quality_page import quality_page
from ktrdr.cli.safe_text import safe
from ktrdr.cli.session import Session, message_of
from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check
from ktrdr.kinds.data_check import DataCheckRequest

CalendarOption = Annotated[
    str | None,
    typer.Option(help="A trading calendar instead of the series' own: 24/7, fx, or an exchange as XNYS."),
]
FailOption = Annotated[bool, typer.Option("--fail-on-gaps", help="Fail if a bar is missing.")]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Also write a page to keep or to send.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the page if it exists.")]


@operation_command()
def check_bars(
    opened: OpenSession,
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    calendar: CalendarOption = None,
    start: StartOption = None,
    end: EndOption = None,
    fail_on_gaps: FailOption = False,
    html: HtmlOption = None,
    force: ForceOption = False,
) -> None:
    """Check stored bars against their trading calendar: coverage, gaps, jumps that look like splits."""
    if force and html is None:
        raise InputInvalid("--force has no effect without --html", hint="leave it out")
    if html:
        refuse_existing(html, force=force)
    adapter = DataCheckOperationAdapter(
        symbol, timeframe, provider, calendar=calendar, start=start, end=end, fail_on_gaps=fail_on_gaps
    )
    session = _opened_for(opened, adapter)
    if html is None:
        session.run(adapter, message_of)
    _run_and_write(session, adapter, html, force=force)


@operation_command()
def list_gaps(
    opened: OpenSession,
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    calendar: CalendarOption = None,
    start: StartOption = None,
    end: EndOption = None,
) -> None:
    """List every gap in stored bars that the trading calendar does not explain."""
    adapter = DataCheckOperationAdapter(
        symbol, timeframe, provider, calendar=calendar, start=start, end=end, every_gap=True
    )
    _opened_for(opened, adapter).run(adapter, message_of)


def _opened_for(opened: OpenSession, adapter: DataCheckOperationAdapter) -> Session:
    """Return a session whose server says that it has the series: nothing is started for another one."""
    payload = adapter.get_start_payload()
    check(DataCheckRequest, payload)
    asked = wanted(payload["symbol"], payload["timeframe"], payload["provider"])
    session = opened()
    session.ask(lambda client: client.get(SERIES_PATH, **asked))
    return session


def _run_and_write(session: Session, adapter: DataCheckOperationAdapter, html: Path, *, force: bool) -> None:
    if session.detach:
        raise InputInvalid("--html needs the result, which --detach does not wait for", hint="leave one out")
    try:
        session.run(adapter, message_of)
    except typer.Exit as ending:
        if ending.exit_code == 0:
            _write_page(session, adapter.operation_id or "@last", html, force=force)
        raise


def _write_page(session: Session, operation: str, html: Path, *, force: bool) -> None:
    operation_id = session.ask(lambda client: session.whole_id(client, operation))
    checked = session.ask(lambda client: read_operation(client, operation_id))
    with new_file(html, force=force) as file:
        file.write(quality_page(checked["result_summary"], str(checked["completed_at"])).encode())
    if not session.quiet:
        typer.echo(f"Wrote {safe(html)}", err=True)
