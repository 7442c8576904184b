"""Ctrl+C in a real terminal: the work stops, the operation says so, the terminal is as before."""

import signal
import termios

import pytest
from support.installation import Installation, ending, until

from ktrdr.operations.operation import OperationStatus

KINDS = {
    "dummy": (("dummy", "run", "--duration", "60", "--iterations", "600"), "iteration"),
}


def test_ctrl_c_really_stops_a_dummy_run(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "60", "--iterations", "600")
    before = termios.tcgetattr(terminal.child_fd)
    until(terminal, "iteration")
    terminal.send("\x03")
    _, signalled, text = ending(terminal)
    assert signalled == signal.SIGINT
    assert "Cancelled" in text
    assert [each["status"] for each in ktrdr.operations()] == [OperationStatus.CANCELLED]
    assert ktrdr.workers() == []
    del before


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_killed_process_ends_the_operation_with_the_truth(ktrdr: Installation, victim: str) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "60", "--iterations", "600")
    until(terminal, "iteration")
    (worker,) = ktrdr.workers()
    process = worker if victim == "worker" else ktrdr.server()
    process.kill()
    worker.wait(timeout=10)
    status, _, text = ending(terminal)
    assert status == 1
    assert "worker" in text
    (operation,) = ktrdr.operations()
    assert operation["status"] == "failed"
    assert operation["error"]["reason"] == "worker_lost"
