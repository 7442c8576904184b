"""The rows of a live region: one a phase, its bar, its times and its words."""

from dataclasses import dataclass, replace

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ktrdr.cli.progress_words import duration, message_words, rate_words
from ktrdr.cli.safe_text import safe
from ktrdr.operations.progress import GenericProgressState, PhaseProgress

BAR_WIDTH = 24
NAME_WIDTH = 10
LINES_BELOW = 3


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of one phase; `percentage` is None while it has not begun."""

    name: str
    percentage: float | None = None
    times: str = ""
    words: str = ""


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


def draw_rows(rows: list[Row], height: int) -> Table:
    """Return the rows as a table; of too many for the height only the one at work is shown."""
    shown = rows if len(rows) + LINES_BELOW <= height else [_at_work(rows)]
    cells = [_cells(row) for row in shown]
    table = Table.grid(padding=(0, 1))
    for column in (0, 2, 3):
        widest = max(line[column].cell_len for line in cells)
        if column == 2:
            table.add_column(no_wrap=True, min_width=BAR_WIDTH)
        table.add_column(no_wrap=True, min_width=widest)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for row, line in zip(shown, cells, strict=True):
        table.add_row(line[0], _bar(row), *line[2:])
    return table


def _done(phase: PhaseProgress) -> Row:
    return Row(phase.name, 100.0, duration(phase.elapsed_seconds), phase.message)


def _current(phase: PhaseProgress, state: GenericProgressState, since: float) -> Row:
    is_over = phase.percentage >= 100
    elapsed = phase.elapsed_seconds + (0.0 if is_over else since)
    left = None if is_over else state.estimated_remaining_seconds
    times = duration(elapsed) if left is None else f"{duration(elapsed)}  ETA {duration(left - since)}"
    words = "  ".join(part for part in (message_words(state), rate_words(state, elapsed)) if part)
    return Row(phase.name or "Waiting", phase.percentage, times, words or phase.message)


def _at_work(rows: list[Row]) -> Row:
    return [row for row in rows if row.percentage is not None][-1]


def _cells(row: Row) -> tuple[Text, Text, Text, Text, Text]:
    share = "" if row.percentage is None else f"{row.percentage:3.0f}%"
    name = f"  {safe(row.name):<{NAME_WIDTH}}"
    return Text(name), Text(), Text(share), Text(row.times), Text(safe(row.words))


def _bar(row: Row) -> ProgressBar | Text:
    if row.percentage is None:
        return Text()
    return ProgressBar(total=100.0, completed=row.percentage, width=BAR_WIDTH)
