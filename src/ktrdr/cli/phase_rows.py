"""The rows of a live region: one a phase, its bar, its times and its words.

The rule: the domain's words get the room. The bar shrinks first, then the rate goes, and what still does not
fit stands in lines of its own below the row at work.
"""

import textwrap
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ktrdr.cli.progress_words import duration, message_words, rate_words
from ktrdr.cli.safe_text import safe
from ktrdr.operations.progress import GenericProgressState, PhaseProgress

BAR_WIDTHS = (24, 16, 8, 4)
NAME_WIDTH = 10
SHARE_WIDTH = 4
INDENT = 4
NARROWEST_FOR_LINES = 40
LINES_BELOW = 3
GAPS = 4
MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of one phase; `percentage` is None while it has not begun."""

    name: str
    percentage: float | None = None
    spent: str = ""
    left: str = ""
    words: str = ""
    rate: str = ""

    @property
    def needed(self) -> str:
        """Return what is to be read beside the bar: the time left and the domain's words."""
        return _joined(self.left, safe(self.words))


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide each part of a row is, and the lines below the row at work."""

    name: int
    bar: int
    spent: int
    words: int
    below: tuple[str, ...] = ()


def phase_rows(state: GenericProgressState, elapsed: float, since: float) -> list[Row]:
    """Return a row a phase; `elapsed` seconds in all, `since` those since the state was told."""
    names = [phase.name for phase in state.phases]
    if state.current_step not in names:
        return [_current(PhaseProgress(state.current_step, 1.0, state.percentage, elapsed), state, 0.0)]
    place = names.index(state.current_step)
    done = [_done(phase) for phase in state.phases[:place]]
    return [*done, _current(state.phases[place], state, since), *map(Row, names[place + 1 :])]


def finished(state: GenericProgressState) -> GenericProgressState:
    """Return the state as it is drawn once the operation has completed."""
    names = [phase.name for phase in state.phases]
    last = names[-1] if state.current_step in names else state.current_step
    is_last = last == state.current_step
    return replace(state.finished(), current_step=last, message=state.message if is_last else "")


def draw_rows(rows: list[Row], width: int, height: int) -> Group:
    """Return the rows as they fit; of too many for the height only the one at work is shown."""
    layout = _layout(rows, width)
    current = _at_work(rows)
    is_high = len(rows) + len(layout.below) + LINES_BELOW <= height
    drawn: list[Table | Text] = []
    for row in rows if is_high else [current]:
        is_split = bool(layout.below) and row is current
        words = row.left if is_split else _with_rate(row.needed, row.rate, layout.words)
        drawn.append(_table(row, words, layout))
        drawn += [
            Text(f"{'':{INDENT}}{line}", no_wrap=True, overflow="ellipsis")
            for line in layout.below
            if is_split
        ]
    return Group(*drawn)


def _layout(rows: list[Row], width: int) -> Layout:
    """Return the widest bar that leaves room for the words at work, or else lines for them."""
    current = _at_work(rows)
    name = 2 + max(NAME_WIDTH, *(cell_len(safe(row.name)) for row in rows))
    spent = max(len(row.spent) for row in rows)
    rooms = {bar: width - name - bar - SHARE_WIDTH - spent - GAPS for bar in BAR_WIDTHS}
    narrowest = BAR_WIDTHS[-1]
    needed = cell_len(current.needed)
    bar = next((bar for bar in BAR_WIDTHS if needed <= rooms[bar]), None)
    if bar or width < NARROWEST_FOR_LINES:
        return Layout(name, bar or narrowest, spent, max(rooms[bar or narrowest], 0))
    beside = [current.left, *(row.needed for row in rows if row is not current)]
    others = max(map(cell_len, beside))
    bar = next((bar for bar in BAR_WIDTHS if others <= rooms[bar]), narrowest)
    free = width - INDENT
    below = textwrap.wrap(
        _with_rate(safe(current.words), current.rate, free),
        free,
        break_on_hyphens=False,
        max_lines=MOST_LINES,
    )
    return Layout(name, bar, spent, max(rooms[bar], 0), tuple(below))


def _table(row: Row, words: str, layout: Layout) -> Table:
    table = Table.grid(padding=(0, 1))
    for width in (layout.name, layout.bar, SHARE_WIDTH, layout.spent):
        table.add_column(no_wrap=True, width=width)
    table.add_column(no_wrap=True, overflow="ellipsis")
    share = "" if row.percentage is None else f"{row.percentage:3.0f}%"
    beside = Text(words)
    beside.truncate(layout.words, overflow="ellipsis")
    table.add_row(Text(f"  {safe(row.name)}"), _bar(row, layout.bar), Text(share), Text(row.spent), beside)
    return table


def _with_rate(words: str, rate: str, room: int) -> str:
    """Return the words, and the rate where there is room for both."""
    both = _joined(words, rate)
    return both if cell_len(both) <= room else words


def _joined(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def _done(phase: PhaseProgress) -> Row:
    return Row(phase.name, 100.0, duration(phase.elapsed_seconds), words=phase.message)


def _current(phase: PhaseProgress, state: GenericProgressState, since: float) -> Row:
    is_over = phase.percentage >= 100
    elapsed = phase.elapsed_seconds + (0.0 if is_over else since)
    left = None if is_over else state.estimated_remaining_seconds
    return Row(
        phase.name or "Waiting",
        phase.percentage,
        duration(elapsed),
        "" if left is None else f"ETA {duration(left - since)}",
        message_words(state) or phase.message,
        rate_words(state, elapsed),
    )


def _at_work(rows: list[Row]) -> Row:
    return [row for row in rows if row.percentage is not None][-1]


def _bar(row: Row, width: int) -> ProgressBar | Text:
    if row.percentage is None:
        return Text()
    return ProgressBar(total=100.0, completed=row.percentage, width=width)
