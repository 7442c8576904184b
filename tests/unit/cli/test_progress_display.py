"""What is drawn on a terminal, and what is written elsewhere."""

import io
import re
from datetime import UTC, datetime

import pyte
import pytest
from rich.cells import cell_len
from rich.console import Console

from ktrdr.cli.display import ProgressDisplay
from ktrdr.cli.phase_rows import draw_rows, phase_rows
from ktrdr.cli.plain_display import PlainProgressDisplay, SilentDisplay
from ktrdr.cli.progress_display import EnhancedCLIProgressDisplay, make_display
from ktrdr.cli.progress_words import duration, usage_words
from ktrdr.cli.tab_progress import TabProgress, knows_tab_progress
from ktrdr.operations.progress import GenericProgressState


class HandClock:
    """A clock moved by hand."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def screen(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=100, color_system=None), text


def at(percentage: float, step: str = "Training", **fields: object) -> GenericProgressState:
    return GenericProgressState.from_dict("op", {"percentage": percentage, "current_step": step, **fields})


def test_plain_lines_come_per_phase_and_per_ten_percent(clock: HandClock) -> None:
    console, text = screen()
    display = PlainProgressDisplay(console, clock)
    display.start_operation("training", 0, {})
    for percentage in (0, 4, 9, 10, 11, 20, 99, 100):
        display.update_progress(at(percentage))
    display.update_progress(at(100, "Evaluate"))
    percentages = [line.split()[1] for line in text.getvalue().splitlines()]
    assert percentages == ["0", "10", "20", "99", "100", "100"]


def test_plain_lines_keep_a_sign_of_life_each_thirty_seconds(clock: HandClock) -> None:
    console, text = screen()
    display = PlainProgressDisplay(console, clock)
    display.start_operation("training", 0, {"elapsed_seconds": 60.0})
    for clock.seconds in (0.0, 29.0, 30.0, 59.0, 60.0):
        display.update_progress(at(5, message="Epoch 1"))
    assert text.getvalue().splitlines() == [
        "Training  5 %  1:00  Epoch 1",
        "Training  5 %  1:30  Epoch 1",
        "Training  5 %  2:00  Epoch 1",
    ]


def test_plain_output_has_no_escape_and_no_footer(clock: HandClock) -> None:
    console, text = screen()
    display = PlainProgressDisplay(console, clock)
    display.start_operation("x", 0, {"footer": "Ctrl+C cancels"})
    display.show_footer("Ctrl+C cancels")
    display.update_progress(at(0, "", message="\x1b[2J\u202e"))
    display.complete_operation(True, "")
    display.complete_operation(False, "Done")
    assert text.getvalue() == "Waiting  0 %  0:00  \\e[2J\\u202e\nDone\n"


def test_the_live_bar_shows_phase_percentage_times_words_and_footer(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("training", 0, {"footer": "Ctrl+C cancels", "elapsed_seconds": 65.0})
    display.update_progress(at(57, message="Epoch 5/10", estimated_remaining_seconds=40))
    display.complete_operation(False, "Cancelled")
    drawn = text.getvalue()
    assert "Ctrl+C cancels" in drawn
    assert "Training" in drawn
    assert "1:05 ETA 0:40" in drawn
    assert "Epoch 5/10" in drawn
    assert drawn.rindex("57%") < drawn.index("Cancelled")


def test_the_cursor_comes_back_however_it_ends(clock: HandClock) -> None:
    for success in (True, False):
        console, text = screen(terminal=True)
        display = EnhancedCLIProgressDisplay(console, clock)
        display.start_operation("x", 0, {})
        display.complete_operation(success, "")
        display.complete_operation(success, "")
        assert text.getvalue().count("\x1b[?25l") == text.getvalue().count("\x1b[?25h") == 1


def phases(*shares: float) -> list[dict[str, object]]:
    names = ("Bars", "Training", "Evaluate")
    return [
        {"name": name, "percentage": share, "elapsed_seconds": 4.0, "message": f"of {name}"}
        for name, share in zip(names, shares, strict=True)
    ]


def drawn_at_last(text: str) -> list[str]:
    """Return the lines of the last picture a terminal was given."""
    screen = pyte.Screen(100, 30)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display if line.strip()]


def test_every_phase_has_its_own_bar_times_and_words(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("training", 0, {})
    display.update_progress(
        at(60, phases=phases(100, 40, 0), message="Epoch 4/10", estimated_remaining_seconds=6)
    )
    clock.seconds = 2.0
    display.complete_operation(False, "")
    bars, training, evaluate = drawn_at_last(text.getvalue())
    assert bars.split() == ["Bars", "━" * 24, "100%", "0:04", "of", "Bars"]
    assert training.startswith("  Training   ━━━━━━━━━")
    assert training.endswith("40% 0:06 ETA 0:04  Epoch 4/10")
    assert evaluate == "  Evaluate"


def test_at_the_end_every_phase_is_whole(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("training", 0, {})
    display.update_progress(at(60, phases=phases(100, 40, 0)))
    display.complete_operation(True, "")
    assert [line.split()[2] for line in drawn_at_last(text.getvalue())] == ["100%"] * 3


LONG = "Epoch 114/200, Batch 30/34, loss 1.071, val 1.083 (best 1.079 at 96)"
SCREENS = {
    40: """
  Bars       ━━━━━━━━ 100% 0:04 of Bars
  Training   ━━━━╸     57% 0:04 ETA 0:02
    Epoch 114/200, Batch 30/34, loss
    1.071, val 1.083 (best 1.079 at 96)
  Evaluate""",
    80: """
  Bars       ━━━━━━━━━━━━━━━━━━━━━━━━ 100% 0:04 of Bars
  Training   ━━━━━━━━━━━━━╸            57% 0:04 ETA 0:02
    Epoch 114/200, Batch 30/34, loss 1.071, val 1.083 (best 1.079 at 96)  962/s
  Evaluate""",
    100: """
  Bars       ━━━━━━━━━━━━━━━━━━━━━━━━ 100% 0:04 of Bars
  Training   ━━━━━━━━━━━━━╸            57% 0:04 ETA 0:02
    Epoch 114/200, Batch 30/34, loss 1.071, val 1.083 (best 1.079 at 96)  962/s
  Evaluate""",
    120: """
  Bars       ━━━━━━━━━━━━━━━━ 100% 0:04 of Bars
  Training   ━━━━━━━━━         57% 0:04 ETA 0:02  {LONG}
  Evaluate""",
    160: """
  Bars       ━━━━━━━━━━━━━━━━━━━━━━━━ 100% 0:04 of Bars
  Training   ━━━━━━━━━━━━━╸            57% 0:04 ETA 0:02  {LONG}  962/s
  Evaluate""",
}


def drawn_rows(width: int, message: str, height: int = 30) -> list[str]:
    """Return the rows of a training as lines."""
    state = at(
        60, phases=phases(100, 57, 0), message=message, estimated_remaining_seconds=2, items_processed=3846
    )
    text = io.StringIO()
    rows = draw_rows(phase_rows(state, 4.0, 0.0), width, height)
    Console(file=text, width=width, color_system=None).print(rows)
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", SCREENS)
def test_the_words_of_the_domain_get_the_room_and_the_bar_shrinks_first(width: int) -> None:
    """Losses and the best epoch are read whole at every usual width."""
    wanted = SCREENS[width].replace("{LONG}", LONG).splitlines()[1:]
    assert [line.rstrip() for line in drawn_rows(width, LONG)] == wanted


@pytest.mark.parametrize("width", [1, 10, 20, 39, 40, 60, 200])
@pytest.mark.parametrize("message", ["Epoch 4/10, loss 1.071, val 1.083", "大" * 300, "x" * 300])
def test_fault_48_no_row_is_wider_than_the_terminal(width: int, message: str) -> None:
    """A line that wraps could not be drawn over; and however long the words are, the rows stay few."""
    lines = drawn_rows(width, message)
    assert len(lines) <= 6
    assert max(map(cell_len, lines)) <= width


def test_words_stay_whole_when_their_phase_is_over() -> None:
    done = [{"name": "Training", "percentage": 100.0, "message": LONG}, {"name": "Evaluate"}]
    state = at(99, "Evaluate", phases=done)
    text = io.StringIO()
    Console(file=text, width=80, color_system=None).print(draw_rows(phase_rows(state, 4.0, 0.0), 80, 30))
    assert [line.strip() for line in text.getvalue().splitlines()][1] == LONG


def test_words_in_lines_of_their_own_count_as_height() -> None:
    assert len(drawn_rows(80, LONG, height=7)) == 4
    assert [line.split()[0] for line in drawn_rows(80, LONG, height=6)] == ["Training", "Epoch"]


def test_on_a_low_screen_only_the_phase_at_work_is_drawn(clock: HandClock) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, height=5, color_system=None)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("training", 0, {})
    display.update_progress(at(60, phases=phases(100, 40, 0)))
    display.complete_operation(False, "")
    assert [line.split()[0] for line in drawn_at_last(text.getvalue())] == ["Training"]


@pytest.mark.parametrize(
    ("elapsed", "items", "words"), [(2.0, 5, "2.5/s"), (2.0, 5000, "2,500/s"), (0.5, 5, ""), (2.0, 0, "")]
)
def test_counted_items_have_a_rate(clock: HandClock, elapsed: float, items: int, words: str) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("x", 0, {"elapsed_seconds": elapsed})
    display.update_progress(at(50, items_processed=items))
    display.complete_operation(False, "")
    assert ("/s" in text.getvalue()) == bool(words)
    assert words in text.getvalue()


@pytest.mark.parametrize("name", ["WT_SESSION", "ConEmuANSI", "TERM_PROGRAM", "VTE_VERSION"])
def test_terminals_that_know_progress_in_their_tab_say_so(name: str) -> None:
    known = {"WT_SESSION": "1", "ConEmuANSI": "ON", "TERM_PROGRAM": "WezTerm", "VTE_VERSION": "8001"}
    unknown = {"ConEmuANSI": "OFF", "TERM_PROGRAM": "xterm", "VTE_VERSION": "7600"}
    assert knows_tab_progress({name: known[name]})
    assert not knows_tab_progress({name: unknown[name]} if name in unknown else {})
    assert not knows_tab_progress({name: known[name], "TMUX": "1"})


@pytest.mark.parametrize("success", [True, False])
def test_the_tab_shows_the_percentage_and_is_cleared_however_it_ends(clock: HandClock, success: bool) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock, TabProgress(text, True))
    display.start_operation("x", 0, {})
    for percentage in (0, 57.2, 57.9):
        display.update_progress(at(percentage))
    for _ in range(2):
        display.complete_operation(success, "")
    written = re.findall(r"\x1b\]9;4;(\d;\d+)\x1b", text.getvalue())
    assert written == ["3;0", "1;57", "0;0"]


def test_other_terminals_are_not_told(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock, TabProgress(text, False))
    display.start_operation("x", 0, {})
    display.update_progress(at(57))
    display.complete_operation(True, "")
    assert "]9;4" not in text.getvalue()


def test_hostile_words_never_steer_the_terminal(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("[bold]\x1b]0;title\x07", 0, {"footer": "\x9b2J"})
    display.update_progress(at(1, "\x1b[2J", message="[red]\x07"))
    display.show_footer("\x1b[8m")
    display.say("\x1b]52;c;x\x07")
    display.complete_operation(False, "\x1b[5m")
    drawn = text.getvalue()
    assert not {"\x07", "\x9b", "\x1b]", "\x1b[2J", "\x1b[8m", "\x1b[5m"} & {
        drawn[i : i + n] for i in range(len(drawn)) for n in (1, 2, 4)
    }
    assert "[red]\\x07" in drawn


@pytest.mark.parametrize(
    ("used", "words"),
    [
        ({"cpu_percent": 98.4, "rss_mb": 1412.0}, "98 % CPU, 1,412 MB"),
        (
            {"cpu_percent": 9, "rss_mb": 8, "gpu_utilization_percent": 85, "gpu_memory_mb": 2300.4},
            "9 % CPU, 8 MB  85 % GPU, 2,300 MB",
        ),
        ({"cpu_percent": "x", "rss_mb": 3}, ""),
        ({"cpu_percent": 3}, ""),
        ("x", ""),
    ],
)
def test_what_the_work_uses_has_words_where_it_is_known(used: object, words: str) -> None:
    assert usage_words(at(0, "", context={"resource_usage": used})) == words


def test_a_place_in_the_queue_is_shown(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("x", 0, {})
    display.update_progress(at(0, "", queue_position=3))
    display.complete_operation(False, "")
    assert "waiting, place 3 in the queue" in text.getvalue()


def test_a_place_in_the_queue_is_a_line_and_a_new_one_when_it_changes(clock: HandClock) -> None:
    console, text = screen()
    display = PlainProgressDisplay(console, clock)
    display.start_operation("x", 0, {})
    for place in (3, 3, 2):
        display.update_progress(at(0, "", queue_position=place))
    assert [line.split("place ")[1] for line in text.getvalue().splitlines()] == [
        "3 in the queue",
        "2 in the queue",
    ]


def test_quiet_says_only_what_went_wrong() -> None:
    console, text = screen()
    display: ProgressDisplay = SilentDisplay(console)
    display.start_operation("x", 0, {})
    display.update_progress(at(1))
    display.show_footer("footer")
    display.say("op_x  follow: ...")
    display.say("warning: connection lost")
    display.complete_operation(False, "error: it failed")
    display.complete_operation(False, "Left while cancelling. It is NOT confirmed")
    display.complete_operation(True, "It completed before it was cancelled")
    words = ["warning: connection lost", "error: it failed", "Left while cancelling. It is NOT confirmed"]
    assert text.getvalue().splitlines() == words


def test_fault_48_without_a_terminal_lines_are_chosen_whatever_is_forced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_display(), PlainProgressDisplay)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5.0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00")]
)
def test_durations_are_short_and_never_negative(seconds: float, text: str) -> None:
    assert duration(seconds) == text
