"""`ktrdr dummy`: the command to copy."""

from typing import Annotated

import typer

from ktrdr.cli.operation_adapters.dummy import DummyOperationAdapter
from ktrdr.cli.options import (
    DetachOption,
    NoProgressOption,
    OnInterruptOption,
    Progress,
    ProgressOption,
    QuietOption,
    RunOutput,
    RunOutputOption,
    UrlOption,
)
from ktrdr.cli.session import message_of, open_session

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
    output: RunOutputOption = RunOutput.TABLE,
    quiet: QuietOption = False,
    progress: ProgressOption = Progress.AUTO,
    no_progress: NoProgressOption = False,
    detach: DetachOption = False,
    on_interrupt: OnInterruptOption = None,
) -> None:
    """Count to a number of iterations within a duration."""
    session = open_session(
        context,
        url,
        output=output,
        quiet=quiet,
        progress=Progress.NONE if no_progress else progress,
        detach=detach,
        on_interrupt=on_interrupt,
    )
    session.run(DummyOperationAdapter(duration, iterations), message_of)
