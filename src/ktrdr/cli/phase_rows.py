"""The rows of a live region: one a phase, its bar, its times and its words.

The rule: the domain's words get the room. The bar shrinks first, then the rate goes, and what still does not
fit stands in lines of its own below its row.
"""

import textwrap
from dataclasses import dataclass, replace
from itertools import chain

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
    """How wide the screen and each part of a row is; `words` is what is left beside the bar."""

    width: int
    name: int
    bar: int
    spent: int

    @property
    def words(self) -> int:
        """Return the room for words beside the bar."""
        return max(self.width - self.name - self.bar - SHARE_WIDTH - self.spent - GAPS, 0)

    def below(self, row: Row) -> list[str]:
        """Return the lines of a row whose words have no room beside the bar; none if they have."""
        if cell_len(row.needed) <= self.words or self.width < NARROWEST_FOR_LINES:
            return []
        free = self.width - INDENT
        words = _with_rate(safe(row.words), row.rate, free)
        return textwrap.wrap(words, free, break_on_hyphens=False, max_lines=MOST_LINES)


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
    drawn = [_drawn(row, layout) for row in rows]
    is_high = sum(map(len, drawn)) + LINES_BELOW <= height
    return Group(*chain(*(drawn if is_high else [_drawn(_at_work(rows), layout)])))


def _layout(rows: list[Row], width: int) -> Layout:
    """Return the layout of the widest bar beside which all words have room that can have any."""
    name = 2 + max(NAME_WIDTH, *(cell_len(safe(row.name)) for row in rows))
    layouts = [Layout(width, name, bar, max(len(row.spent) for row in rows)) for bar in BAR_WIDTHS]
    most = layouts[-1].words
    needed = [cell_len(row.needed) for row in rows]
    beside = max(size if size <= most else len(row.left) for size, row in zip(needed, rows, strict=True))
    return next((each for each in layouts if beside <= each.words), layouts[-1])


def _drawn(row: Row, layout: Layout) -> list[Table | Text]:
    below = layout.below(row)
    words = row.left if below else _with_rate(row.needed, row.rate, layout.words)
    lines = (Text(f"{'':{INDENT}}{line}", no_wrap=True, overflow="ellipsis") for line in below)
    return [_table(row, words, layout), *lines]


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
