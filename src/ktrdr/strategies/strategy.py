"""A strategy as data: what the YAML file may say, and nothing else."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from ktrdr.strategies.bar_terms import Day
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import LabelSpec
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.section import Section

TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w")
SHAPE_POINTS = {"left": 2, "right": 2, "triangle": 3, "trapezoid": 4, "gaussian": 2}
Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
_PART = r"(?=[^/]*\w)[^\s/\\\x00-\x1f\x7f-\x9f]{1,32}"
LONGEST_SYMBOL = 80  # bytes; as a folder's name each may take three
SYMBOL = re.compile(f"{_PART}(/{_PART})?")
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


def _symbol(text: str) -> str:
    if not SYMBOL.fullmatch(text) or not text.isprintable() or len(text.encode()) > LONGEST_SYMBOL:
        raise ValueError(f"`{text}` is no symbol; one is written without spaces, as AAPL, ^GSPC or BTC/USDT")
    return text


Symbol = Annotated[str, AfterValidator(_symbol)]


class DataSection(Section):
    """Which bars: symbols, timeframe, an inclusive range of dates, and where they come from.

    Without a provider it is the one whose bars are stored, bars of one's own before others, else the sample.
    """

    symbols: tuple[Symbol, ...] = Field(min_length=1, max_length=50)
    timeframe: Timeframe = "1d"
    start: Day | None = None
    end: Day | None = None
    provider: ProviderName | None = None

    @model_validator(mode="after")
    def _range_is_in_order(self) -> "DataSection":
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("a symbol is named twice")
        return self


class Indicator(Section):
    """An indicator's type and its complete parameters; in a file both stand side by side."""

    type: str
    parameters: dict[str, int | float | str]

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "parameters" in given:
            return given
        kind = str(given.get("type"))
        if kind not in INDICATOR_SPECS:
            raise ValueError(
                f"unknown indicator type `{kind}`; known are {', '.join(sorted(INDICATOR_SPECS))}"
            )
        rest = {name: value for name, value in given.items() if name != "type"}
        if "timeframe" in rest:
            raise ValueError("an indicator on a higher timeframe is not available yet")
        parameters = INDICATOR_SPECS[kind].parameters.model_validate(rest)
        return {"type": kind, "parameters": parameters.model_dump()}


class Shape(Section):
    """A membership function; in a file `[left, 20, 40]`, `[30, 50, 70]` or `[20, 40, 60, 80]`."""

    kind: Literal["left", "right", "triangle", "trapezoid", "gaussian"]
    points: tuple[float, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: Any) -> Any:
        if not isinstance(given, list):
            return given
        if given and isinstance(given[0], str):
            return {"kind": given[0], "points": tuple(given[1:])}
        if len(given) not in {3, 4}:
            raise ValueError("a fuzzy set has 3 points (triangle) or 4 (trapezoid), or begins with its kind")
        return {"kind": "triangle" if len(given) == 3 else "trapezoid", "points": tuple(given)}

    @model_validator(mode="after")
    def _points_fit(self) -> "Shape":
        wanted = SHAPE_POINTS[self.kind]
        if len(self.points) != wanted:
            raise ValueError(f"`{self.kind}` has {wanted} numbers, not {len(self.points)}")
        if self.kind == "gaussian":
            if self.points[1] <= 0:
                raise ValueError("the width of a gaussian must be above 0")
        elif list(self.points) != sorted(self.points) or self.points[0] == self.points[-1]:
            raise ValueError(f"the points of `{self.kind}` must rise")
        return self


class QuantileSets(Section):
    """Sets fitted to the training rows: knots at the quantiles (k - 1/2)/K."""

    sets: int = Field(ge=2, le=9)
    fit: Literal["quantile"]
    names: tuple[Identifier, ...]

    @model_validator(mode="after")
    def _as_many_names(self) -> "QuantileSets":
        if len(set(self.names)) != self.sets:
            raise ValueError(f"{self.sets} sets need {self.sets} different names")
        return self


