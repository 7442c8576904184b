"""What the executor draws on: one interface, whatever is behind it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from ktrdr.cli.safe_text import safe_lines
from ktrdr.operations.progress import GenericProgressState


class ProgressDisplay(ABC):
    """Draws the progress of one operation and the talk about it; everything it is told is made safe."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Write lines that stay."""

    @abstractmethod
    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        """Begin to draw; `context` may hold `elapsed_seconds` already spent and a `footer`."""

    @abstractmethod
    def update_progress(self, state: GenericProgressState) -> None:
        """Show the newest progress."""

    @abstractmethod
    def show_footer(self, text: str) -> None:
        """Show what Ctrl+C does now, or how the connection is."""

    @abstractmethod
    def complete_operation(self, success: bool, summary: str) -> None:
        """Stop drawing, give the terminal back, and write the summary; safe to call twice or never begun."""


DisplayFactory = Callable[[], ProgressDisplay]


def write_safely(console: Console, text: str) -> None:
    """Write lines, whoever their words come from."""
    console.print(Text(safe_lines(text)), soft_wrap=True)
