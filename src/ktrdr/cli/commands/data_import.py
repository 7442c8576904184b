"""`ktrdr data import`: bars of one's own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ktrdr.cli.confirmation import refuse_without_terminal
from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.operation_adapters.data_import import DataImportOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.safe_text import safe
from ktrdr.cli.session import Session, message_of
from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check
from ktrdr.kinds.data_import import DataImportRequest
from ktrdr.operations.identifier import new_upload_id

USUAL_TIMEFRAME = "1d"
WORTH_SAYING = 50.0  # MB
GIVE_A_FILE = "give the path of a CSV or Parquet file"
PIPE, STANDARD_INPUT = Path("-"), Path("/dev/stdin")
LONGEST_NAME = 255


@operation_command()
def import_file(
    opened: OpenSession,
    file: Annotated[
        Path, typer.Argument(help="A CSV or Parquet file, also packed with gzip or zip; - is a pipe.")
    ],
    symbol: Annotated[
        str | None,
        typer.Argument(help="What its bars are of, as AAPL; left out if the file names it."),
    ] = None,
    *,
    timeframe: Annotated[
        str | None, typer.Option(help="How long a bar is: 1m 5m 15m 30m 1h 4h 1d 1w. Left out: 1d.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Read a field from this column; repeatable. Two are joined as time=Date+Time.",
        ),
    ] = None,
    symbol_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The file has several symbols, named in this column.")
    ] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of times that carry no offset.")] = None,
    time_format: Annotated[
        str | None, typer.Option(help="How times are written, as %m/%d/%Y; usual ways are found.")
    ] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="There is no header; columns are numbers, as --map time=1+2.")
    ] = False,
    skip_lines: Annotated[int | None, typer.Option(help="Lines before the header, or the first bar.")] = None,
    separator: Annotated[
        str | None, typer.Option(help="What is between columns: , ; tab |. Left out: found from the header.")
    ] = None,
    thousands: Annotated[
        str | None, typer.Option(help="What groups digits, , or .; found where a number shows it.")
    ] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Numbers are written as 1,5.")
    ] = False,
    adjustment: Annotated[
        str | None,
        typer.Option(
            help="How the file's prices are adjusted: raw split split_dividend. Left out: as stored bars, "
            "else raw."
        ),
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(help="When it trades: an exchange's code as XNYS, 24/7 or fx.")
    ] = None,
    outside: Annotated[
        str, typer.Option(help="What becomes of many bars in no session of the calendar: refuse keep.")
    ] = "refuse",
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace all bars imported before, instead of joining them."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to replace.")] = False,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Set wrong lines aside and list them, instead of refusing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, show it, and write nothing.")
    ] = False,
) -> None:
    """Import a CSV or Parquet file: all of its bars, or none and the lines that are wrong.

    Bars join those imported before; equal ones are counted, differing ones refused.
    """
    mapped = dict(_pair(each) for each in columns or [])
    options = {
        "symbol_column": symbol_column,
        "time_format": time_format,
        "separator": separator,
        "no_header": no_header,
        "skip_lines": skip_lines,
        "thousands": thousands,
        "decimal_comma": decimal_comma,
        "adjustment": adjustment,
        "calendar": calendar,
        "is_timeframe_sure": timeframe is not None,
        "outside": outside,
        "replace": replace,
        "quarantine": quarantine,
        "dry_run": dry_run,
    }
    adapter = DataImportOperationAdapter(
        new_upload_id(),
        _name(file),
        symbol,
        timeframe or USUAL_TIMEFRAME,
        columns=mapped,
        tz=tz,
        options=options,
    )
    check(DataImportRequest, adapter.get_start_payload())
    if yes and not replace:
        raise InputInvalid("--yes answers a question that only --replace asks", hint="leave --yes out")
    if replace and not (yes or dry_run):
        refuse_without_terminal("replace")
    session = opened()
    if replace and not (yes or dry_run):
        _ask(f"{symbol} {timeframe or USUAL_TIMEFRAME}" if symbol else "every series in the file")
    adapter.claim(_upload(session, file))
    session.run(adapter, message_of)


def _ask(what: str) -> None:
    """Ask whether bars are to be replaced; ends the command unless they are."""
    if not typer.confirm(f"Replace all bars of {safe(what)} that were imported before?", err=True):
        typer.echo("Nothing was replaced.", err=True)
        raise typer.Exit(ExitCode.FAILED)


def _pair(text: str) -> tuple[str, str]:
    field, separator, column = text.partition("=")
    if not (field and separator):
        raise InputInvalid(f"--map `{text}` is not FIELD=COLUMN", hint="for example --map close='Adj Close'")
    return field, column


def _name(file: Path) -> str:
    """Return a file's name as text; bytes that are no UTF-8 are written as escapes."""
    if file == PIPE:
        return "standard input"
    return os.fsencode(file.name).decode(errors="backslashreplace")[-LONGEST_NAME:]


def _upload(session: Session, named: Path) -> str:
    file = STANDARD_INPUT if named == PIPE else named
    try:
        if file.is_char_device() or file.is_block_device() or file.is_socket():
            raise InputInvalid(f"`{named}` is no file and no pipe", hint=GIVE_A_FILE)
        megabytes = file.stat().st_size / 1e6
        if megabytes >= WORTH_SAYING and not session.quiet:
            typer.echo(f"Sending {safe(_name(named))} ({megabytes:,.0f} MB) ...", err=True)
        return session.ask(lambda client: client.upload(file))
    except OSError as error:
        raise InputInvalid(f"cannot read `{named}`: {error.strerror}", hint=GIVE_A_FILE) from None
