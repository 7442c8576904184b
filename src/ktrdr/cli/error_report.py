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
    StoreDamaged,
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
    NOT_FINISHED = 8
    UNREACHABLE = 69
    INTERNAL = 70
    OUTPUT_FAILED = 74
    TIMEOUT = 124


EXIT_CODE_WORDS: Mapping[int, str] = {
    ExitCode.COMPLETED: "completed, as read from the server",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong usage or input; nothing was started",
    ExitCode.CANCELLED_BY_OTHERS: "cancelled by somebody else",
    ExitCode.ACCESS_DENIED: "the server does not let you in",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.CONFLICT: "conflict",
    ExitCode.OUTCOME_UNKNOWN: "outcome unknown: it was started, contact is lost",
    ExitCode.NOT_FINISHED: "not finished, or not running",
    ExitCode.UNREACHABLE: "the server cannot be reached; nothing was started",
    ExitCode.INTERNAL: "ktrdr itself failed",
    ExitCode.OUTPUT_FAILED: "the output cannot be written",
    ExitCode.TIMEOUT: "`--timeout` passed, still running",
    129: "left by a hang-up, the work goes on",
    130: "Ctrl+C: cancelled, or no longer followed",
    141: "whoever read the output has gone, the work goes on",
    143: "terminated: cancelled, or no longer followed",
}


EXIT_CODES: Mapping[type[KtrdrError], ExitCode] = {
    InputInvalid: ExitCode.USAGE,
    AccessDenied: ExitCode.ACCESS_DENIED,
    NotFound: ExitCode.NOT_FOUND,
    Conflict: ExitCode.CONFLICT,
    ContactLost: ExitCode.OUTCOME_UNKNOWN,
    StoreDamaged: ExitCode.INTERNAL,
    Unavailable: ExitCode.UNREACHABLE,
    ServerUnreachable: ExitCode.UNREACHABLE,
    TrainingFailed: ExitCode.FAILED,
    OperationCancelled: ExitCode.CANCELLED_BY_OTHERS,
    KtrdrError: ExitCode.INTERNAL,
}

_EXIT_OF_STATUS = {
    "completed": ExitCode.COMPLETED,
    "failed": ExitCode.FAILED,
    "cancelled": ExitCode.CANCELLED_BY_OTHERS,
}


def exit_code_of_status(status: str) -> ExitCode:
    """Return the exit code of an operation's status; one that is not final has not finished."""
    return _EXIT_OF_STATUS.get(status, ExitCode.NOT_FINISHED)


def exit_code(error: KtrdrError) -> ExitCode:
    """Return the exit code of the nearest listed ancestor of the error."""
    return next(EXIT_CODES[parent] for parent in type(error).__mro__ if parent in EXIT_CODES)


def error_text(message: str, hint: str | None = None, detail: tuple[str, ...] = ()) -> str:
    """Return `error: ...`, the details and `hint: ...`, one a line and safe to draw."""
    lines = [f"error: {safe_lines(message)}", *(f"    {safe(line)}" for line in detail)]
    if hint:
        lines.append(f"hint: {safe_lines(hint)}")
    return "\n".join(lines)


def error_object(error: KtrdrError) -> dict[str, object]:
    """Return an error as programs read it."""
    return {
        "code": error.code,
        "detail": error.message,
        "hint": error.hint,
        "lines": list(error.detail),
    }


def describe(error: KtrdrError) -> str:
    """Return all lines of an error."""
    return error_text(error.message, error.hint, error.detail)
