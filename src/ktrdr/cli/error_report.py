"""From an error to what a person reads and what a script sees."""

from collections.abc import Mapping
from enum import IntEnum

from ktrdr.cli.safe_text import safe, safe_lines
from ktrdr.errors import (
    AccessDenied,
    Conflict,
    ContactLost,
    InputInvalid,
    KtrdrError,
    NotFound,
    OperationCancelled,
    ServerUnreachable,
    TrainingFailed,
    Unavailable,
)


class ExitCode(IntEnum):
    """The exit codes of the operations contract."""

    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    CANCELLED_BY_OTHERS = 3
    ACCESS_DENIED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    OUTCOME_UNKNOWN = 7
    UNREACHABLE = 69
    INTERNAL = 70
    OUTPUT_FAILED = 74


EXIT_CODES: Mapping[type[KtrdrError], ExitCode] = {
    InputInvalid: ExitCode.USAGE,
    AccessDenied: ExitCode.ACCESS_DENIED,
    NotFound: ExitCode.NOT_FOUND,
    Conflict: ExitCode.CONFLICT,
    ContactLost: ExitCode.OUTCOME_UNKNOWN,
    Unavailable: ExitCode.UNREACHABLE,
    ServerUnreachable: ExitCode.UNREACHABLE,
    TrainingFailed: ExitCode.FAILED,
    OperationCancelled: ExitCode.CANCELLED_BY_OTHERS,
    KtrdrError: ExitCode.INTERNAL,
}


def exit_code(error: KtrdrError) -> ExitCode:
    """Return the exit code of the nearest listed ancestor of the error."""
    return next(EXIT_CODES[parent] for parent in type(error).__mro__ if parent in EXIT_CODES)


def error_text(message: str, hint: str | None = None, detail: tuple[str, ...] = ()) -> str:
    """Return `error: ...`, the details and `hint: ...`, one a line and safe to draw."""
    lines = [f"error: {safe_lines(message)}", *(f"    {safe(line)}" for line in detail)]
    if hint:
        lines.append(f"hint: {safe_lines(hint)}")
    return "\n".join(lines)


def describe(error: KtrdrError) -> str:
    """Return all lines of an error."""
    return error_text(error.message, error.hint, error.detail)
