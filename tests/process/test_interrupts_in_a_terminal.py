"""Ctrl+C in a real terminal: the work stops, the operation says so, the terminal is as before."""

import signal
from pathlib import Path

import pytest

from support.installation import Installation, ending, until

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
DUMMY = ("dummy", "run", "--duration", "600", "--iterations", "6000")


@pytest.fixture
def endless_training(tmp_path: Path) -> tuple[str, ...]:
    """Return a training that lasts until somebody stops it."""
    text = STRATEGY.read_text().replace("patience: 20", "patience: 100000")
    file = tmp_path / "endless.yaml"
    file.write_text(text.replace("epochs: 200", "epochs: 100000"))
    return ("models", "train", str(file))


def stopped(ktrdr: Installation) -> dict[str, object]:
    """Return the only operation, after checking that nothing works any more."""
    (operation,) = ktrdr.operations()
    assert ktrdr.workers() == []
    return operation


def test_ctrl_c_really_stops_a_dummy_run(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal(*DUMMY)
    until(terminal, "iteration")
    terminal.send("\x03")
    _, signalled, text = ending(terminal)
    assert signalled == signal.SIGINT
    assert stopped(ktrdr)["status"] == "cancelled"
    assert "Traceback" not in text


def test_ctrl_c_really_stops_a_training(ktrdr: Installation, endless_training: tuple[str, ...]) -> None:
    terminal = ktrdr.terminal(*endless_training)
    until(terminal, "Epoch")
    terminal.send("\x03")
    _, signalled, _ = ending(terminal)
    assert signalled == signal.SIGINT
    operation = stopped(ktrdr)
    assert operation["status"] == "cancelled"
    folder = ktrdr.settings.state_dir / "ops" / str(operation["operation_id"])
    assert list(folder.glob("attempts/1/checkpoints/epoch-*/state.safetensors"))


def test_ctrl_c_during_a_workers_imports_and_compilation_cancels(
    ktrdr: Installation, endless_training: tuple[str, ...]
) -> None:
    terminal = ktrdr.terminal(*endless_training)
    until(terminal, "cancel op_training")
    terminal.send("\x03")
    _, signalled, _ = ending(terminal)
    assert signalled == signal.SIGINT
    assert stopped(ktrdr)["status"] == "cancelled"


def test_the_cursor_is_visible_again_after_ctrl_c(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal(*DUMMY)
    shown = until(terminal, "iteration")
    terminal.send("\x03")
    _, _, rest = ending(terminal)
    drawn = shown + rest
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l") > 0


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_killed_process_ends_the_operation_with_the_truth(ktrdr: Installation, victim: str) -> None:
    terminal = ktrdr.terminal(*DUMMY)
    until(terminal, "iteration")
    (worker,) = ktrdr.workers()
    process = worker if victim == "worker" else ktrdr.server()
    process.kill()
    worker.wait(timeout=20)
    status, _, _ = ending(terminal)
    operation = stopped(ktrdr)
    assert operation["status"] == "failed"
    error = operation["error"]
    assert isinstance(error, dict)
    assert error["reason"] == "worker_lost"
    assert status == 1
