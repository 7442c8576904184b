"""What a person sees at the end is the same for every kind: words, a whole bar, the result."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyte
import pytest

from ktrdr.market_data.sample import load_sample
from support.installation import Installation, ending, until
from support.stored_bars import store_sample

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
CSV = "IBM.csv"
COMMANDS: dict[str, tuple[str, ...]] = {
    "dummy": ("dummy", "run", "--duration", "0.5", "--iterations", "5"),
    "training": ("models", "train", str(STRATEGY), "--epochs", "3"),
    "data_import": ("data", "import", CSV, "IBM2"),
    "data_load": ("data", "load", "AAPL", "MSFT"),
    "data_check": ("data", "check", "GOOG", "--calendar", "24/7"),
}
PHASES = {
    "dummy": ["Iterations"],
    "training": ["Bars", "Features", "Training", "Evaluate"],
    "data_import": ["Read", "Store"],
    "data_load": ["AAPL", "MSFT"],
    "data_check": ["Read", "Check"],
}
FIRST_RESULT = {
    "dummy": "Iterations completed",
    "training": "trend_momentum ·",
    "data_import": "IBM2 1d ·",
    "data_load": "AAPL 1d ·",
    "data_check": "GOOG 1d ·",
}
BAR = re.compile(r"^  (?P<phase>\S+) +━{24} 100% 0:\d\d")


@pytest.fixture
def command(tmp_path: Path, ktrdr: Installation) -> Callable[[str], tuple[str, ...]]:
    """Return the words of a command that starts a kind; the bars it needs are there."""
    store_sample(ktrdr.settings, "GOOG")
    file = tmp_path / CSV
    load_sample("IBM", "raw").with_columns(pl.col("time").dt.date()).write_csv(file)
    return lambda kind: tuple(str(file) if word == CSV else word for word in COMMANDS[kind])


def screen_of(text: str, columns: int) -> list[str]:
    """Return the lines a terminal shows, without the empty ones."""
    screen = pyte.Screen(columns, 60)
    pyte.Stream(screen).feed(text)
    assert not screen.cursor.hidden
    return [line.rstrip() for line in screen.display if line.strip()]


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_kind_has_the_same_screen(
    ktrdr: Installation, kind: str, command: Callable[[str], tuple[str, ...]]
) -> None:
    ktrdr.run("server", "start")
    code, _, text = ending(ktrdr.terminal(*command(kind), columns=160))
    assert code == 0, text
    lines = screen_of(text, 160)
    assert re.match(rf"op_{kind}_[a-z2-7]{{12}}  follow: ktrdr operations follow op_", lines[0])
    assert "cancel: ktrdr operations cancel op_" in lines[0]
    first = next(number for number, line in enumerate(lines) if BAR.match(line))
    bars = [BAR.match(line) for line in lines[first : first + len(PHASES[kind])]]
    assert [bar and bar["phase"] for bar in bars] == PHASES[kind], lines
    assert lines[first + len(bars)].startswith(FIRST_RESULT[kind])
    assert not [line for line in lines if "Ctrl+C" in line]


@pytest.mark.parametrize("kind", COMMANDS)
def test_following_what_has_ended_shows_the_result_as_if_attached_all_along(
    ktrdr: Installation, kind: str, command: Callable[[str], tuple[str, ...]]
) -> None:
    attached = ktrdr.run(*command(kind)).stdout
    code, _, text = ending(ktrdr.terminal("operations", "follow", "@last"))
    assert code == 0
    lines = screen_of(text, 110)
    assert next(line.rstrip() for line in attached.splitlines() if line.strip()) in lines


@pytest.mark.parametrize("columns", [1, 20, 40])
def test_fault_48_a_narrow_terminal_is_no_trouble(ktrdr: Installation, columns: int) -> None:
    terminal = ktrdr.terminal(*COMMANDS["dummy"], columns=columns)
    code, _, text = ending(terminal)
    assert code == 0
    assert "Traceback" not in text
    assert "Iterationscompleted5" in "".join(text.split())


def test_fault_48_a_storm_of_resizes_is_no_trouble(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "1", "--iterations", "10")
    until(terminal, "iteration")
    for number in range(200):
        terminal.setwinsize(10 + number % 20, 20 + number % 90)
    terminal.setwinsize(0, 0)
    code, _, text = ending(terminal)
    assert code == 0
    assert "Iterations completed  10" in text


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_fault_48_terminals_that_can_little_get_what_they_can(
    ktrdr: Installation, name: str, value: str
) -> None:
    ktrdr.environment[name] = value
    code, _, text = ending(ktrdr.terminal(*COMMANDS["dummy"]))
    assert code == 0
    assert "Iterations completed  5" in text
    if name == "TERM":
        assert "\x1b" not in text
        assert re.search(r"^Iterations  \d+ %  0:0\d  iteration", text, re.MULTILINE)
    else:
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", text)


def test_ctrl_c_ends_the_screen_with_the_truth(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    text = until(terminal, "iteration")
    terminal.send("\x03")
    _, signalled, rest = ending(terminal)
    assert signalled == signal.SIGINT
    lines = screen_of(text + rest, 110)
    assert re.fullmatch(
        r"Cancelling op_dummy_\w{12} - press Ctrl\+C again to leave without waiting", lines[-5]
    )
    assert lines[-4] == "cancellation sent and acknowledged"
    assert lines[-3].startswith("  Iterations")
    assert re.fullmatch(r"Cancelled after \d+\.\d s", lines[-2])
    assert re.fullmatch(r"Iterations completed  \d+", lines[-1])


def test_watching_shows_every_active_operation_until_none_is(ktrdr: Installation) -> None:
    long, short = (
        ktrdr.run("dummy", "run", "--duration", seconds, "--detach", "-q").stdout.strip()
        for seconds in ("600", "1")
    )
    terminal = ktrdr.terminal("operations", "watch")
    text = until(terminal, short)
    ktrdr.run("operations", "wait", short)
    ktrdr.run("operations", "cancel", long)
    code, _, rest = ending(terminal)
    assert code == 0
    assert long in text + short + rest
    assert screen_of(text + short + rest, 110) == ["No operation is active."]


def test_ctrl_c_stops_only_the_watching(ktrdr: Installation) -> None:
    operation_id = ktrdr.run("dummy", "run", "--duration", "600", "--detach", "-q").stdout.strip()
    terminal = ktrdr.terminal("operations", "watch")
    text = until(terminal, operation_id)
    terminal.send("\x03")
    _, signalled, rest = ending(terminal)
    assert signalled == signal.SIGINT
    screen_of(text + operation_id + rest, 110)
    ktrdr.run("operations", "status", operation_id, "--exit-status", expect=8)
    assert "watching needs a terminal" in ktrdr.run("operations", "watch", expect=2).stderr
