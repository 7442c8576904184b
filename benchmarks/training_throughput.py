"""Training samples a second: the whole loop to scikit-learn's MLPClassifier, one thread, in one run.

Ours trains with dropout 0.2, progress and validation; both see the same rows, layers and batches.
"""

import os

os.environ["NPROC"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import time
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from ktrdr.training.config import TrainingConfig
from ktrdr.training.loop import train
from ktrdr.training.records import Samples

ROWS, INPUTS, RUNS = 100_000, 30, 3
CASES = ((32, (50, 25), 6.0), (256, (64, 32), 1.4))


def rows(count: int) -> Samples:
    """Return random rows of three classes."""
    generator = np.random.default_rng(7)
    x = generator.random((count, INPUTS), dtype=np.float32)
    return Samples(x, generator.integers(0, 3, count).astype(np.int32), np.ones(count))


def ours(batch: int, hidden: tuple[int, ...], epochs: int) -> float:
    """Return the seconds of so many epochs, compilation included."""
    config = TrainingConfig(
        3, hidden, "relu", 0.2, epochs, batch, "adam", 1e-3, 0.0, "none", None, None, 0.0, 42
    )
    began = time.perf_counter()
    train(config, rows(ROWS), rows(1000))
    return time.perf_counter() - began


def theirs(batch: int, hidden: tuple[int, ...]) -> float:
    """Return the seconds of one epoch."""
    samples = rows(ROWS)
    model = MLPClassifier(hidden, batch_size=batch, max_iter=1, random_state=7)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(samples.x, samples.y)
    return time.perf_counter() - began


def main() -> None:
    """Print a line per case: our samples a second over theirs, median and spread."""
    for batch, hidden, aim in CASES:
        ratios = []
        for _ in range(RUNS):
            epoch = (ours(batch, hidden, 6) - ours(batch, hidden, 1)) / 5
            ratios.append(theirs(batch, hidden) / epoch)
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        spread = f"{low:.1f} to {high:.1f}, aim {aim}"
        print(f"batch {batch:>3} {list(hidden)}: {middle:.1f}x scikit-learn ({spread})")


if __name__ == "__main__":
    main()
