"""Progress without a terminal: lines now and then, or only what went wrong."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.display import ProgressDisplay, write_safely
from ktrdr.cli.progress_words import duration, message_words
from ktrdr.cli.safe_text import safe
from ktrdr.clock import Clock, SystemClock
from ktrdr.operations.progress import GenericProgressState

KEEP_ALIVE_SECONDS = 30.0
LINE_EVERY_PERCENT = 10


class SilentDisplay(ProgressDisplay):
    """Draws nothing; written are only errors, warnings, and any end that is not the wanted one."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or PlainSpokenConsole(stderr=True)

    def say(self, text: str) -> None:
        """Write errors and their hints, drop the rest."""
        if text.startswith(("error:", "warning:")):
            write_safely(self._console, text)

    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        """Draw nothing."""

    def update_progress(self, state: GenericProgressState) -> None:
        """Draw nothing."""

    def show_footer(self, text: str) -> None:
        """Draw nothing."""

    def complete_operation(self, success: bool, summary: str) -> None:
        """Write the summary unless all is well."""
        if summary and not success:
            write_safely(self._console, summary)


class PlainProgressDisplay(ProgressDisplay):
    """Writes one line per phase, per ten percent, and a sign of life each 30 seconds."""

    def __init__(self, console: Console | None = None, clock: Clock | None = None) -> None:
        self._console = console or PlainSpokenConsole(stderr=True)
        self._clock = clock or SystemClock()
        self._shown: tuple[str, int, int | None] | None = None
        self._shown_at = 0.0
        self._started_at = 0.0

    def say(self, text: str) -> None:
        """Write lines."""
        write_safely(self._console, text)

    def start_operation(
        self,
        name: str,  # noqa: ARG002  # the first line of talk has named it
        total_steps: int,  # noqa: ARG002  # lines need no scale
        context: Mapping[str, Any],
    ) -> None:
        """Begin to count the time."""
        self._shown_at = self._clock.monotonic()
        self._started_at = self._shown_at - float(context.get("elapsed_seconds", 0.0))

    def update_progress(self, state: GenericProgressState) -> None:
        """Write a line if there is something new to say, or nothing was said for long."""
        tenth = int(state.percentage) // LINE_EVERY_PERCENT
        position = (state.current_step, tenth, state.queue_position)
        now = self._clock.monotonic()
        if position == self._shown and now - self._shown_at < KEEP_ALIVE_SECONDS:
            return
        self._shown, self._shown_at = position, now
        parts = [
            state.current_step or "Waiting",
            f"{state.percentage:.0f} %",
            duration(now - self._started_at),
        ]
        write_safely(self._console, safe("  ".join(part for part in (*parts, message_words(state)) if part)))

    def show_footer(self, text: str) -> None:
        """Write nothing: a footer belongs to a bar."""

    def complete_operation(self, success: bool, summary: str) -> None:  # noqa: ARG002  # the summary tells
        """Write the summary."""
        if summary:
            write_safely(self._console, summary)
