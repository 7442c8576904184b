"""`ktrdr server`: the embedded server, by hand."""

from typing import Annotated

import typer

from ktrdr.atomic_files import write_bytes
from ktrdr.cli.error_report import ExitCode
from ktrdr.cli.local_server import active_operations, ensure_server, stop_server
from ktrdr.cli.safe_text import safe_lines
from ktrdr.cli.warnings_to_user import warn
from ktrdr.client.server_identity import read_identity
from ktrdr.errors import InputInvalid, NotFound
from ktrdr.settings import Settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Start, stop and inspect the server.")


@app.command()
def start() -> None:
    """Start the embedded server, if it does not run already."""
    settings = Settings.load()
    ensure_server(settings, warn)
    status()


@app.command()
def status() -> None:
    """Tell whether the embedded server runs, and what it does."""
    settings = Settings.load()
    identity = read_identity(settings)
    if identity is None:
        typer.echo("not running")
        raise typer.Exit(ExitCode.NOT_FINISHED)
    count = active_operations(identity)
    typer.echo(f"running as process {identity.pid} on {identity.socket}, {count} active operations")


@app.command()
def stop(
    *,
    force: Annotated[bool, typer.Option("--force", help="Also when operations are running.")] = False,
) -> None:
    """Stop the embedded server; running operations are not ended unless forced.

    Commands that follow one leave it stopped; the next command starts it again.
    """
    settings = Settings.load()
    identity = read_identity(settings)
    if identity is None:
        typer.echo("not running")
        return
    if not force and (count := active_operations(identity)):
        raise InputInvalid(
            f"{count} operations are active", hint="wait for them, cancel them, or use `server stop --force`"
        )
    write_bytes(settings.stop_mark, b"")
    stop_server(identity, force=force)
    typer.echo("stopped")


@app.command()
def logs(
    lines: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the last lines.")] = 50,
) -> None:
    """Write the last lines of the embedded server's log."""
    path = Settings.load().server_log
    if not path.exists():
        raise NotFound("there is no server log yet", hint="start it with `ktrdr server start`")
    for line in path.read_text(errors="replace").splitlines()[-lines:]:
        typer.echo(safe_lines(line))
