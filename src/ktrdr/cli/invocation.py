"""One run of the command line, as every part of it can find it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ktrdr.cli.event_lines import EventLines, NoEventLines


@dataclass
class Invocation:
    """What a test replaces, and the lines that must have an end whatever happens."""

    surroundings: Any = None
    lines: EventLines = field(default_factory=NoEventLines)


def asks_for_lines(arguments: Sequence[str]) -> bool:
    """Tell whether a command line, also one that will be refused, wants its events as lines."""
    separate = any(pair in {("--output", "ndjson"), ("-o", "ndjson")} for pair in pairwise(arguments))
    return separate or not {"--output=ndjson", "-ondjson", "-o=ndjson"}.isdisjoint(arguments)
