"""What a model is worth: metrics per split, baselines beside them, and one verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition
from ktrdr.training.baselines import fit_rsi_rule, majority
from ktrdr.training.intervals import mean_interval
from ktrdr.training.metrics import decision_metrics, split_metrics

Probabilities = npt.NDArray[np.float64]
Predictor = Mapping[str, Probabilities]

RIVALS = {"majority": "majority", "rsi_rule": "the RSI rule", "linear": "linear"}

VERDICTS = {
    "yes": "beats",
    "no": "is worse than",
    "not distinguishable": "not distinguishable from",
    "too few dates": "too few dates to judge against",
}


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


def evaluate(
    dataset: Dataset, model: Predictor, linear: Predictor, *, seed: int, scored_before: int
) -> Evaluation:
    """Judge corrected probabilities by split name (`train`, `validation`, `test`) against every baseline."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    metrics = {name: _metrics(dataset, part, model[name]) for name, part in parts.items()}
    test = dataset.test
    rule = fit_rsi_rule(dataset.train, dataset.pi, dataset.classes)
    decisions = {
        "majority": majority(dataset, len(test)),
        "rsi_rule": rule.decide(test.rsi),
        "linear": linear["test"].argmax(axis=1).astype(np.int32),
    }
    chosen = model["test"].argmax(axis=1)
    right = (chosen == test.y).astype(float)
    interval = mean_interval(right, test.time, dataset.horizon, seed)
    metrics["test"]["accuracy_interval"] = [interval.low, interval.high] if interval else None
    if len(dataset.symbols) > 1:
        metrics["test"]["per_symbol"] = _per_symbol(dataset, right)
    return Evaluation(
        training_metrics=metrics["train"],
        validation_metrics=metrics["validation"],
        test_metrics=metrics["test"],
        baselines=_baselines(dataset, decisions, linear["test"], momentum=rule.momentum),
        verdict=_verdict(dataset, right, decisions, seed, scored_before),
    )


def _metrics(dataset: Dataset, part: Partition, probabilities: Probabilities) -> dict[str, Any]:
    return split_metrics(part.y, probabilities, dataset.pi, part.u, dataset.classes).to_dict()


def _per_symbol(dataset: Dataset, right: npt.NDArray[np.float64]) -> dict[str, float | None]:
    rows = {name: right[dataset.test.symbol == number] for number, name in enumerate(dataset.symbols)}
    return {name: float(each.mean()) if len(each) else None for name, each in rows.items()}


def _baselines(
    dataset: Dataset,
    decisions: Mapping[str, npt.NDArray[np.int32]],
    linear: Probabilities,
    *,
    momentum: bool,
) -> dict[str, dict[str, Any]]:
    test = dataset.test
    prior = np.tile(dataset.pi, (len(test), 1))
    rule = decision_metrics(test.y, decisions["rsi_rule"], test.u, dataset.classes).to_dict()
    return {
        "majority": _metrics(dataset, test, prior),
        "rsi_rule": {**rule, "style": "momentum" if momentum else "reversal"},
        "linear": _metrics(dataset, test, linear),
    }


def _verdict(
    dataset: Dataset,
    right: npt.NDArray[np.float64],
    decisions: Mapping[str, npt.NDArray[np.int32]],
    seed: int,
    scored_before: int,
) -> dict[str, Any]:
    answers = {name: _beats(dataset, right, chosen, seed) for name, chosen in decisions.items()}
    return {**answers, "scored_before": scored_before, "sentence": _sentence(answers, scored_before)}


def _beats(dataset: Dataset, right: npt.NDArray[np.float64], rival: npt.NDArray[np.int32], seed: int) -> str:
    difference = right - (rival == dataset.test.y)
    interval = mean_interval(difference, dataset.test.time, dataset.horizon, seed)
    if interval is None:
        return "too few dates"
    if interval.low <= 0 <= interval.high:
        return "not distinguishable"
    return "yes" if interval.low > 0 else "no"


def _sentence(answers: Mapping[str, str], scored_before: int) -> str:
    parts = [
        f"{phrase} {' or '.join(RIVALS[name] for name, answer in answers.items() if answer == key)}"
        for key, phrase in VERDICTS.items()
        if key in answers.values()
    ]
    return f"{', '.join(parts)} on the test period ({_ordinal(scored_before + 1)} model scored on it)"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ending}"
