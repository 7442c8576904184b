"""The root of the command line: groups are imported only when they are used."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from ktrdr import __version__
from ktrdr.cli.error_report import ExitCode, describe, error_text, exit_code
from ktrdr.cli.interrupts import die_by_closed_pipe
from ktrdr.errors import KtrdrError
from ktrdr.lazy import resolve


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """Where a group of commands is defined, and its line in the help."""

    target: str
    help: str


COMMAND_GROUPS: Mapping[str, CommandGroup] = {
    "models": CommandGroup("ktrdr.cli.commands.models:app", "Train models and look at them."),
    "data": CommandGroup("ktrdr.cli.commands.data:app", "Import bars and list what is there."),
    "operations": CommandGroup("ktrdr.cli.commands.operations:app", "List, follow and cancel operations."),
    "server": CommandGroup("ktrdr.cli.commands.server:app", "Start, stop and inspect the server."),
    "dummy": CommandGroup(
        "ktrdr.cli.commands.dummy:app", "Try the machine with an operation that only counts."
    ),
}


class LazyGroup(TyperGroup):
    """Knows its groups by name and help, and imports the one that is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=group.help) for name, group in COMMAND_GROUPS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name, the imported group and its arguments; an unknown name is a usage error."""
        name, known, rest = super().resolve_command(ctx, args)
        if name is None or known is None:
            return name, known, rest
        command = get_group(resolve(COMMAND_GROUPS[name].target))
        command.name = name
        return name, command, rest


app = typer.Typer(
    name="ktrdr",
    cls=LazyGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ktrdr {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Write the version.")
    ] = False,
) -> None:
    """Load market data, train neuro-fuzzy models and judge them honestly."""


def main(arguments: list[str] | None = None, surroundings: object = None) -> None:
    """Run one command; every error a user can meet becomes a sentence and an exit code."""
    try:
        get_command(app).main(arguments, prog_name="ktrdr", obj=surroundings)
    except KtrdrError as error:
        sys.stderr.write(describe(error) + "\n")
        sys.exit(exit_code(error))
    except BrokenPipeError:
        die_by_closed_pipe()
    except OSError as error:
        sys.stderr.write(error_text(f"the output cannot be written ({error.strerror})") + "\n")
        sys.exit(ExitCode.OUTPUT_FAILED)
