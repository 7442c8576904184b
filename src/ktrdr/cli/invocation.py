"""One run of the command line, as every part of it can find it."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ktrdr.cli.event_lines import EventLines, NoEventLines

OUTPUT_OPTIONS = ("--output", "-o")


@dataclass
class Invocation:
    """What a test replaces, what output is asked for, and the lines that must have an end in any case."""

    surroundings: Any = None
    lines: EventLines = field(default_factory=NoEventLines)
    output: str = ""

    def refused(self, error: Mapping[str, Any], exit_code: int, outcome: str) -> None:
        """Tell programs of an error that began nothing, or after which nothing more is known."""
        told = {"lines": [], **error}
        if self.output == "json":
            sys.stdout.write(json.dumps({"error": told, "exit_code": exit_code}, indent=2) + "\n")
        self.lines.error(told["detail"], told["hint"], code=told["code"], lines=told["lines"])
        self.lines.end(exit_code, outcome)
        sys.stdout.flush()


def asked_output(arguments: Sequence[str]) -> str:
    """Return what output a command line asks for, also one that will be refused; empty if for none."""
    asked = [value for option, value in pairwise(arguments) if option in OUTPUT_OPTIONS]
    asked += [each.removeprefix("--output=") for each in arguments if each.startswith("--output=")]
    asked += [each[2:].removeprefix("=") for each in arguments if each.startswith("-o") and len(each) > 2]
    return asked[-1] if asked else ""
