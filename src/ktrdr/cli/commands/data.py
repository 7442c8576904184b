"""`ktrdr data`: load bars, import bars of one's own, and see which there are."""

from pathlib import Path
from typing import Annotated

import typer

from ktrdr.cli.operation_adapters.data_import import DataImportOperationAdapter
from ktrdr.cli.operation_adapters.data_load import DataLoadOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.options import (
    Output,
    OutputOption,
    UrlOption,
)
from ktrdr.cli.safe_text import safe
from ktrdr.cli.session import Session, message_of, open_session
from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check
from ktrdr.kinds.data_import import DataImportRequest
from ktrdr.kinds.data_load import DataLoadRequest
from ktrdr.operations.identifier import new_upload_id

WORTH_SAYING = 50.0  # MB

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Load bars, import your own, list them.")


@app.command("import")
@operation_command()
def import_file(
    opened: OpenSession,
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.")],
    symbol: Annotated[str, typer.Argument(help="What its bars are of, as AAPL or BTC/USDT.")],
    *,
    timeframe: Annotated[str, typer.Option(help="How long a bar is: 1m 5m 15m 30m 1h 4h 1d 1w.")] = "1d",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Read a field from this column; repeatable."),
    ] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of times that carry no offset.")] = None,
) -> None:
    """Import a CSV file: all of its bars, or none and the lines that are wrong."""
    mapped = dict(_pair(each) for each in columns or [])
    adapter = DataImportOperationAdapter(new_upload_id(), file.name, symbol, timeframe, columns=mapped, tz=tz)
    check(DataImportRequest, adapter.get_start_payload())
    session = opened()
    adapter.claim(_upload(session, file))
    session.run(adapter, message_of)


@app.command()
@operation_command()
def load(
    opened: OpenSession,
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Whose bars, as AAPL.")],
    *,
    timeframe: Annotated[str, typer.Option(help="How long a bar is: 1m 5m 15m 30m 1h 4h 1d 1w.")] = "1d",
    start: Annotated[str | None, typer.Option(help="The first date, as 2024-01-31.")] = None,
    end: Annotated[str | None, typer.Option(help="The last date; that whole day belongs to it.")] = None,
    mode: Annotated[
        str,
        typer.Option(help="full: what is missing of the range; tail: what is new; backfill; local: nothing."),
    ] = "full",
    provider: Annotated[str, typer.Option(help="Where bars come from.")] = "sample",
) -> None:
    """Load bars from a provider; what is there already is not fetched again."""
    adapter = DataLoadOperationAdapter(symbols, timeframe, start, end, mode, provider=provider)
    check(DataLoadRequest, adapter.get_start_payload())
    opened().run(adapter, message_of)


@app.command("list")
def list_series(
    context: typer.Context, *, url: UrlOption = None, output: OutputOption = Output.TABLE
) -> None:
    """List every series of bars: your own and the sample's."""
    session = open_session(context, url, output=output)
    series = session.ask(lambda client: client.get("/api/v1/data"))["data"]
    if output is Output.JSON:
        session.print_json({"series": series})
        return
    for each in series:
        name = f"{safe(each['symbol'])} {safe(each['timeframe'])}"
        span = f"{safe(each['first'])[:10]} to {safe(each['last'])[:10]}"
        words = f"{name:<14} {each['rows']:>10,} bars  {span}  {safe(each['provider'])}"
        session.out.print(words, markup=False, highlight=False, soft_wrap=True)


def _pair(text: str) -> tuple[str, str]:
    field, separator, column = text.partition("=")
    if not (field and separator and column):
        raise InputInvalid(f"--map `{text}` is not FIELD=COLUMN", hint="for example --map close='Adj Close'")
    return field, column


def _upload(session: Session, file: Path) -> str:
    try:
        megabytes = file.stat().st_size / 1e6
        if megabytes >= WORTH_SAYING and not session.quiet:
            typer.echo(f"Sending {safe(file.name)} ({megabytes:,.0f} MB) ...", err=True)
        return session.ask(lambda client: client.upload(file))
    except OSError as error:
        raise InputInvalid(
            f"cannot read `{file}`: {error.strerror}", hint="give the path of a CSV file"
        ) from None
