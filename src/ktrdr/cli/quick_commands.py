"""Commands whose options load pydantic only where one is given.

Typer checks every value with pydantic, defaults among them, and loading pydantic takes half the time of a
command that only looks at something. The rule: what nobody gave is passed as it was declared.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from typer.core import TyperCommand, TyperGroup


class Parameter(Protocol):
    """An option or argument, as Typer has them."""

    default: Any

    def process_value(self, ctx: Any, value: Any) -> Any:
        """Return the value checked and converted."""


P = TypeVar("P", bound=Parameter)


class QuickCommand(TyperCommand):
    """A command that trusts its own defaults."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, `--help` among them."""
        return trusting(super().get_params(ctx))


class QuickGroup(TyperGroup):
    """A group that trusts its own defaults."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, `--help` among them."""
        return trusting(super().get_params(ctx))


def trusting(parameters: Sequence[P]) -> Sequence[P]:
    """Return the parameters, each made to pass its default unchecked."""
    for each in parameters:
        check = partial(_checked_if_given, each.default, each.process_value)
        each.__dict__.setdefault("process_value", check)
    return parameters


def _checked_if_given(default: Any, check: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    return value if value is default else check(context, value)
