"""`ktrdr data list, show, range, export, delete`: which bars there are, and what becomes of them."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ktrdr.cli.confirmation import refuse_without_terminal
from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.new_files import new_file, refuse_existing
from ktrdr.cli.options import Output, OutputOption, UrlOption
from ktrdr.cli.safe_text import safe
from ktrdr.cli.series_tables import bar_lines, deleted_line, origin, range_lines, series_lines, title
from ktrdr.cli.session import Session, open_session
from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check
from ktrdr.kinds.data_check import DataCheckRequest
from ktrdr.lazy import resolve

SERIES_PATH = "/api/v1/data/series"
FORMATS = {".csv": "csv", ".parquet": "parquet"}
USUAL_LAST = 20
MOST_LAST = 5000
CHART = "ktrdr.cli.bar_chart:bar_chart"
SMALLEST_CHART = (40, 8)
HIGHEST_CHART = 24
BESIDE_CHART = 12  # columns that its frame and the prices beside it take
STDOUT = "-"

SymbolArgument = Annotated[str, typer.Argument(help="Whose bars, as AAPL.")]
TimeframeOption = Annotated[str, typer.Option(help="How long a bar is: 1m 5m 15m 30m 1h 4h 1d 1w.")]
ProviderOption = Annotated[
    str | None, typer.Option(help="Whose bars, where several have them: sample, import, ...")
]
StartOption = Annotated[str | None, typer.Option(help="The first date, as 2024-01-31.")]
EndOption = Annotated[str | None, typer.Option(help="The last date; that whole day belongs to it.")]


def list_series(
    context: typer.Context, *, url: UrlOption = None, output: OutputOption = Output.TABLE
) -> None:
    """List every series of bars: your own, loaded ones, and the sample that comes with ktrdr."""
    session = open_session(context, url, output=output)
    series = session.ask(lambda client: client.get("/api/v1/data"))["data"]
    if output is Output.JSON:
        session.print_json({"series": series})
    else:
        _print(session, series_lines(series))


def show(
    context: typer.Context,
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    start: StartOption = None,
    end: EndOption = None,
    last: Annotated[
        int | None, typer.Option(min=1, max=MOST_LAST, help=f"How many, the newest; {USUAL_LAST} in a table.")
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw candlesticks instead, of all or the newest.")
    ] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show stored bars, the newest ones of all or of a range."""
    if chart and output is Output.JSON:
        raise InputInvalid("--chart cannot be written as JSON", hint="leave one of them out")
    asked = wanted(symbol, timeframe, provider, start, end)
    session = open_session(context, url, output=output)
    width, height = _chart_size()
    asked |= {"points": width - BESIDE_CHART} if chart and last is None else {"limit": last or USUAL_LAST}
    page = session.ask(lambda client: client.get("/api/v1/data/bars", **asked))["data"]
    if output is Output.JSON:
        session.print_json(page)
    elif chart:
        _print_chart(session, page, width, height)
    else:
        _print(session, bar_lines(page))


def show_range(
    context: typer.Context,
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show from when to when a series reaches, and what of it is known to be empty."""
    asked = wanted(symbol, timeframe, provider)
    session = open_session(context, url, output=output)
    series = session.ask(lambda client: client.get(SERIES_PATH, **asked))["data"]
    if output is Output.JSON:
        session.print_json(series)
    else:
        _print(session, range_lines(series))


def export(
    context: typer.Context,
    symbol: SymbolArgument,
    file: Annotated[Path, typer.Argument(help="Where to write; - is standard output.")],
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    start: StartOption = None,
    end: EndOption = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv or parquet; as the file's name ends unless given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write stored bars to a file: all of it, or nothing if anything goes wrong."""
    asked = wanted(symbol, timeframe, provider, start, end) | {"format": _format(file, format_)}
    is_stdout = str(file) == STDOUT
    if is_stdout and output is Output.JSON:
        raise InputInvalid("standard output cannot take both bars and JSON", hint="export to a file")
    if not is_stdout:
        refuse_existing(file, force=force)
    session = open_session(context, url, output=output)
    if is_stdout:
        _download(session, asked, lambda piece: session.out.file.write(piece.decode("ascii")))
        return
    with new_file(file, force=force) as target:
        size = _download(session, asked, target.write)
    if output is Output.JSON:
        session.print_json({"file": str(file), "format": asked["format"], "bytes": size})
    else:
        session.out.print(f"Wrote {safe(file)}", markup=False, highlight=False, soft_wrap=True)


def delete(
    context: typer.Context,
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1d",
    provider: ProviderOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a series of bars for good."""
    asked = wanted(symbol, timeframe, provider)
    if not yes:
        refuse_without_terminal("delete")
    session = open_session(context, url, output=output)
    if not yes:
        asked = _confirmed(session, asked)
    deleted = session.ask(lambda client: client.delete(SERIES_PATH, **asked))
    if output is Output.JSON:
        session.print_json({"deleted": deleted})
    else:
        _print(session, [deleted_line(deleted)])


def wanted(
    symbol: str,
    timeframe: str,
    provider: str | None = None,
    start: str | None = None,
    end: str | None = None,
) -> dict[str, Any]:
    """Return the query of what is given; raises InputInvalid before any server is asked."""
    given = {"symbol": symbol, "timeframe": timeframe, "provider": provider, "start": start, "end": end}
    check(DataCheckRequest, given)
    return {name: value for name, value in given.items() if value is not None}


def _confirmed(session: Session, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the very series that somebody agreed to delete."""
    series = session.ask(lambda client: client.get(SERIES_PATH, **asked))["data"]
    question = f"Delete {int(series['rows']):,} bars of {title(series)} from {safe(series['provider'])}?"
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(ExitCode.FAILED)
    return {name: str(series[name]) for name in ("symbol", "timeframe", "provider")}


def _format(file: Path, given: str | None) -> str:
    if given is not None and given not in FORMATS.values():
        raise InputInvalid(f"--format `{given}` is not known", hint="there are csv and parquet")
    if str(file) == STDOUT:
        if given == "parquet":
            raise InputInvalid("standard output takes csv only", hint="name a file for parquet")
        return "csv"
    found = given or FORMATS.get(file.suffix.lower())
    if found is None:
        raise InputInvalid(f"`{file}` says no format", hint="end it in .csv or .parquet, or give --format")
    return found


def _download(session: Session, asked: Mapping[str, Any], sink: Callable[[bytes], int]) -> int:
    return session.ask(lambda client: client.download("/api/v1/data/export", asked, sink))


def _chart_size() -> tuple[int, int]:
    columns, lines = shutil.get_terminal_size((100, HIGHEST_CHART))
    return max(columns, SMALLEST_CHART[0]), min(max(lines - 4, SMALLEST_CHART[1]), HIGHEST_CHART)


def _print_chart(session: Session, page: Mapping[str, Any], width: int, height: int) -> None:
    can_colour = bool(session.out.color_system) and not session.out.no_color
    lines = resolve(CHART)(
        page["bars"], page["timeframe"], width=width, height=height, coloured=can_colour and os.isatty(1)
    )
    _print(session, [f"{title(page)} · {origin(page)}"])
    session.out.file.write("\n".join(lines) + "\n")


def _print(session: Session, lines: list[str]) -> None:
    session.out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
