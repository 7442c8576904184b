"""`ktrdr dummy`: the command to copy."""

from typing import Annotated

import typer

from ktrdr.cli.operation_adapters.dummy import DummyOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.session import message_of

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Try the machine with a counter.")


@app.callback()
def group() -> None:
    """Try the machine with an operation that only counts."""


@app.command()
@operation_command()
def run(
    opened: OpenSession,
    *,
    duration: Annotated[float, typer.Option(min=0.001, max=86_400, help="Seconds to take.")] = 10.0,
    iterations: Annotated[int, typer.Option(min=1, max=1_000_000, help="Steps to count.")] = 100,
) -> None:
    """Count to a number of iterations within a duration."""
    opened().run(DummyOperationAdapter(duration, iterations), message_of)
