"""`ktrdr strategies`: write a strategy, check it, see its defaults, learn its grammar. No server is asked."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.options import Output, OutputOption
from ktrdr.lazy import resolve

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Write strategies and check them.")
RESULTS = "ktrdr.cli.results.strategies:"  # loaded by the commands, not by their help

FileArgument = Annotated[Path, typer.Argument(help="The strategy file.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where to write it.")], *, force: ForceOption = False
) -> None:
    """Write a strategy that trains as it stands, with a word on every key."""
    _print(resolve(f"{RESULTS}written")(file, force=force))


@app.command()
def validate(file: FileArgument, *, output: OutputOption = Output.TABLE) -> None:
    """Check a strategy without bars: every mistake and every doubt, each at its place."""
    is_valid, shape, lines = resolve(f"{RESULTS}checked")(file)
    if output is Output.JSON:
        _print_json(shape)
    elif is_valid:
        _print(lines)
    else:
        typer.echo("\n".join(lines), err=True)
    if not is_valid:
        raise typer.Exit(ExitCode.USAGE)


@app.command()
def show(file: FileArgument, *, output: OutputOption = Output.TABLE) -> None:
    """Show a strategy with every default written out."""
    if output is Output.JSON:
        _print_json(resolve(f"{RESULTS}resolved_data")(file))
    else:
        _print([resolve(f"{RESULTS}resolved")(file)])


@app.command()
def indicators(
    name: Annotated[str | None, typer.Argument(help="One of them, with its parameters.")] = None,
    *,
    output: OutputOption = Output.TABLE,
) -> None:
    """List indicators: outputs, range, warm-up and parameters."""
    if output is Output.JSON:
        _print_json({"indicators": resolve(f"{RESULTS}indicator_data")(name)})
    else:
        _print(resolve(f"{RESULTS}indicator_lines")(name))


@app.command()
def schema(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; without, it goes to standard output.")
    ] = None,
    *,
    force: ForceOption = False,
) -> None:
    """Write the JSON schema of strategy files, by which an editor completes and checks them.

    A strategy that begins with `# yaml-language-server: $schema=FILE` is checked by YAML servers.
    """
    if file is None:
        _print([resolve(f"{RESULTS}schema_text")()])
    else:
        _print(resolve(f"{RESULTS}schema_written")(file, force=force))


def _print(lines: Iterable[str]) -> None:
    typer.echo("\n".join(lines))


def _print_json(shape: Any) -> None:
    typer.echo(json.dumps(shape, indent=2, allow_nan=False))
