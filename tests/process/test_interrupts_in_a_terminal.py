"""Ctrl+C in a real terminal, at every bad moment: one truth, nothing left behind, the terminal as before."""

import os
import signal
import sys
import termios
from pathlib import Path

import pexpect
import pytest

from support.held_api import held_api
from support.installation import Installation, ending, until

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
CTRL_C = "\x03"
KINDS = ("dummy", "training")
AT_WORK = {"dummy": "iteration", "training": "Epoch"}


@pytest.fixture
def endless(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """Return per kind a command whose work lasts until somebody stops it."""
    text = STRATEGY.read_text().replace("patience: 20", "patience: 100000")
    file = tmp_path / "endless.yaml"
    file.write_text(text.replace("epochs: 200", "epochs: 100000"))
    dummy = ("dummy", "run", "--duration", "600", "--iterations", "6000")
    return {"dummy": dummy, "training": ("models", "train", str(file))}


def stopped(ktrdr: Installation) -> dict[str, object]:
    """Return the only operation, after checking that nothing works any more."""
    (operation,) = ktrdr.operations()
    assert ktrdr.workers() == []
    return operation


def assert_killed_by_ctrl_c(terminal: pexpect.spawn) -> str:
    """Wait for the end and return the last words."""
    _, signalled, text = ending(terminal)
    assert signalled == signal.SIGINT, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_fault_40_ctrl_c_really_stops_the_work(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str
) -> None:
    terminal = ktrdr.terminal(*endless[kind])
    until(terminal, AT_WORK[kind])
    terminal.send(CTRL_C)
    assert_killed_by_ctrl_c(terminal)
    operation = stopped(ktrdr)
    assert operation["status"] == "cancelled"
    if kind == "training":
        folder = ktrdr.settings.state_dir / "ops" / str(operation["operation_id"])
        assert list(folder.glob("attempts/1/checkpoints/epoch-*/state.safetensors"))


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_right_after_the_start_cancels(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str
) -> None:
    """For a training this is while its worker imports and compiles."""
    terminal = ktrdr.terminal(*endless[kind])
    until(terminal, f"cancel op_{kind}")
    terminal.send(CTRL_C)
    assert_killed_by_ctrl_c(terminal)
    assert stopped(ktrdr)["status"] == "cancelled"


def test_fault_38_ctrl_c_while_a_strategy_is_read_starts_nothing(ktrdr: Installation, tmp_path: Path) -> None:
    fifo = tmp_path / "slow.yaml"
    os.mkfifo(fifo)
    terminal = ktrdr.terminal("models", "train", str(fifo))
    with fifo.open("wb"):
        terminal.send(CTRL_C)
        assert_killed_by_ctrl_c(terminal)
    assert list(ktrdr.processes()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_fault_38_ctrl_c_while_the_server_is_looked_for_starts_nothing(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str
) -> None:
    ktrdr.run("server", "start")
    server, identity = ktrdr.server(), ktrdr.settings.server_note
    written = identity.read_bytes()
    identity.unlink()
    os.mkfifo(identity)
    terminal = ktrdr.terminal(*endless[kind])
    with identity.open("wb"):
        terminal.send(CTRL_C)
        assert_killed_by_ctrl_c(terminal)
    identity.unlink()
    identity.write_bytes(written)
    assert ktrdr.operations() == []
    assert server.is_running()


@pytest.mark.parametrize("kind", KINDS)
def test_fault_39_ctrl_c_while_the_start_is_in_flight_cancels_what_was_started(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str
) -> None:
    with held_api() as server:
        terminal = ktrdr.terminal(*endless[kind], "--url", server.url)
        assert server.asked_to_start.wait(60)
        terminal.send(CTRL_C)
        until(terminal, "Cancelling")
        server.may_answer.set()
        assert_killed_by_ctrl_c(terminal)
        assert server.cancelled == server.started
        assert server.order == ["start answered", "cancel asked"]


@pytest.mark.parametrize("kind", KINDS)
def test_fault_41_ctrl_c_at_the_very_end_tells_what_the_server_says(ktrdr: Installation, kind: str) -> None:
    commands = {
        "dummy": ("dummy", "run", "--duration", "0.5", "--iterations", "3"),
        "training": ("models", "train", str(STRATEGY)),
    }
    terminal = ktrdr.terminal(*commands[kind])
    until(terminal, {"dummy": "iteration 2/3", "training": "Evaluate"}[kind])
    terminal.send(CTRL_C)
    status, signalled, text = ending(terminal)
    ended = stopped(ktrdr)["status"]
    assert (ended, status, signalled) in {("completed", 0, None), ("cancelled", None, signal.SIGINT)}
    assert "Traceback" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_fault_42_a_second_press_leaves_although_the_server_says_nothing(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str
) -> None:
    terminal = ktrdr.terminal(*endless[kind])
    until(terminal, AT_WORK[kind])
    server = ktrdr.server()
    server.suspend()
    terminal.send(CTRL_C)
    until(terminal, "Cancelling")
    while terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=0.3):
        terminal.send(CTRL_C)
    text = str(terminal.before)
    terminal.close()
    server.resume()
    assert terminal.signalstatus == signal.SIGINT
    assert "NOT confirmed - run ktrdr operations cancel op_" in text
    ktrdr.run("operations", "cancel", str(ktrdr.operations()[0]["operation_id"]))


@pytest.mark.parametrize("presses", [1, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_fault_43_the_terminal_is_as_before_however_often_it_is_pressed(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], kind: str, presses: int
) -> None:
    terminal = ktrdr.terminal(*endless[kind])
    before = termios.tcgetattr(terminal.child_fd)
    shown = until(terminal, AT_WORK[kind])
    for _ in range(presses):
        terminal.send(CTRL_C)
    terminal.expect(pexpect.EOF)
    drawn = shown + str(terminal.before)
    after = termios.tcgetattr(terminal.child_fd)
    terminal.close()
    assert after == before
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l") > 0
    assert terminal.signalstatus == signal.SIGINT


STUCK = """
import asyncio, itertools, os, sys
from ktrdr.cli.interrupts import Interrupts

async def never_ends():
    interrupts = Interrupts(asyncio.Event, itertools.count().__next__)
    with interrupts.listening(asyncio.get_running_loop()):
        print("\\x1b[?25lready", flush=True)
        await interrupts.first.wait()
        print("first", flush=True)
        await interrupts.second.wait()
        print("second", flush=True)
        await asyncio.Event().wait()

asyncio.run(never_ends())
"""


def test_fault_43_a_third_press_ends_what_is_stuck_and_shows_the_cursor(ktrdr: Installation) -> None:
    """Whatever is still being cleaned up; here it never ends."""
    terminal = pexpect.spawn(ktrdr.python, ["-c", STUCK], env=ktrdr.environment, encoding="utf-8", timeout=60)
    for word in ("ready", "first", "second"):
        until(terminal, word)
        terminal.send(CTRL_C)
    _, signalled, text = ending(terminal)
    assert signalled == signal.SIGINT
    assert "\x1b[?25h" in text


def test_a_shell_sees_130(ktrdr: Installation, endless: dict[str, tuple[str, ...]]) -> None:
    script = 'trap : INT; "$0" -m ktrdr "$@"; echo "code $?"'
    arguments = ["-c", script, ktrdr.python, *endless["dummy"]]
    terminal = pexpect.spawn("bash", arguments, env=ktrdr.environment, encoding="utf-8", timeout=60)
    until(terminal, "iteration")
    terminal.send(CTRL_C)
    _, _, text = ending(terminal)
    assert "code 130" in text


def test_fault_45_sigterm_cancels_the_work_and_kills(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]]
) -> None:
    terminal = ktrdr.terminal(*endless["dummy"])
    until(terminal, "iteration")
    terminal.kill(signal.SIGTERM)
    _, signalled, _ = ending(terminal)
    assert signalled == signal.SIGTERM
    assert stopped(ktrdr)["status"] == "cancelled"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_killed_process_ends_the_operation_with_the_truth(
    ktrdr: Installation, endless: dict[str, tuple[str, ...]], victim: str, kind: str
) -> None:
    terminal = ktrdr.terminal(*endless[kind])
    until(terminal, AT_WORK[kind])
    (worker,) = ktrdr.workers()
    process = worker if victim == "worker" else ktrdr.server()
    process.kill()
    worker.wait(timeout=30)
    status, _, text = ending(terminal)
    operation = stopped(ktrdr)
    assert (status, operation["status"]) == (1, "failed")
    error = operation["error"]
    assert isinstance(error, dict)
    assert error["reason"] == "worker_lost"
    assert "worker.log" in text
    if victim == "worker":
        assert "SIGKILL" in str(error["detail"])


def test_a_key_held_down_ends_the_process_where_it_stands() -> None:
    """Three presses are in time; whatever the loop is doing, the cursor is back and the signal kills."""
    code = """
import asyncio, itertools, signal
from ktrdr.cli.interrupts import Interrupts
interrupts = Interrupts(asyncio.Event, itertools.count().__next__)
for _ in range(3):
    interrupts.receive(signal.SIGINT)
print("still here")
"""
    terminal = pexpect.spawn(sys.executable, ["-c", code], encoding="utf-8", timeout=60)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.signalstatus == signal.SIGINT
    assert terminal.before == "\x1b[?25h\r\n"
