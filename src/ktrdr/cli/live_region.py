"""A live region of the terminal: no picture before the last one is taken, and nothing stale after a resize.

A terminal that is made narrower wraps the lines that it shows, as most do, so that the region is higher than
it was drawn. The rule: its lines are drawn without trailing space, their widths are remembered, and before
the next picture the cursor first goes up by what has been wrapped.
"""

import os
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment

from ktrdr.cli.background_output import BackgroundStream

REFRESHES_PER_SECOND = 10
CUTTING = frozenset({"linux", "screen"})
SET_WHERE_CUT = frozenset({"XTERM_VERSION", "STY"})  # by xterm, by screen
ERASE = (ControlType.ERASE_IN_LINE, 2)
UP = (ControlType.CURSOR_UP, 1)


def wraps_when_narrowed(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the terminal wraps what it shows when it is made narrower; a few cut it off.

    tmux wraps, though it may call itself `screen` and hands on what the terminal around it has set.
    """
    if "TMUX" in environment:
        return True
    return SET_WHERE_CUT.isdisjoint(environment) and environment.get("TERM") not in CUTTING


class LiveRegion(Live):
    """Draws what `render` returns, below all that is printed; ten times a second unless asked to by hand."""

    def __init__(
        self,
        console: Console,
        render: Callable[[], RenderableType],
        *,
        wraps: bool = True,
        auto_refresh: bool = True,
    ) -> None:
        self._widths: list[int] = []
        self._drawn_at = console.width
        self._wraps = wraps
        super().__init__(
            get_renderable=lambda: _Trimmed(render(), self._widths),
            console=console,
            auto_refresh=auto_refresh,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def refresh(self) -> None:
        """Draw; or leave it out while the terminal has not taken the picture before."""
        file = self.console.file
        if isinstance(file, BackgroundStream) and file.is_behind:
            return
        with self._lock:
            self._go_up_by_what_was_wrapped()
            super().refresh()

    def _go_up_by_what_was_wrapped(self) -> None:
        width, before = self.console.width, self._drawn_at
        self._drawn_at = width
        wrapped = sum((cells - 1) // max(width, 1) for cells in self._widths if cells)
        if self._wraps and width < before and wrapped:
            self.console.control(Control(ControlType.CARRIAGE_RETURN, ERASE, *(UP, ERASE) * wrapped))


class _Trimmed:
    """Lines without trailing space; `widths` is told how many cells each of them takes."""

    def __init__(self, inner: RenderableType, widths: list[int]) -> None:
        self._inner = inner
        self._widths = widths

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        lines = [_trimmed(line) for line in console.render_lines(self._inner, options, pad=False)]
        self._widths[:] = map(Segment.get_line_length, lines)
        for line in lines:
            yield from line
            yield Segment.line()


def _trimmed(line: list[Segment]) -> list[Segment]:
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = Segment(kept[-1].text.rstrip(), *kept[-1][1:])
    return kept
