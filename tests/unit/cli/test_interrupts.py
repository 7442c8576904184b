"""Signals as facts: what one press, two presses and other signals mean."""

import asyncio
import signal
import subprocess
import sys

import pytest

from ktrdr.cli.interrupts import Interrupts, die_by_signal, let_interrupts_kill


class Watch:
    """A stopwatch set by hand."""

    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def interrupts(watch: Watch) -> Interrupts:
    return Interrupts(asyncio.Event, watch)


def test_one_press_asks_once(interrupts: Interrupts) -> None:
    interrupts.receive(signal.SIGINT)
    assert interrupts.first.is_set()
    assert not interrupts.second.is_set()


@pytest.mark.parametrize(("later", "asks_to_leave"), [(0.24, False), (0.25, True), (9.0, True)])
def test_a_second_press_counts_from_a_quarter_second(
    interrupts: Interrupts, watch: Watch, later: float, asks_to_leave: bool
) -> None:
    interrupts.receive(signal.SIGINT)
    watch.time = later
    interrupts.receive(signal.SIGINT)
    assert interrupts.second.is_set() is asks_to_leave


def test_a_key_held_down_is_a_second_press_after_a_while(interrupts: Interrupts, watch: Watch) -> None:
    for tick in range(10):
        watch.time = tick * 0.03
        interrupts.receive(signal.SIGINT)
    assert interrupts.second.is_set()


def test_termination_after_a_press_leaves_and_decides_the_exit(interrupts: Interrupts) -> None:
    interrupts.receive(signal.SIGINT)
    interrupts.receive(signal.SIGTERM)
    assert interrupts.terminated
    assert interrupts.signum == signal.SIGTERM
    assert interrupts.second.is_set()


def test_one_termination_alone_still_waits_for_the_end(interrupts: Interrupts) -> None:
    interrupts.receive(signal.SIGTERM)
    assert not interrupts.second.is_set()


def test_a_press_after_termination_does_not_change_the_exit(interrupts: Interrupts) -> None:
    interrupts.receive(signal.SIGTERM)
    interrupts.receive(signal.SIGINT)
    assert interrupts.signum == signal.SIGTERM
    assert interrupts.second.is_set()


def test_a_hang_up_leaves_at_once(interrupts: Interrupts) -> None:
    interrupts.receive(signal.SIGHUP)
    assert interrupts.hung_up
    assert interrupts.second.is_set()


def test_ctrl_c_kills_in_silence_until_somebody_listens() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        let_interrupts_kill()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        let_interrupts_kill()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("function", "signum"), [("die_by_signal(2)", 2), ("die_by_signal(15)", 15), ("die_by_closed_pipe()", 13)]
)
def test_a_process_dies_of_the_signal_it_was_ended_by(function: str, signum: int) -> None:
    name = function.partition("(")[0]
    code = f"from ktrdr.cli.interrupts import {name}; {function}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signum


def test_dying_of_a_harmless_signal_returns() -> None:
    before = signal.getsignal(signal.SIGCHLD)
    die_by_signal(signal.SIGCHLD)
    signal.signal(signal.SIGCHLD, before)
