"""What is drawn on a terminal, and what is written elsewhere."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from ktrdr.cli.progress_display import (
    EnhancedCLIProgressDisplay,
    PlainProgressDisplay,
    ProgressDisplay,
    SilentDisplay,
    duration,
    make_display,
)
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
    display.complete_operation(True, "Cancelled")
    drawn = text.getvalue()
    assert "Ctrl+C cancels" in drawn
    assert "Training" in drawn
    assert "1:05  ETA 0:40" in drawn
    assert "Epoch 5/10" in drawn
    assert drawn.rindex("100%") < drawn.index("Cancelled")


def test_the_cursor_comes_back_however_it_ends(clock: HandClock) -> None:
    for success in (True, False):
        console, text = screen(terminal=True)
        display = EnhancedCLIProgressDisplay(console, clock)
        display.start_operation("x", 0, {})
        display.complete_operation(success, "")
        display.complete_operation(success, "")
        assert text.getvalue().count("\x1b[?25l") == text.getvalue().count("\x1b[?25h") == 1


def test_an_eta_appears_after_three_samples_of_a_phase(clock: HandClock) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("x", 0, {})
    clock.seconds = 10.0
    for _ in range(3):
        display.update_progress(at(50))
    display.say("three")
    display.update_progress(at(50))
    display.say("four")
    display.complete_operation(False, "")
    before, after = text.getvalue().split("four", 1)
    assert "ETA" not in before.split("three")[1]
    assert "ETA 0:10" in after


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
        ({"cpu_percent": "x", "rss_mb": 3}, ""),
        ({"cpu_percent": 3}, ""),
        ("x", ""),
    ],
)
def test_what_the_work_uses_is_shown_where_it_is_known(clock: HandClock, used: object, words: str) -> None:
    console, text = screen(terminal=True)
    display = EnhancedCLIProgressDisplay(console, clock)
    display.start_operation("x", 0, {})
    display.update_progress(at(0, "", context={"resource_usage": used}))
    display.complete_operation(False, "")
    assert words in text.getvalue()
    assert ("CPU" in text.getvalue()) == bool(words)


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


def test_without_a_terminal_lines_are_chosen_whatever_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_display(), PlainProgressDisplay)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5.0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00")]
)
def test_durations_are_short_and_never_negative(seconds: float, text: str) -> None:
    assert duration(seconds) == text
