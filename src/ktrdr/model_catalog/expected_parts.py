"""What the parts of a model's page must be to be shown; what is more in them is kept as it is."""

from pydantic import BaseModel, ConfigDict, ValidationError

from ktrdr.errors import InputInvalid
from ktrdr.model_catalog.artefact import as_object

Figure = float | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class _Class(_Part):
    precision: Figure
    recall: Figure
    f1: Figure
    support: int


class _Symbol(_Part):
    rows: int
    log_loss_skill: Figure
    direction: Figure
    accuracy: Figure


class _Split(_Part):
    rows: int
    effective_samples: float
    accuracy: Figure = None
    balanced_accuracy: Figure = None
    lift_balanced_accuracy: Figure = None
    precision_macro: Figure = None
    f1_macro: Figure = None
    mcc: Figure = None
    log_loss_skill: Figure = None
    direction: Figure = None
    per_class: dict[str, _Class] = {}
    per_symbol: dict[str, _Symbol | float | None] = {}


class _TestSplit(_Split):
    accuracy_interval: tuple[float, float] | None
    direction_interval: tuple[float, float] | None = None


class _Baselines(_Part):
    majority: _Split
    rsi_rule: _Split
    linear: _Split


class _Verdict(_Part):
    sentence: str


class Evaluation(_Part):
    """`metrics.json`: metrics of each split, test metrics of each baseline, the verdict."""

    training_metrics: _Split
    validation_metrics: _Split
    test_metrics: _TestSplit
    baselines: _Baselines
    verdict: _Verdict


class _Report(_Part):
    warnings: tuple[str, ...]


class Training(_Part):
    """`training.json`: the operation, how it went, and what was warned of."""

    operation: str
    parameters: int
    training_time_seconds: float
    best_epoch: int
    epochs_run: int
    stopped_early: bool
    device: str
    seed: int
    report: _Report


def evaluation(name: str, data: bytes) -> dict[str, object]:
    """Return the object of `metrics.json`; raises InputInvalid unless it can be shown."""
    return _held_against(Evaluation, name, data)


def training(name: str, data: bytes) -> dict[str, object]:
    """Return the object of `training.json`; raises InputInvalid unless it can be shown."""
    return _held_against(Training, name, data)


def _held_against(model: type[BaseModel], name: str, data: bytes) -> dict[str, object]:
    shape = as_object(name, data)
    try:
        model.model_validate_json(data, strict=True)
    except ValidationError:
        raise InputInvalid(f"`{name}` is damaged", hint="train it again") from None
    return shape
