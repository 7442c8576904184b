"""The root of the command line: groups are imported only when they are used."""

import errno
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Annotated, Any

import typer
from typer import TyperException
from typer.core import TyperCommand
from typer.main import get_command

from ktrdr import __version__
from ktrdr.cli.background_output import LEAVING_SECONDS, drain
from ktrdr.cli.error_report import ExitCode, describe, error_object, error_text, exit_code
from ktrdr.cli.event_lines import EventLines, NoEventLines
from ktrdr.cli.interrupts import die_by_closed_pipe, last_words
from ktrdr.cli.invocation import Invocation, asked_output
from ktrdr.cli.quick_commands import QuickGroup
from ktrdr.cli.standard_streams import open_closed_streams
from ktrdr.errors import ContactLost, KtrdrError
from ktrdr.lazy import resolve

EPILOG = (
    "Exit codes: 0 completed, 1 failed, 2 wrong usage, 3 cancelled by somebody else, 4 no access, "
    "5 not found, 6 conflict, 7 outcome unknown, 8 not finished, 69 server unreachable, 70 internal error, "
    "74 output cannot be written, 124 timeout, 129, 130, 141, 143 ended by a signal."
)
USAGE_HINT = "see the command's --help"
DEFECT_HINT = "see more with: python -X dev -m ktrdr ..."
OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """Where a group of commands is defined, and its line in the help."""

    target: str
    help: str


COMMAND_GROUPS: Mapping[str, CommandGroup] = {
    "models": CommandGroup("ktrdr.cli.commands.models:app", "Train models and look at them."),
    "strategies": CommandGroup("ktrdr.cli.commands.strategies:app", "Write strategies and check them."),
    "data": CommandGroup("ktrdr.cli.commands.data:app", "Load bars, import your own, list them."),
    "operations": CommandGroup("ktrdr.cli.commands.operations:app", "List, follow and cancel operations."),
    "server": CommandGroup("ktrdr.cli.commands.server:app", "Start, stop and inspect the server."),
    "run": CommandGroup("ktrdr.cli.commands.run:app", "Start an operation of any kind the server knows."),
    "dummy": CommandGroup(
        "ktrdr.cli.commands.dummy:app", "Try the machine with an operation that only counts."
    ),
}


# Commands that are looked at again and again: each alone in a module that loads only what it uses.
QUICK_COMMANDS: Mapping[tuple[str, str], str] = {
    ("operations", "list"): "ktrdr.cli.commands.operations_list:app",
}


class LazyGroup(QuickGroup):
    """Knows its groups by name and help, and imports the one that is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=group.help) for name, group in COMMAND_GROUPS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name, the imported group and its arguments; an unknown name is a usage error."""
        name, known, rest = super().resolve_command(ctx, args)
        if name is None or known is None:
            return name, known, rest
        quick = QUICK_COMMANDS.get((name, rest[0] if rest else ""))
        command: Any = get_command(resolve(quick or COMMAND_GROUPS[name].target))
        command.name = name
        for each in (command, *getattr(command, "commands", {}).values()):
            each.epilog = EPILOG
        return name, command, rest

    def make_context(self, *arguments: Any, **attributes: Any) -> Any:
        """Read the arguments; help and version are written here."""
        with _closed_pipe_kills():
            return super().make_context(*arguments, **attributes)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _closed_pipe_kills():
            return super().invoke(ctx)


@contextmanager
def _closed_pipe_kills() -> Iterator[None]:
    """End as the pipe's signal does, before Typer turns a reader that went away into a plain failure."""
    try:
        yield
    except BrokenPipeError:
        die_by_closed_pipe()


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
    open_closed_streams()
    invocation = _begin(sys.argv[1:] if arguments is None else arguments, surroundings)
    sys.excepthook = partial(_report_internal_error, invocation)
    try:
        with _closed_pipe_kills():
            _run_and_tell(arguments, invocation)
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr.write(error_text(f"the output cannot be written ({error.strerror})") + "\n")
        sys.exit(ExitCode.OUTPUT_FAILED)


def _begin(arguments: list[str], surroundings: object) -> Invocation:
    output = asked_output(arguments)
    return Invocation(surroundings, EventLines() if output == "ndjson" else NoEventLines(), output)


def _run_and_tell(arguments: list[str] | None, invocation: Invocation) -> None:
    """Run the command; what refuses it is told to people and, as they asked for it, to programs."""
    try:
        with _ended_by_signals(invocation.lines):
            _run_and_flush(arguments, invocation)
    except KtrdrError as error:
        sys.stderr.write(describe(error) + "\n")
        outcome = "lost" if isinstance(error, ContactLost) else "not_started"
        invocation.refused(error_object(error), exit_code(error), outcome)
        sys.exit(exit_code(error))
    except SystemExit as ending:
        if isinstance(ending.__context__, TyperException):  # which Typer has told to people
            detail = ending.__context__.format_message()
            invocation.refused(
                {"code": "usage", "detail": detail, "hint": USAGE_HINT}, ExitCode.USAGE, "not_started"
            )
        elif ending.code:
            invocation.lines.end(int(ending.code), "not_started")
        raise


@contextmanager
def _ended_by_signals(lines: EventLines) -> Iterator[None]:
    """Write the last line also where a signal ends the process before an operation listens to it."""

    def say(code: int) -> bool:
        is_ending = lines.ended
        lines.end(code, "not_started")
        return not drain(LEAVING_SECONDS) or not is_ending

    if isinstance(lines, NoEventLines):
        yield
        return
    with last_words(say):
        yield


def _run_and_flush(arguments: list[str] | None, invocation: Invocation) -> None:
    try:
        get_command(app).main(arguments, prog_name="ktrdr", obj=invocation)
    finally:
        sys.stdout.flush()


def _report_internal_error(
    invocation: Invocation, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """End with one sentence and exit code 70; Python's development mode shows the traceback instead."""
    told = {
        "code": "internal",
        "detail": f"ktrdr itself failed ({kind.__name__}: {error})",
        "hint": DEFECT_HINT,
    }
    if sys.flags.dev_mode:
        sys.__excepthook__(kind, error, traceback)
    else:
        sys.stderr.write(error_text(told["detail"], told["hint"]) + "\n")
    with suppress(OSError, ValueError):
        outcome = "lost" if invocation.lines.operation_id else "not_started"
        invocation.refused(told, ExitCode.INTERNAL, outcome)
    sys.stderr.flush()
    os._exit(ExitCode.INTERNAL)
