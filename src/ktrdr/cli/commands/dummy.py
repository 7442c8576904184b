"""`ktrdr dummy`: the command to copy."""

from typing import Annotated

import typer

from ktrdr.cli.operation_adapters.dummy import DummyOperationAdapter
from ktrdr.cli.session import (
    NoProgressOption,
    Output,
    OutputOption,
    QuietOption,
    UrlOption,
    message_of,
    open_session,
)

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Try the machine with a counter.")


@app.callback()
def group() -> None:
    """Try the machine with an operation that only counts."""


@app.command()
def run(
    context: typer.Context,
    *,
    duration: Annotated[float, typer.Option(min=0.001, max=86_400, help="Seconds to take.")] = 10.0,
    iterations: Annotated[int, typer.Option(min=1, max=1_000_000, help="Steps to count.")] = 100,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
    quiet: QuietOption = False,
    no_progress: NoProgressOption = False,
) -> None:
    """Count to a number of iterations within a duration."""
    session = open_session(context, url, output=output, quiet=quiet, no_progress=no_progress)
    session.run(DummyOperationAdapter(duration, iterations), message_of)
