"""What the generic core knows of a kind of operation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class OperationKind:
    """A kind: its name, where it is started, what it is asked and what it answers.

    `describe` makes the words of a list from a request, off the event loop, and raises InputInvalid for one
    that its model accepts and its handler would not; `sources` returns which providers of data a request may
    ask, None for those whose data is there already, and raises as `describe` does; `resumable` tells whether
    it keeps checkpoints, and `repeatable` whether the same request can be carried out again.
    """

    name: str
    start_path: str
    request_model: type[BaseModel]
    result_model: type[BaseModel]
    describe: Callable[[Any], str]
    sources: Callable[[Any], frozenset[str] | None] = lambda _: frozenset()
    resumable: bool = False
    repeatable: bool = True
