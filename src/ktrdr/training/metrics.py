"""Metrics of one split in float64; what is undefined is None, never a made-up 0.0."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int32]
Column = npt.NDArray[np.float64]

CALIBRATION_BINS = 10
FEWEST_FOR_CALIBRATION = 300
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Precision, recall, F1 and the number of rows of one class."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True)
class SplitMetrics:
    """How well predictions do on one split; averages are named by how they average.

    One decision is judged throughout, the likeliest class. The two `lift` figures judge a second one, the
    class whose probability is largest beside its training share (p / pi), as direction does too.
    """

    rows: int
    effective_samples: float
    accuracy: float
    balanced_accuracy: float | None
    mcc: float
    lift_balanced_accuracy: float | None
    lift_mcc: float
    precision_macro: float
    recall_macro: float
    f1_macro: float
    f1_weighted: float
    log_loss: float | None
    log_loss_skill: float | None
    brier: float | None
    brier_skill: float | None
    direction: float | None
    calibration_error: float | None
    per_class: dict[str, ClassMetrics]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        shape = {name: getattr(self, name) for name in self.__dataclass_fields__}
        shape["per_class"] = {
            name: {field: getattr(each, field) for field in each.__dataclass_fields__}
            for name, each in self.per_class.items()
        }
        return shape


def split_metrics(
    y: Classes, probabilities: Probabilities, pi: Column, u: Column, classes: Sequence[str]
) -> SplitMetrics:
    """Return all metrics of probabilities [n, K] whose training shares were pi [K]."""
    base = np.tile(pi, (len(y), 1))
    loss, brier = log_loss(y, probabilities), brier_score(y, probabilities)
    lift = confusion(y, (probabilities / pi).argmax(axis=1), len(classes))
    return SplitMetrics(
        **_decisions(y, probabilities.argmax(axis=1), classes),
        effective_samples=float(u.sum()),
        lift_balanced_accuracy=_balanced_accuracy(lift),
        lift_mcc=matthews(lift),
        log_loss=loss,
        log_loss_skill=_skill(loss, log_loss(y, base)),
        brier=brier,
        brier_skill=_skill(brier, brier_score(y, base)),
        direction=direction(y, probabilities, pi, classes),
        calibration_error=_calibration_error(y, probabilities, float(u.sum())),
    )


def log_losses(y: Classes, probabilities: Probabilities) -> Column:
    """Return -ln p(true class) per row [n]."""
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(y)), y], TINY)))


def log_loss(y: Classes, probabilities: Probabilities) -> float:
    """Return the mean of -ln p(true class)."""
    return float(log_losses(y, probabilities).mean())


def brier_score(y: Classes, probabilities: Probabilities) -> float:
    """Return the mean squared distance between probabilities and the true class (Brier 1950)."""
    truth = np.eye(probabilities.shape[1])[y]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def direction_rows(
    y: Classes, probabilities: Probabilities, pi: Column, classes: Sequence[str]
) -> tuple[Column, Column]:
    """Return per row [n] whether BUY against SELL is right by p / pi, and whether the row is one of them.

    A tie is half right; a row of another class is neither right nor counted.
    """
    buy, sell = classes.index("BUY"), classes.index("SELL")
    decided = (y == buy) | (y == sell)
    scores = probabilities / pi
    guess = scores[:, buy] - scores[:, sell]
    right = np.where(guess == 0, 0.5, (guess > 0) == (y == buy))
    return right * decided, decided.astype(float)


def direction(y: Classes, probabilities: Probabilities, pi: Column, classes: Sequence[str]) -> float | None:
    """Return how often BUY against SELL is right on rows that are one of them, judged by p / pi."""
    right, decided = direction_rows(y, probabilities, pi, classes)
    return float(right.sum() / decided.sum()) if decided.any() else None


def _decisions(y: Classes, predicted: Classes, classes: Sequence[str]) -> dict[str, Any]:
    counts = confusion(y, predicted, len(classes))
    per_class = {name: _class_metrics(counts, number) for number, name in enumerate(classes)}
    support = counts.sum(axis=1)
    f1 = np.array([each.f1 or 0.0 for each in per_class.values()])
    seen = support > 0
    return {
        "rows": len(y),
        "accuracy": float(np.trace(counts) / counts.sum()),
        "balanced_accuracy": _balanced_accuracy(counts),
        "mcc": matthews(counts),
        "precision_macro": float(np.mean([each.precision or 0.0 for each in per_class.values()])),
        "recall_macro": float(np.mean([each.recall or 0.0 for each in per_class.values()])),
        "f1_macro": float(f1.mean()),
        "f1_weighted": float((f1 * support).sum() / support[seen].sum()),
        "per_class": per_class,
    }


def confusion(y: Classes, predicted: Classes, classes: int) -> npt.NDArray[np.float64]:
    """Return counts [true, predicted]."""
    return np.bincount(y * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(float)


def matthews(counts: npt.NDArray[np.float64]) -> float:
    """Return the multi-class correlation of Gorodkin (2004); 0 for a constant."""
    true, predicted, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    numerator = np.trace(counts) * total - true @ predicted
    spread = (total**2 - predicted @ predicted) * (total**2 - true @ true)
    return float(numerator / np.sqrt(spread)) if spread > 0 else 0.0


def _balanced_accuracy(counts: npt.NDArray[np.float64]) -> float | None:
    support = counts.sum(axis=1)
    seen = support > 0
    return float((np.diag(counts)[seen] / support[seen]).mean()) if seen.any() else None


def _class_metrics(counts: npt.NDArray[np.float64], number: int) -> ClassMetrics:
    hits, support, predicted = counts[number, number], counts[number].sum(), counts[:, number].sum()
    precision = float(hits / predicted) if predicted else None
    recall = float(hits / support) if support else None
    f1 = float(2 * hits / (predicted + support)) if predicted + support else None
    return ClassMetrics(precision, recall, f1, int(support))


def _skill(loss: float, base: float) -> float | None:
    return 1 - loss / base if base > 0 else None


def _calibration_error(y: Classes, probabilities: Probabilities, effective: float) -> float | None:
    if effective < FEWEST_FOR_CALIBRATION:
        return None
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    bins = np.array_split(np.argsort(confidence, kind="stable"), CALIBRATION_BINS)
    gaps = [len(rows) * abs(confidence[rows].mean() - right[rows].mean()) for rows in bins]
    return float(sum(gaps) / len(y))