class ExplicitSets(Section):
    """Sets with given shapes, by name."""

    sets: dict[Identifier, Shape] = Field(min_length=1)


FuzzySpec = ExplicitSets | QuantileSets


class FeatureSection(Section):
    """Which earlier rows are inputs beside the present one."""

    lags: tuple[Annotated[int, Field(ge=1, le=100)], ...] = ()

    @model_validator(mode="after")
    def _lags_differ(self) -> "FeatureSection":
        if len(set(self.lags)) < len(self.lags):
            raise ValueError("a lag is named twice")
        return self


class SplitSection(Section):
    """Shares of the time line, and rows dropped after each cut."""

    train: float = Field(default=0.70, gt=0, lt=1)
    validation: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.15, gt=0, lt=1)
    embargo: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "SplitSection":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must sum to 1")
        return self


class ModelSection(Section):
    """The network: `hidden: []` is the linear model."""

    type: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = (16,)
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _hidden_layers_are_there(self) -> "ModelSection":
        if not self.hidden and (self.dropout or self.activation != "relu"):
            raise ValueError("dropout and activation have no effect without hidden layers")
        return self


class EarlyStopping(Section):
    """Stop when the validation loss has not improved by `min_delta` for `patience` epochs."""

    monitor: Literal["val_loss"] = "val_loss"
    patience: int = Field(default=20, ge=1)
    min_delta: float = Field(default=0.0001, ge=0)


class TrainingSection(Section):
    """How the network is trained."""

    epochs: int = Field(default=200, ge=1, le=100_000)
    batch_size: int = Field(default=64, ge=1, le=1_000_000)
    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = Field(default=0.001, gt=0)
    weight_decay: float = Field(default=0.0001, ge=0)
    class_weights: Literal["none", "balanced"] = "none"
    sample_weights: Literal["none", "uniqueness"] = "uniqueness"
    early_stopping: EarlyStopping | None = EarlyStopping()
    schedule: Literal["none", "cosine"] = "none"
    gradient_clip: float | None = Field(default=None, gt=0)
    seed: int = Field(default=42, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _decay_has_an_effect(self) -> "TrainingSection":
        if self.optimizer == "adam" and self.weight_decay and "weight_decay" in self.model_fields_set:
            raise ValueError("weight_decay has no effect with adam; use adamw, or leave it out")
        return self


class Strategy(Section):
    """A whole strategy: bars, indicators, fuzzy sets, labels, split, network and training."""

    name: Identifier
    description: str = Field(default="", max_length=1000)
    data: DataSection
    indicators: dict[Identifier, Indicator] = Field(min_length=1)
    fuzzy: dict[str, FuzzySpec] = Field(min_length=1)
    features: FeatureSection = FeatureSection()
    labels: LabelSpec
    split: SplitSection = SplitSection()
    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()

    @field_validator("fuzzy", mode="before")
    @classmethod
    def _tell_sets_apart(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: _fuzzy_spec(value) for key, value in given.items()}

    @model_validator(mode="after")
    def _fuzzy_keys_name_outputs(self) -> "Strategy":
        for key in self.fuzzy:
            name, _, output = key.partition(".")
            if name not in self.indicators:
                raise ValueError(f"fuzzy sets for `{key}`, but there is no indicator `{name}`")
            outputs = INDICATOR_SPECS[self.indicators[name].type].outputs
            if (output or "value") not in outputs:
                raise ValueError(f"`{key}` is not an output; `{name}` has {_output_names(name, outputs)}")
        return self


def _fuzzy_spec(value: Any) -> Any:
    if not isinstance(value, dict) or "fit" in value or isinstance(value.get("sets"), dict):
        return value
    return {"sets": value}


def _output_names(name: str, outputs: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" if each == "value" else f"`{name}.{each}`" for each in outputs)
