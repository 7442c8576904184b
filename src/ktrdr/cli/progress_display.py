"""What is drawn while an operation runs: a live bar on a terminal, plain lines elsewhere, one interface."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.safe_text import safe, safe_lines
from ktrdr.clock import Clock, SystemClock
from ktrdr.operations.progress import GenericProgressState

BAR_WIDTH = 24
PHASE_WIDTH = 10
KEEP_ALIVE_SECONDS = 30.0
LINE_EVERY_PERCENT = 10
SAMPLES_BEFORE_ETA = 3
REFRESHES_PER_SECOND = 10


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


class SilentDisplay(ProgressDisplay):
    """Draws nothing; written are only errors, warnings, and any end that is not the wanted one."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or PlainSpokenConsole(stderr=True)

    def say(self, text: str) -> None:
        """Write errors and their hints, drop the rest."""
        if text.startswith(("error:", "warning:")):
            _write(self._console, text)

    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        """Draw nothing."""

    def update_progress(self, state: GenericProgressState) -> None:
        """Draw nothing."""

    def show_footer(self, text: str) -> None:
        """Draw nothing."""

    def complete_operation(self, success: bool, summary: str) -> None:
        """Write the summary unless all is well."""
        if summary and not success:
            _write(self._console, summary)


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
        _write(self._console, text)

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
        _write(self._console, safe("  ".join(part for part in (*parts, _words(state)) if part)))

    def show_footer(self, text: str) -> None:
        """Write nothing: a footer belongs to a bar."""

    def complete_operation(self, success: bool, summary: str) -> None:  # noqa: ARG002  # the summary tells
        """Write the summary."""
        if summary:
            _write(self._console, summary)


class EnhancedCLIProgressDisplay(ProgressDisplay):
    """Draws one live bar with phase, percentage, elapsed time, ETA and the domain's words, and a footer."""

    def __init__(self, console: Console | None = None, clock: Clock | None = None) -> None:
        self._console = console or PlainSpokenConsole(stderr=True)
        self._clock = clock or SystemClock()
        self._live: Live | None = None
        self._state = GenericProgressState()
        self._footer = ""
        self._started_at = 0.0
        self._samples = 0

    def say(self, text: str) -> None:
        """Write lines above the bar."""
        _write(self._live.console if self._live else self._console, text)

    def start_operation(self, name: str, total_steps: int, context: Mapping[str, Any]) -> None:
        """Begin to draw."""
        self._state = GenericProgressState(current_step=name, steps_total=total_steps)
        self._footer = str(context.get("footer", ""))
        self._started_at = self._clock.monotonic() - float(context.get("elapsed_seconds", 0.0))
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def update_progress(self, state: GenericProgressState) -> None:
        """Show the newest progress at the next refresh."""
        self._samples = self._samples + 1 if state.current_step == self._state.current_step else 0
        self._state = state

    def show_footer(self, text: str) -> None:
        """Replace the line below the bar."""
        self._footer = text

    def complete_operation(self, success: bool, summary: str) -> None:
        """Draw the bar a last time, without footer, and write the summary."""
        self._footer = ""
        if success:
            self._state = replace(self._state, percentage=100.0)
        if self._live:
            self._live.stop()
            self._live = None
        if summary:
            _write(self._console, summary)

    def _render(self) -> Group:
        state = self._state
        phase, share, times = (
            Text(f"  {safe(state.current_step or 'Waiting'):<{PHASE_WIDTH}}"),
            Text(f"{state.percentage:3.0f}%"),
            Text(self._times()),
        )
        row = Table.grid(padding=(0, 1))
        fits = self._console.width > 2 * BAR_WIDTH
        for width in (phase.cell_len, BAR_WIDTH, share.cell_len, times.cell_len):
            row.add_column(no_wrap=True, min_width=width if fits else None)
        row.add_column(no_wrap=True, overflow="ellipsis")
        bar = ProgressBar(total=100.0, completed=state.percentage, width=BAR_WIDTH)
        row.add_row(
            phase,
            bar,
            share,
            times,
            Text(safe("  ".join(part for part in (_words(state), _usage(state)) if part))),
        )
        return Group(row, Text(f"  {safe(self._footer)}", style="dim")) if self._footer else Group(row)

    def _times(self) -> str:
        elapsed = self._clock.monotonic() - self._started_at
        left = self._remaining(elapsed)
        return duration(elapsed) if left is None else f"{duration(elapsed)}  ETA {duration(left)}"

    def _remaining(self, elapsed: float) -> float | None:
        state = self._state
        if state.estimated_remaining_seconds is not None:
            return state.estimated_remaining_seconds
        if self._samples < SAMPLES_BEFORE_ETA or not 0 < state.percentage < 100:
            return None
        return elapsed * (100 - state.percentage) / state.percentage


DisplayFactory = Callable[[], ProgressDisplay]


def make_display() -> ProgressDisplay:
    """Return the live display if standard error is a terminal that can move its cursor, else plain lines."""
    console = PlainSpokenConsole(stderr=True)
    is_live = sys.stderr.isatty() and not console.is_dumb_terminal
    return EnhancedCLIProgressDisplay(console) if is_live else PlainProgressDisplay(console)


def duration(seconds: float) -> str:
    """Return `m:ss` or `h:mm:ss`, never below zero."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _words(state: GenericProgressState) -> str:
    """Return the domain's words, or else the place in the queue."""
    place = state.queue_position
    return state.message or (f"waiting, place {place} in the queue" if place else "")


def _usage(state: GenericProgressState) -> str:
    """Return what the work uses of the machine, where that is known."""
    used = state.context.get("resource_usage")
    if not isinstance(used, Mapping):
        return ""
    cpu, memory = used.get("cpu_percent"), used.get("rss_mb")
    if not isinstance(cpu, int | float) or not isinstance(memory, int | float):
        return ""
    return f"{cpu:.0f} % CPU, {memory:,.0f} MB"


def _write(console: Console, text: str) -> None:
    console.print(Text(safe_lines(text)), soft_wrap=True)
