"""Training samples a second, to scikit-learn's MLPClassifier and to a bare compiled loop, on one thread.

Beside scikit-learn: our whole loop with dropout 0.2, progress and validation, after its first epoch (which
compiles); both see the same rows, layers and batches. Beside a bare loop: a whole operation, with server,
worker process, progress and checkpoints, on imported synthetic bars that give 100,000 training rows. What
counts is the operation's own training time; the bare loop is `benchmarks.bare_loop`, a process with the same
shapes and the same environment. Both run the example's 200 epochs and load their program from a warm cache.
"""

import os

os.environ["NPROC"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.neural_network import MLPClassifier

from benchmarks import bare_loop
from benchmarks.bare_loop import Shapes, random_samples
from benchmarks.home import Home, temporary_home
from benchmarks.measure import Line, interleaved, ratios, run, seconds
from benchmarks.walk import random_walk
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from ktrdr.server.environment import worker_variables
from ktrdr.training.config import TrainingConfig
from ktrdr.training.loop import train
from ktrdr.training.records import TrainingProgress

STRATEGY = Path(__file__).parents[1] / "examples" / "strategies" / "trend_momentum.yaml"
INPUTS, EXAMPLE_EPOCHS = 30, 200


@dataclass(frozen=True, slots=True)
class Case:
    """A batch size, layers, the aim beside scikit-learn, and the epochs of our loop and of theirs."""

    batch: int
    hidden: tuple[int, ...]
    aim: float
    own: int
    other: int


@dataclass(frozen=True, slots=True)
class Size:
    """Rows beside scikit-learn and how often; bars and epochs of a whole operation, and how many of them."""

    rows: int
    runs: int
    bars: int
    epochs: int
    operations: int


CASES = (Case(32, (50, 25), 8.0, 3, 1), Case(256, (64, 32), 3.0, 11, 5))
FULL, SMALL = Size(100_000, 5, 143_000, 200, 4), Size(1_000, 1, 3_000, 2, 1)


def ours(rows: int, batch: int, hidden: tuple[int, ...], epochs: int) -> float:
    """Return samples a second from the end of the first epoch on."""
    config = TrainingConfig(
        3, hidden, "relu", 0.2, epochs, batch, "adam", 1e-3, 0.0, "none", None, None, 0.0, 42
    )
    reports: list[tuple[float, TrainingProgress]] = []
    train(
        config,
        random_samples(rows, INPUTS),
        random_samples(1000, INPUTS),
        on_progress=lambda progress: reports.append((time.perf_counter(), progress)),
    )
    (began, _), (ended, _) = reports[0], reports[-1]
    return rows * (epochs - 1) / (ended - began)


def theirs(rows: int, batch: int, hidden: tuple[int, ...], epochs: int) -> float:
    """Return scikit-learn's samples a second."""
    samples = random_samples(rows, INPUTS)
    model = MLPClassifier(hidden, batch_size=batch, max_iter=epochs, n_iter_no_change=epochs, random_state=7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rows * epochs / seconds(lambda: model.fit(samples.x, samples.y))


def import_bars(home: Home, count: int) -> None:
    """Give the home so many bars, of which some seven tenths become training rows."""
    BarStore(home.settings.data_dir).replace(Series("import", "WALK", "1m"), [random_walk(count)])


def strategy_file(home: Home, epochs: int) -> str:
    """Write the example strategy for these bars, with so many epochs to the last, and return its path."""
    text = STRATEGY.read_text()
    for old, new in (
        ("[AAPL], timeframe: 1d, start: 2000-03-01, end: 2013-03-01", "[WALK], timeframe: 1m"),
        ("hidden: [16]", "hidden: [64, 32]"),
        (f"epochs: {EXAMPLE_EPOCHS}", f"epochs: {epochs}"),
        ("early_stopping: {monitor: val_loss, patience: 20, min_delta: 0.0001}", "early_stopping: null"),
    ):
        text = text.replace(old, new)
    file = home.folder / "walk.yaml"
    file.write_text(text)
    return str(file)


def run_operation(home: Home, epochs: int) -> dict[str, Any]:
    """Run the whole operation and return its result."""
    result: dict[str, Any] = home.json("models", "train", strategy_file(home, epochs), "--quiet")["result"]
    assert result["model_info"]["epochs_run"] == epochs
    return result


def shapes_of(result: dict[str, Any]) -> Shapes:
    """Return what the bare loop has to imitate."""
    report = result["report"]
    rows, checks = (report["splits"][name]["rows"] for name in ("train", "validation"))
    return Shapes(rows, checks, report["inputs"], result["model_info"]["epochs_run"])


def operation_speed(home: Home, epochs: int) -> float:
    """Return the samples a second of the operation's training, compilation included as in the bare loop."""
    result = run_operation(home, epochs)
    model = result["model_info"]
    taken = float(model["training_time_seconds"]) + float(model["compiling_seconds"])
    return shapes_of(result).samples / taken


def bare_speed(home: Home, shapes: Shapes) -> float:
    """Return the samples a second of the bare loop, in a process with a worker's environment."""
    environment = worker_variables(home.settings, home.environment)
    command = (home.python, bare_loop.__file__, *shapes.arguments())
    printed = home.run(*command, environment=environment)
    return shapes.samples / float(printed)


def beside_scikit_learn(size: Size) -> Iterator[Line]:
    """Measure our loop and theirs."""
    for case in CASES:
        own = partial(ours, size.rows, case.batch, case.hidden, case.own)
        other = partial(theirs, size.rows, case.batch, case.hidden, case.other)
        measured = interleaved(size.runs, own, other)
        what = f"Batch {case.batch}, layers {list(case.hidden)}, to scikit-learn"
        yield Line(what, ratios(*measured), at_least=case.aim)


def beside_a_bare_loop(size: Size) -> Iterator[Line]:
    """Measure a whole operation and the bare loop."""
    with temporary_home() as home:
        import_bars(home, size.bars)
        shapes = shapes_of(run_operation(home, size.epochs))
        bare = partial(bare_speed, home, shapes)
        bare()
        whole = partial(operation_speed, home, size.epochs)
        measured = interleaved(size.operations, whole, bare, warm_up=0)
    what = f"Operation of {shapes.rows:,} rows to a bare compiled loop"
    yield Line(what, ratios(*measured), at_least=0.95)


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    yield from beside_scikit_learn(size)
    yield from beside_a_bare_loop(size)


if __name__ == "__main__":
    run("Training samples a second", lines, full=FULL, small=SMALL)
