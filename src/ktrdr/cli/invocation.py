"""One run of the command line, as every part of it can find it."""

from dataclasses import dataclass, field
from typing import Any

from ktrdr.cli.event_lines import EventLines, NoEventLines


@dataclass
class Invocation:
    """What a test replaces, and the lines that must have an end whatever happens."""

    surroundings: Any = None
    lines: EventLines = field(default_factory=NoEventLines)
