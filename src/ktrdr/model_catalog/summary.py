"""What tells one model from another, gathered from its files; what they do not say is None."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrdr.errors import InputInvalid
from ktrdr.model_catalog.artefact import LARGEST_TEXT, read_bytes, read_json
from ktrdr.strategies.reading.located_yaml import read_yaml

ANSWERS = frozenset({"yes", "no", "not distinguishable", "too few dates"})
LABEL_SIZES = ("horizon", "threshold")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model's bars, label, seed and network, what it reached on its test period, verdicts by opponent."""

    symbols: tuple[str, ...]
    timeframe: str | None
    label: str | None
    seed: int | None
    skill: float | None
    direction: float | None
    accuracy: float | None
    verdicts: Mapping[str, str]
    classes: tuple[str, ...]
    inputs: int
    hidden: tuple[int, ...]


def summarise(folder: Path, model: Mapping[str, Any]) -> ModelSummary:
    """Return the summary of the model in a folder, whose `model.json` is given."""
    metrics: Mapping[str, Any] = {}
    strategy: Mapping[str, Any] = {}
    with suppress(InputInvalid):
        metrics = read_json(folder / "metrics.json")
    with suppress(InputInvalid):
        strategy = _strategy(folder / "strategy.yaml")
    test, training = _part(metrics, "test_metrics"), _part(strategy, "training")
    hidden = _list(_part(model, "architecture"), "hidden")
    return ModelSummary(
        symbols=_texts(model, "symbols"),
        timeframe=_text(_part(model, "test_period").get("timeframe")),
        label=_label(_part(strategy, "labels")),
        seed=_whole(training.get("seed")),
        skill=_number(test.get("log_loss_skill")),
        direction=_number(test.get("direction")),
        accuracy=_number(test.get("accuracy", model.get("test_accuracy"))),
        verdicts={name: each for name, each in _part(metrics, "verdict").items() if _is_answer(each)},
        classes=_texts(model, "classes"),
        inputs=len(_list(model, "features")),
        hidden=tuple(each for each in hidden if _whole(each) is not None),
    )


def _strategy(file: Path) -> Mapping[str, Any]:
    text = read_bytes(file, LARGEST_TEXT).decode(errors="replace")
    value = read_yaml(text, file.name).value
    return value if isinstance(value, dict) else {}


def _label(labels: Mapping[str, Any]) -> str | None:
    """Return `triple_barrier 10` or `zigzag 0.05`."""
    kind = _text(labels.get("type"))
    sizes = [_number(labels.get(name)) for name in LABEL_SIZES if name in labels]
    return kind if kind is None or not sizes or sizes[0] is None else f"{kind} {sizes[0]:g}"


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _list(whole: Mapping[str, Any], name: str) -> list[Any]:
    part = whole.get(name)
    return part if isinstance(part, list) else []


def _texts(whole: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(each for each in _list(whole, name) if isinstance(each, str))


def _is_answer(value: object) -> bool:
    return isinstance(value, str) and value in ANSWERS


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None
