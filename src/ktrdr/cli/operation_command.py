"""Commands that run or follow an operation share their options: declared here, once."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import typer

from ktrdr.cli.options import (
    BellOption,
    DetachOption,
    LogsOption,
    NoProgressOption,
    OnInterruptOption,
    Progress,
    ProgressOption,
    QuietOption,
    RunOutput,
    RunOutputOption,
    UrlOption,
)
from ktrdr.cli.session import Session, open_session

_STARTED = (
    "Ctrl+C cancels the operation and waits for its end; pressed again it leaves without waiting. "
    "A hang-up, or `--on-interrupt detach`, leaves the work going on."
)
_FOLLOWED = "Ctrl+C stops following; the work goes on, unless `--on-interrupt cancel` is given."

OpenSession = Callable[[], Session]
Command = Callable[..., None]


def _shared(
    context: typer.Context,
    *,
    url: UrlOption = None,
    output: RunOutputOption = RunOutput.TABLE,
    quiet: QuietOption = False,
    progress: ProgressOption = Progress.AUTO,
    no_progress: NoProgressOption = False,
    logs: LogsOption = False,
    bell: BellOption = False,
    detach: DetachOption = False,
    on_interrupt: OnInterruptOption = None,
) -> Session:
    return open_session(
        context,
        url,
        output=output,
        quiet=quiet,
        progress=Progress.NONE if no_progress else progress,
        detach=detach,
        on_interrupt=on_interrupt,
        logs=logs,
        bell=bell,
    )


def operation_command(*, starts: bool = True) -> Callable[[Command], Command]:
    """Decorate a command whose first parameter opens its session; the shared options are added to its own.

    A command that does not start anything has no `--detach`. The session is opened by the command, after it
    has looked at its own arguments: what is refused starts no server.
    """

    def decorate(command: Command) -> Command:
        own = list(inspect.signature(command).parameters.values())[1:]
        context, *shared = inspect.signature(_shared).parameters.values()
        added = [each for each in shared if starts or each.name != "detach"]

        @functools.wraps(command)
        def with_session(context: typer.Context, **given: Any) -> None:
            chosen = {each.name: given.pop(each.name) for each in added}
            command(functools.partial(_shared, context, **chosen), **given)

        _declare(with_session, [context, *own, *added])
        with_session.__doc__ = f"{command.__doc__}\n\n{_STARTED if starts else _FOLLOWED}"
        return with_session

    return decorate


def _declare(command: Command, parameters: list[inspect.Parameter]) -> None:
    """Make Typer see these parameters; those with a default, and all options, come last."""
    positional = [each for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    options = [each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    command.__dict__["__signature__"] = inspect.Signature([*positional, *options])
    command.__annotations__ = {each.name: each.annotation for each in parameters}
