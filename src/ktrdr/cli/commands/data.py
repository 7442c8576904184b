"""`ktrdr data`: what bars there are."""

import typer

from ktrdr.cli.safe_text import safe
from ktrdr.cli.session import Output, OutputOption, UrlOption, open_session

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="See which bars there are.")


@app.callback()
def group() -> None:
    """See which bars there are."""


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
