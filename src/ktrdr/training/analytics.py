"""What `--detailed-analytics` adds: per epoch, gradient norms and per-class curves, and alerts."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ktrdr.training.records import EpochRow

OVERFITTING_EPOCHS = 5
VANISHING, EXPLODING = 1e-6, 100.0


def analytics_report(history: Sequence[EpochRow], classes: Sequence[str]) -> dict[str, Any]:
    """Return `epochs` (gradient norm, validation precision and recall by class) and `alerts`."""
    return {"epochs": [_epoch(row, classes) for row in history], "alerts": alerts(history)}


def alerts(history: Sequence[EpochRow]) -> list[str]:
    """Return what a person watching the curves would notice."""
    found = []
    for row in history:
        norm = row.gradient_norm
        if norm is not None and norm < VANISHING:
            found.append(f"epoch {row.epoch}: the gradient vanishes (norm {norm:.1e})")
        if norm is not None and norm > EXPLODING:
            found.append(f"epoch {row.epoch}: the gradient explodes (norm {norm:.1e})")
    if start := _overfitting_since(history):
        found.append(f"epoch {start}: validation loss rises while training loss falls")
    return found


def _overfitting_since(history: Sequence[EpochRow]) -> int | None:
    streak = 0
    for before, row in pairwise(history):
        worse = row.val_loss > before.val_loss and row.train_loss < before.train_loss
        streak = streak + 1 if worse else 0
        if streak == OVERFITTING_EPOCHS:
            return row.epoch - OVERFITTING_EPOCHS + 1
    return None


def _epoch(row: EpochRow, classes: Sequence[str]) -> dict[str, Any]:
    counts = np.array(row.confusion, dtype=float)
    hits, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return {
        "epoch": row.epoch,
        "gradient_norm": row.gradient_norm,
        "precision": _by_class(classes, hits, predicted),
        "recall": _by_class(classes, hits, true),
    }


def _by_class(classes: Sequence[str], hits: np.ndarray, totals: np.ndarray) -> dict[str, float | None]:
    return {
        name: float(hit / total) if total else None
        for name, hit, total in zip(classes, hits, totals, strict=True)
    }
