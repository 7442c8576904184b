"""The live region that a terminal shows while an operation runs."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.display import ProgressDisplay, write_safely
from ktrdr.cli.live_region import LiveRegion, wraps_when_narrowed
from ktrdr.cli.phase_rows import draw_rows, finished, phase_rows
from ktrdr.cli.plain_display import PlainProgressDisplay
from ktrdr.cli.progress_words import usage_words
from ktrdr.cli.safe_text import safe
from ktrdr.cli.tab_progress import TabProgress, knows_tab_progress
from ktrdr.clock import Clock, SystemClock
from ktrdr.operations.progress import GenericProgressState


class EnhancedCLIProgressDisplay(ProgressDisplay):
    """Draws one live region: a bar a phase with times, ETA, rate and words; below it use and footer."""

    def __init__(
        self, console: Console | None = None, clock: Clock | None = None, tab: TabProgress | None = None
    ) -> None:
        self._console = console or PlainSpokenConsole(stderr=True)
        self._clock = clock or SystemClock()
        self._tab = tab or TabProgress(self._console.file, knows_tab_progress())
        self._live: LiveRegion | None = None
        self._state = GenericProgressState()
        self._footer = ""
        self._started_at = 0.0
        self._told_at = 0.0

    def say(self, text: str) -> None:
        """Write lines above the bars."""
        if self._live:
            self._live.refresh()
        write_safely(self._live.console if self._live else self._console, text)

    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        """Begin to draw."""
        self._state = GenericProgressState(current_step=name, steps_total=total_steps)
        self._footer = str(context.get("footer", ""))
        self._told_at = self._clock.monotonic()
        self._started_at = self._told_at - float(context.get("elapsed_seconds", 0.0))
        self._live = LiveRegion(self._console, self._render, wraps=wraps_when_narrowed())
        self._live.start(refresh=True)

    def update_progress(self, state: GenericProgressState) -> None:
        """Show the newest progress at the next refresh."""
        self._state, self._told_at = state, self._clock.monotonic()
        self._tab.show(state.percentage)

    def show_footer(self, text: str) -> None:
        """Replace the line below the bars."""
        self._footer = text

    def complete_operation(self, success: bool, summary: str) -> None:
        """Draw the bars a last time, without footer, and write the summary."""
        self._tab.clear()
        if self._live:
            self._footer = ""
            self._state = finished(self._state) if success else self._state
            self._live.stop()
            self._live = None
        if summary:
            write_safely(self._console, summary)

    def _render(self) -> Group:
        now = self._clock.monotonic()
        rows = phase_rows(self._state, now - self._started_at, now - self._told_at)
        drawn = draw_rows(rows, self._console.width, self._console.height)
        if not self._footer:
            return Group(drawn)
        below = "   ".join(part for part in (usage_words(self._state), self._footer) if part)
        return Group(drawn, Text(f"  {safe(below)}", style="dim", no_wrap=True, overflow="ellipsis"))


def make_display() -> ProgressDisplay:
    """Return the live display if standard error is a terminal that can move its cursor, else plain lines."""
    console = PlainSpokenConsole(stderr=True)
    is_live = sys.stderr.isatty() and not console.is_dumb_terminal
    return EnhancedCLIProgressDisplay(console) if is_live else PlainProgressDisplay(console)
