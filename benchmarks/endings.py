"""Endings in a pseudo-terminal: how soon the command line follows the work, and answers Ctrl+C.

The end of the work is the operation's `completed_at`, which the server writes by the clock of the same
machine once the worker process is gone; beside it a bare poller asks every 300 ms until it sees it. Ctrl+C is
timed from the key to the first message, to the end of the worker process (of a counter, of a training in full
run, and of a load whose source does not answer), and from a second key, while the worker is frozen, to the
exit. While the server is frozen, it is timed to the first words and to the exit, which then cannot wait for
the truth.
"""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx2
import pexpect

from benchmarks.home import Home, temporary_home
from benchmarks.measure import Line, interleaved, run

STRATEGY = Path(__file__).parents[1] / "examples" / "strategies" / "trend_momentum.yaml"
LONG = ("dummy", "run", "--duration", "600", "--iterations", "6000")
LOAD = ("data", "load", "AAPL", "--provider", "ib")
SHORT = ("dummy", "run", "--duration", "0.5", "--iterations", "5")
EXIT, ANSWER, WORKER_GONE, SECOND_PRESS = 50.0, 50.0, 1000.0, 500.0
ANSWER_FROZEN, EXIT_FROZEN = 500.0, 5000.0
POLL_SECONDS = 0.3
MOMENTS = random.Random(7)  # a schedule, not a secret
TWO_PRESSES = 0.4  # closer ones count as one


@dataclass(frozen=True, slots=True)
class Size:
    """How often each is measured after `warm_up` times that are thrown away."""

    runs: int
    trainings: int
    frozen: int
    warm_up: int


FULL, SMALL = Size(10, 4, 3, 1), Size(1, 1, 1, 0)


def milliseconds_since(moment: float) -> float:
    return 1000 * (time.perf_counter() - moment)


def press(terminal: pexpect.spawn) -> float:
    """Send Ctrl+C and return when."""
    pressed = time.perf_counter()
    terminal.send("\x03")
    return pressed


@contextmanager
def working(home: Home, command: tuple[str, ...], shown: str) -> Iterator[pexpect.spawn]:
    """Start a command, wait for the first words of its work; it ends before anything else begins."""
    terminal = home.terminal(*command)
    terminal.expect_exact(shown)
    yield terminal
    terminal.expect(pexpect.EOF)
    terminal.close()


def work_to_exit(home: Home) -> float:
    """Return the milliseconds from the end of the work to the exit of the command."""
    terminal = home.terminal(*SHORT)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    exited = time.time()
    completed = home.json("operations", "status", "@last")["completed_at"]
    return 1000 * (exited - datetime.fromisoformat(completed).timestamp())


def work_to_poller(home: Home) -> float:
    """Return the milliseconds from the end of the work to when a poller of 300 ms, without exit, knows it.

    It begins at any moment: the work ends at any moment of a real poller's pause.
    """
    operation_id = home.ktrdr(*SHORT, "--detach", "-q").strip()
    time.sleep(MOMENTS.uniform(0.0, POLL_SECONDS))
    with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(home.settings.socket_path))) as client:
        while True:
            shown = client.get(f"http://ktrdr/api/v1/operations/{operation_id}").json()["data"]
            if shown["completed_at"]:
                return 1000 * (time.time() - datetime.fromisoformat(shown["completed_at"]).timestamp())
            time.sleep(POLL_SECONDS)


def press_to_answer(home: Home) -> float:
    """Return the milliseconds from Ctrl+C to the first words."""
    with working(home, LONG, "iteration") as terminal:
        pressed = press(terminal)
        terminal.expect_exact("Cancelling")
        return milliseconds_since(pressed)


def press_to_worker_gone(command: tuple[str, ...], shown: str, home: Home) -> float:
    """Return the milliseconds from Ctrl+C to the end of the worker process."""
    with working(home, command, shown) as terminal:
        worker = home.worker()
        pressed = press(terminal)
        worker.wait(timeout=60)
        return milliseconds_since(pressed)


