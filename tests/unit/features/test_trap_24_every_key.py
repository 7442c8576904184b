"""Whatever a strategy file says changes what is computed, or is refused; a new key needs a line here."""

import hashlib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from ktrdr.errors import InputInvalid
from ktrdr.features.dataset import build_dataset
from ktrdr.indicators.compute import compute_indicator
from ktrdr.market_data.sample import load_sample
from ktrdr.operations.context import OperationContext
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag
from ktrdr.strategies.learning import EarlyStopping, ModelSection, TrainingSection
from ktrdr.strategies.strategy import DataSection, FeatureSection, Indicator, SplitSection, Strategy
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.config import from_strategy
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.training_bars import load_training_bars
from support.operations import StillClock

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
BASE = parse_strategy(TEXT, "s.yaml").model_dump(mode="json")
SECTIONS: Mapping[str, type[BaseModel]] = {
    "data": DataSection,
    "features": FeatureSection,
    "split": SplitSection,
    "model": ModelSection,
    "training": TrainingSection,
    "training.early_stopping": EarlyStopping,
}
CHANGES: Mapping[str, dict[str, Any]] = {
    "data.symbols": {"symbols": ["IBM"]},
    "data.timeframe": {"timeframe": "1h"},
    "data.start": {"start": "2001-01-01"},
    "data.end": {"end": "2012-01-01"},
    "data.provider": {"provider": "ccxt:nowhere"},
    "features.lags": {"lags": [3]},
    "split.train": {"train": 0.6, "validation": 0.25},
    "split.validation": {"validation": 0.1, "test": 0.2},
    "split.test": {"test": 0.1, "train": 0.75},
    "split.embargo": {"embargo": 7},
    "model.hidden": {"hidden": [4]},
    "model.activation": {"activation": "tanh"},
    "model.dropout": {"dropout": 0.4},
    "training.epochs": {"epochs": 3},
    "training.batch_size": {"batch_size": 16},
    "training.optimizer": {"optimizer": "adam", "weight_decay": 0.0},
    "training.learning_rate": {"learning_rate": 0.1},
    "training.weight_decay": {"weight_decay": 0.1},
    "training.class_weights": {"class_weights": "balanced"},
    "training.sample_weights": {"sample_weights": "none"},
    "training.early_stopping": {"early_stopping": None},
    "training.schedule": {"schedule": "cosine"},
    "training.gradient_clip": {"gradient_clip": 1.0},
    "training.seed": {"seed": 7},
    "training.early_stopping.patience": {"patience": 3},
    "training.early_stopping.min_delta": {"min_delta": 0.5},
}
LABELS = {"triple_barrier": TripleBarrier, "forward_return": ForwardReturn, "zigzag": Zigzag}


def has_a_choice(annotation: object) -> bool:
    """Tell whether a key can be said in more than one way."""
    return typing.get_origin(annotation) is not Literal or len(typing.get_args(annotation)) > 1


def keys(prefix: str, model: type[BaseModel]) -> list[str]:
    chosen = [name for name, field in model.model_fields.items() if has_a_choice(field.annotation)]
    return [f"{prefix}.{name}" for name in chosen]


def another(value: Any, annotation: object) -> Any:
    """Return a valid value that is not this one."""
    if typing.get_origin(annotation) is Literal:
        return next(each for each in typing.get_args(annotation) if each != value)
    return value + 3 if isinstance(value, int) else value * 0.5


def outcome(document: dict[str, Any], folder: Path) -> str:
    """Return a digest of everything a strategy decides before training, or why it is refused."""
    strategy = Strategy.model_validate(document)
    context = OperationContext(
        operation_id="op",
        fence=1,
        emit=lambda _: None,
        cancelled=lambda: False,
        clock=StillClock(),
        work_folder=folder,
    )
    try:
        loaded = load_training_bars(strategy.data, context, Folders(folder, folder, folder))
    except InputInvalid as error:
        return error.message
    bars = {name: each.bars for name, each in loaded.items()}
    dataset = build_dataset(bars, strategy)
    digest = hashlib.sha256(repr(from_strategy(strategy, len(dataset.classes))).encode())
    for part in (dataset.train, dataset.validation, dataset.test):
        for values in (part.x, part.y, part.weight, part.time):
            digest.update(values.tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> str:
    return outcome(BASE, tmp_path_factory.mktemp("bars"))


def test_trap_24_every_key_of_every_section_is_listed() -> None:
    listed = [key for prefix, model in SECTIONS.items() for key in keys(prefix, model)]
    assert sorted(listed) == sorted(CHANGES)


@pytest.mark.parametrize("key", CHANGES)
def test_trap_24_a_key_of_a_section_has_an_effect(key: str, unchanged: str, tmp_path: Path) -> None:
    section, _, _ = key.rpartition(".")
    document = {**BASE, "data": dict(BASE["data"])}
    if section == "training.early_stopping":
        stopping = {**BASE["training"]["early_stopping"], **CHANGES[key]}
        document["training"] = {**BASE["training"], "early_stopping": stopping}
    else:
        document[section] = {**BASE[section], **CHANGES[key]}
    assert outcome(document, tmp_path) != unchanged


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, model in LABELS.items() for key in keys(kind, model)]
)
def test_trap_24_a_key_of_a_label_has_an_effect(kind: str, key: str, tmp_path: Path) -> None:
    name = key.rpartition(".")[2]
    spec = LABELS[kind].model_validate({"type": kind})
    changed = another(getattr(spec, name), LABELS[kind].model_fields[name].annotation)
    before = {**BASE, "labels": spec.model_dump(mode="json")}
    after = {**BASE, "labels": {**spec.model_dump(mode="json"), name: changed}}
    assert outcome(before, tmp_path) != outcome(after, tmp_path)


@pytest.mark.parametrize(
    ("kind", "key"),
    [(kind, key) for kind, spec in INDICATOR_SPECS.items() for key in keys(kind, spec.parameters)],
)
def test_trap_24_a_parameter_of_an_indicator_has_an_effect(kind: str, key: str) -> None:
    name = key.rpartition(".")[2]
    plain = Indicator.model_validate({"type": kind})
    annotation = INDICATOR_SPECS[kind].parameters.model_fields[name].annotation
    changed = Indicator.model_validate({"type": kind, name: another(plain.parameters[name], annotation)})
    one, two = (compute_indicator(load_sample("AAPL"), each) for each in (plain, changed))
    assert any(one[output].tobytes() != two[output].tobytes() for output in one)
