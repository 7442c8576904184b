"""What goes into the training loop and what comes out of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Samples:
    """x float32 [n, f], y int32 [n], weight float64 [n]."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where the loop is; losses are of the last finished epoch, None before it."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    train_loss: float | None
    val_loss: float | None
    best_loss: float | None
    best_epoch: int | None


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch; the last two only with analytics (confusion [true, predicted] on validation)."""

    epoch: int
    train_loss: float
    val_loss: float
    gradient_norm: float | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """The best weights and how they came about; epochs count from 1, `train_seconds` is without compiling."""

    weights: dict[str, npt.NDArray[np.float32]]
    history: tuple[EpochRow, ...]
    best_epoch: int
    best_loss: float
    epochs_run: int
    stopped_early: bool
    parameters: int
    compile_seconds: float
    train_seconds: float
    device: str