def press_to_load_gone(gateway: socket.socket, home: Home) -> float:
    """Return the milliseconds from Ctrl+C to the end of a worker whose source does not answer."""
    with working(home, LOAD, "looking it up") as terminal:
        connection, _ = gateway.accept()
        worker = home.worker()
        pressed = press(terminal)
        worker.wait(timeout=60)
        connection.close()
        return milliseconds_since(pressed)


def second_press_to_exit(home: Home) -> float:
    """Return the milliseconds from the second Ctrl+C to the exit; the worker cannot hear the first."""
    terminal = home.terminal(*LONG)
    terminal.expect_exact("iteration")
    worker = home.worker()
    worker.suspend()
    press(terminal)
    terminal.expect_exact("acknowledged")
    time.sleep(TWO_PRESSES)
    pressed = press(terminal)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    spent = milliseconds_since(pressed)
    worker.resume()
    worker.wait(timeout=60)
    return spent


def frozen_server_to_words(home: Home) -> float:
    """Return the milliseconds from Ctrl+C to the first words while the server is frozen."""
    return _while_frozen(home, "Cancelling")


def frozen_server_to_exit(home: Home) -> float:
    """Return the milliseconds from Ctrl+C to the exit while the server is frozen."""
    return _while_frozen(home, pexpect.EOF)


def _while_frozen(home: Home, end: str | type[pexpect.EOF]) -> float:
    with working(home, LONG, "iteration") as terminal:
        server = home.server()
        server.suspend()
        pressed = press(terminal)
        terminal.expect(end)
        spent = milliseconds_since(pressed)
        terminal.expect(pexpect.EOF)
        server.resume()
    home.ktrdr("operations", "cancel", "--all")
    return spent


def endless_training(home: Home) -> tuple[str, ...]:
    """Return the command of a training that lasts until somebody stops it."""
    text = STRATEGY.read_text().replace("patience: 20", "patience: 100000")
    file = home.folder / "endless.yaml"
    file.write_text(text.replace("epochs: 200", "epochs: 100000"))
    return ("models", "train", str(file))


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    with socket.create_server(("127.0.0.1", 0)) as gateway, _home_beside(gateway) as home:
        counter = partial(press_to_worker_gone, LONG, "iteration")
        load = partial(press_to_load_gone, gateway)
        training = partial(press_to_worker_gone, endless_training(home), "Epoch")
        for what, aim, runs, measure in (
            ("End of work to exit", EXIT, size.runs, work_to_exit),
            ("End of work to a poller of 300 ms", None, size.runs, work_to_poller),
            ("Ctrl+C to the first words", ANSWER, size.runs, press_to_answer),
            ("Ctrl+C to the end of a counting worker", WORKER_GONE, size.runs, counter),
            ("Ctrl+C to the end of a training worker", WORKER_GONE, size.trainings, training),
            ("Ctrl+C to the end of a load without answers", WORKER_GONE, size.trainings, load),
            ("Second Ctrl+C to exit", SECOND_PRESS, size.runs, second_press_to_exit),
            ("Frozen server: Ctrl+C to the first words", ANSWER_FROZEN, size.frozen, frozen_server_to_words),
            ("Frozen server: Ctrl+C to exit", EXIT_FROZEN, size.frozen, frozen_server_to_exit),
        ):
            (values,) = interleaved(runs, partial(measure, home), warm_up=size.warm_up)
            yield Line(what, values, "ms", at_most=aim)


def _home_beside(gateway: socket.socket) -> AbstractContextManager[Home]:
    host, port = gateway.getsockname()
    return temporary_home(variables={"KTRDR_IB_ADDRESS": f"{host}:{port}"})


if __name__ == "__main__":
    run("Endings", lines, full=FULL, small=SMALL)
