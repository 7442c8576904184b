"""`ktrdr data load`: bars of a provider."""

from typing import Annotated

import typer

from ktrdr.cli.operation_adapters.data_load import DataLoadOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.session import message_of
from ktrdr.invalid_fields import check
from ktrdr.kinds.data_load import DataLoadRequest


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
        typer.Option(
            help="full: what is missing of the range; tail: what is new; backfill: what was before; "
            "local: fetch nothing, make bars of finer ones."
        ),
    ] = "full",
    provider: Annotated[
        str | None,
        typer.Option(
            help="Where bars come from: sample csv parquet yfinance ccxt ccxt:EXCHANGE ib. Left out: where "
            "those come from that are there, else sample."
        ),
    ] = None,
    adjustment: Annotated[
        str | None, typer.Option(help="How prices are adjusted: raw split split_dividend.")
    ] = None,
    trading_hours: Annotated[
        bool, typer.Option("--trading-hours", help="Keep only bars of the exchange's sessions.")
    ] = False,
    include_extended: Annotated[
        bool, typer.Option("--include-extended", help="With --trading-hours: also before and after them.")
    ] = False,
) -> None:
    """Load bars from a provider; what is there already is not fetched again."""
    options = {
        "adjustment": adjustment,
        "trading_hours": trading_hours,
        "include_extended": include_extended,
    }
    adapter = DataLoadOperationAdapter(
        symbols, timeframe, start, end, mode, provider=provider, options=options
    )
    check(DataLoadRequest, adapter.get_start_payload())
    opened().run(adapter, message_of)
