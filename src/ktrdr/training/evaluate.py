"""What a model is worth: metrics per split, baselines beside them, intervals, and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition
from ktrdr.training.baselines import Baselines
from ktrdr.training.intervals import OverlappingDates
from ktrdr.training.metrics import direction_rows, split_metrics
from ktrdr.training.verdicts import as_pair, judge, sentence

Probabilities = npt.NDArray[np.float64]
Predictor = Mapping[str, Probabilities]
OF_A_SYMBOL = ("rows", "log_loss_skill", "direction", "accuracy")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Plain values for JSON: metrics of each split, test metrics of each baseline, and the verdict."""

    training_metrics: dict[str, Any]
    validation_metrics: dict[str, Any]
    test_metrics: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    verdict: dict[str, Any]


def corrected(probabilities: Probabilities, pi: npt.NDArray[np.float64], *, balanced: bool) -> Probabilities:
    """Return p·pi / Σ(p·pi) if training was balanced: probabilities under the real shares."""
    if not balanced:
        return probabilities
    weighted = probabilities * pi
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def evaluate(dataset: Dataset, model: Predictor, baselines: Baselines, *, scored_before: int) -> Evaluation:
    """Judge corrected probabilities by split name (`train`, `validation`, `test`) against every baseline."""
    test = dataset.test
    parts = {"train": dataset.train, "validation": dataset.validation, "test": test}
    metrics = {name: _metrics(dataset, part, model[name]) for name, part in parts.items()}
    dates = OverlappingDates.of(test.time, dataset.horizon)
    rivals = baselines.predict(test.x, test.rsi)
    answers = judge(test.y, model["test"], rivals, dataset.classes, dates)
    return Evaluation(
        training_metrics=metrics["train"],
        validation_metrics=metrics["validation"],
        test_metrics={**metrics["test"], **_test_alone(dataset, model["test"], dates)},
        baselines={
            "majority": _metrics(dataset, test, rivals["prior"]),
            "rsi_rule": _metrics(dataset, test, rivals["rsi_rule"]),
            "linear": _metrics(dataset, test, rivals["linear"]),
        },
        verdict={**answers, "scored_before": scored_before, "sentence": sentence(answers, scored_before)},
    )


def _metrics(dataset: Dataset, part: Partition, probabilities: Probabilities) -> dict[str, Any]:
    return split_metrics(part.y, probabilities, dataset.pi, part.u, dataset.classes).to_dict()


def _test_alone(dataset: Dataset, model: Probabilities, dates: OverlappingDates) -> dict[str, Any]:
    """Return intervals, and the figures of each symbol when there are several."""
    y = dataset.test.y
    right = (model.argmax(axis=1) == y).astype(float)
    intervals = {
        "accuracy_interval": as_pair(dates.mean(right)),
        "direction_interval": as_pair(dates.ratio(*direction_rows(y, model, dataset.pi, dataset.classes))),
    }
    if len(dataset.symbols) == 1:
        return intervals
    per_symbol = {name: _of_symbol(dataset, model, n) for n, name in enumerate(dataset.symbols)}
    return {**intervals, "per_symbol": per_symbol}


def _of_symbol(dataset: Dataset, model: Probabilities, number: int) -> dict[str, Any]:
    test = dataset.test
    own = test.symbol == number
    if not own.any():
        return {name: None for name in OF_A_SYMBOL} | {"rows": 0}
    metrics = split_metrics(test.y[own], model[own], dataset.pi, test.u[own], dataset.classes)
    return {name: getattr(metrics, name) for name in OF_A_SYMBOL}
