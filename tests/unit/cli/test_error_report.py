"""Every error has one sentence and one exit code."""

from collections.abc import Iterator

import pytest

from ktrdr.cli.error_report import EXIT_CODES, ExitCode, describe, exit_code
from ktrdr.errors import (
    AccessDenied,
    Conflict,
    ContactLost,
    InputInvalid,
    KtrdrError,
    NotFound,
    ServerFailed,
    ServerUnreachable,
    StrategyInvalid,
    TrainingFailed,
    Unavailable,
)


def family(error: type[KtrdrError]) -> Iterator[type[KtrdrError]]:
    yield error
    for child in error.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputInvalid("x"), 2),
        (StrategyInvalid("x"), 2),
        (AccessDenied("x"), 4),
        (NotFound("x"), 5),
        (Conflict("x"), 6),
        (ContactLost("x"), 7),
        (ServerUnreachable("x"), 69),
        (Unavailable("x", retry_after=1.0), 69),
        (ServerFailed("x"), 70),
        (TrainingFailed("x"), 1),
    ],
)
def test_errors_have_the_exit_codes_of_the_contract(error: KtrdrError, code: int) -> None:
    assert exit_code(error) == code


def test_every_error_there_is_has_an_exit_code() -> None:
    for error in family(KtrdrError):
        assert any(parent in EXIT_CODES for parent in error.__mro__)
    assert set(EXIT_CODES.values()) <= set(ExitCode)


def test_sentence_details_and_hint_follow_each_other() -> None:
    error = InputInvalid("two\nlines\x1b", hint="do this", detail=("14 | perod: 14", "     ^^^^^"))
    assert describe(error) == "error: two\nlines\\e\n    14 | perod: 14\n         ^^^^^\nhint: do this"


def test_without_a_hint_there_is_no_hint_line() -> None:
    assert describe(NotFound("gone")) == "error: gone"
