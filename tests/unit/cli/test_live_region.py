"""Whatever becomes of the size of a terminal, its live region stands there once; what is above it stays."""

import io
import random

import pyte
import pytest
from rich.console import Console, Group
from rich.text import Text

from ktrdr.cli.live_region import LiveRegion, wraps_when_narrowed
from ktrdr.cli.phase_rows import draw_rows, phase_rows
from ktrdr.operations.progress import GenericProgressState

LONG = "Epoch 114/200, Batch 30/34, loss 1.071, val 1.083 (best 1.079 at 96)"
FOOTER = "Ctrl+C cancels the operation"


class Terminal:
    """A terminal that wraps what it shows when it is made narrower."""

    def __init__(self, columns: int) -> None:
        self.written = io.StringIO()
        self.console = Console(
            file=self.written, force_terminal=True, width=columns, height=30, color_system=None
        )
        self._read = 0
        self._show(columns, "")

    def resize(self, columns: int) -> None:
        """Take what was written so far, then change the size."""
        above = self.lines()[: self._screen.cursor.y + 1]
        wrapped = [
            line[start : start + columns] for line in above for start in range(0, max(len(line), 1), columns)
        ]
        self._show(columns, "\r\n".join(wrapped if columns < self._screen.columns else above))
        self.console.width = columns

    def lines(self) -> list[str]:
        """Return what is shown now."""
        text = self.written.getvalue()
        self._stream.feed(text[self._read :].replace("\n", "\r\n"))
        self._read = len(text)
        return [line.rstrip() for line in self._screen.display]

    def _show(self, columns: int, text: str) -> None:
        self._screen = pyte.Screen(columns, 60)
        self._stream = pyte.Stream(self._screen)
        self._stream.feed(text)


def picture(width: int) -> Group:
    """Return the rows of a training and the footer."""
    phases = [{"name": "Bars", "percentage": 100.0, "message": "AAPL 1d"}, {"name": "Training"}]
    shape = {"percentage": 57, "current_step": "Training", "phases": phases, "message": LONG}
    rows = phase_rows(GenericProgressState.from_dict("op", shape), 0.0, 0.0)
    return Group(draw_rows(rows, width, 30), Text(FOOTER, no_wrap=True, overflow="ellipsis"))


def test_fault_48_a_storm_of_resizes_leaves_nothing_stale() -> None:
    terminal, sizes = Terminal(110), random.Random(24)
    console = terminal.console
    region = LiveRegion(console, lambda: picture(console.width), auto_refresh=False)
    console.print("op_training_a")
    with region:
        for number in range(200):
            region.refresh()
            console.print(f"line {number}")
            shown = [line.split()[0] for line in terminal.lines() if line]
            assert [shown.count(word) for word in ("Bars", "Training", "Ctrl+C")] == [1, 1, 1]
            assert [line for line in terminal.lines() if line.startswith("line")][-1] == f"line {number}"
            terminal.resize(sizes.randrange(40, 120))


@pytest.mark.parametrize(
    ("environment", "wraps"),
    [({"TERM": "xterm-256color"}, True), ({"TERM": "xterm", "XTERM_VERSION": "XTerm(379)"}, False)]
    + [({"TERM": name}, False) for name in ("linux", "screen")]
    + [({"TERM": "screen.xterm-256color", "STY": "1.pts"}, False)]
    + [({"TERM": "screen", "TMUX": "/tmp/tmux,1,0", "XTERM_VERSION": "XTerm(379)"}, True)],
)
def test_terminals_that_cut_off_what_they_show_are_known(environment: dict[str, str], wraps: bool) -> None:
    assert wraps_when_narrowed(environment) is wraps
