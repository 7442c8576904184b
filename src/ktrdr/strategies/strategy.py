"""A strategy as data: what the YAML file may say, and nothing else."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ktrdr.strategies.bar_terms import Day
from ktrdr.strategies.fuzzy_spec import FuzzySpec
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS, IndicatorSpec
from ktrdr.strategies.label_spec import LabelSpec
from ktrdr.strategies.learning import ModelSection, TrainingSection
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.section import Identifier, Section

TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w")
Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
_PART = r"(?=[^/]*\w)[^\s/\\\x00-\x1f\x7f-\x9f]{1,32}"
LONGEST_SYMBOL = 80  # bytes; as a folder's name each may take three
UNKNOWN_INDICATOR = "unknown_indicator_type"
SYMBOL = re.compile(f"{_PART}(/{_PART})?")


def _symbol(text: str) -> str:
    if not SYMBOL.fullmatch(text) or not text.isprintable() or len(text.encode()) > LONGEST_SYMBOL:
        raise ValueError(f"`{text}` is no symbol; one is written without spaces, as AAPL, ^GSPC or BTC/USDT")
    return text


Symbol = Annotated[str, AfterValidator(_symbol)]


def _named_twice(names: Sequence[object]) -> object:
    """Return the first name that stands there before, or None."""
    return next((each for place, each in enumerate(names) if each in names[:place]), None)


class DataSection(Section):
    """Which bars: symbols, timeframe, an inclusive range of dates, and where they come from.

    Without a provider it is the one whose bars are stored, bars of one's own before others, else the sample.
    """

    symbols: tuple[Symbol, ...] = Field(min_length=1, max_length=50, description="Whose bars, as AAPL.")
    timeframe: Timeframe = Field(default="1d", description="How long a bar is.")
    start: Day | None = Field(default=None, description="The first date; `null`: as early as there are bars.")
    end: Day | None = Field(default=None, description="The last date, included; `null`: until now.")
    provider: ProviderName | None = Field(
        default=None, description="Where bars come from; `null`: where bars are stored, else the sample."
    )

    @model_validator(mode="after")
    def _range_is_in_order(self) -> "DataSection":
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        if (twice := _named_twice(self.symbols)) is not None:
            raise ValueError(f"symbols names {twice} twice")
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
            raise PydanticCustomError(UNKNOWN_INDICATOR, "unknown indicator type `{type}`", {"type": kind})
        rest = {name: value for name, value in given.items() if name != "type"}
        parameters = INDICATOR_SPECS[kind].parameters.model_validate(rest)
        return {"type": kind, "parameters": parameters.model_dump()}


class FeatureSection(Section):
    """Which earlier rows are inputs beside the present one."""

    lags: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        default=(), description="How many bars back; each adds all inputs once more."
    )

    @model_validator(mode="after")
    def _lags_differ(self) -> "FeatureSection":
        if (twice := _named_twice(self.lags)) is not None:
            raise ValueError(f"lags names {twice} twice")
        return self


class SplitSection(Section):
    """Shares of the time line, and rows dropped after each cut."""

    train: float = Field(default=0.70, gt=0, lt=1, description="Share that is learned from, the earliest.")
    validation: float = Field(default=0.15, gt=0, lt=1, description="Share that says when to stop.")
    test: float = Field(default=0.15, gt=0, lt=1, description="Share that is judged on, the latest.")
    embargo: int = Field(default=0, ge=0, description="Bars left out after each cut.")

    @model_validator(mode="after")
    def _is_whole(self) -> "SplitSection":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must sum to 1")
        return self


class Strategy(Section):
    """A whole strategy: bars, indicators, fuzzy sets, labels, split, network and training."""

    name: Identifier = Field(description="What models trained from it are called.")
    description: str = Field(default="", max_length=1000, description="What it is about, in your words.")
    data: DataSection
    indicators: dict[Identifier, Indicator] = Field(min_length=1)
    fuzzy: dict[str, FuzzySpec] = Field(min_length=1)
    features: FeatureSection = FeatureSection()
    labels: LabelSpec
    split: SplitSection = SplitSection()
    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()

    @model_validator(mode="after")
    def _fuzzy_keys_name_outputs(self) -> "Strategy":
        for key in self.fuzzy:
            if problem := output_problem(key, self.indicators):
                raise ValueError(problem)
        return self


def spec_of(strategy: Strategy, key: str) -> IndicatorSpec:
    """Return what is known of the indicator whose output a key of `fuzzy` names."""
    return INDICATOR_SPECS[strategy.indicators[key.partition(".")[0]].type]


def output_problem(key: str, indicators: Mapping[str, Indicator]) -> str | None:
    """Return why a key of `fuzzy` names no output of an indicator, or None."""
    name, _, output = key.partition(".")
    if name not in indicators:
        return f"fuzzy sets for `{key}`, but there is no indicator `{name}`"
    outputs = INDICATOR_SPECS[indicators[name].type].outputs
    if (output or "value") in outputs:
        return None
    return f"`{key}` is not an output; `{name}` has {_output_names(name, outputs)}"


def _output_names(name: str, outputs: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" if each == "value" else f"`{name}.{each}`" for each in outputs)
