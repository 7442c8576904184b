"""A model read back from its files, and what it and its opponents say of bars.

`model.json` carries the number of its layout. Layout 1 had no number and no saved baselines; it is read for
ever. A layout of a later ktrdr is refused, never guessed at.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from numpy.typing import DTypeLike
from pydantic import BaseModel, ConfigDict, Field

from ktrdr.errors import InputInvalid
from ktrdr.features.matrix import FittedSets, feature_matrix
from ktrdr.invalid_fields import check
from ktrdr.model_catalog.artefact import LARGEST_TEXT, as_object
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.strategies.fuzzy_spec import Shape
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.baselines import Baselines, RsiRule
from ktrdr.training.evaluate import corrected
from ktrdr.training.network import Weights, predict, shapes
from ktrdr.training.tensors import Tensors, largest_file, read_tensors

SCHEMA = 2
FIRST_SCHEMA = 1
LINEAR_FILE, BASELINES_FILE = "linear.safetensors", "baselines.json"


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What is needed to use a model: strategy, fitted sets, weights, class shares pi [K], opponents."""

    strategy: Strategy
    fitted: FittedSets
    weights: Weights
    pi: npt.NDArray[np.float64]
    baselines: Baselines | None

    def predict(self, bars: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return class probabilities float64 [n, K]; NaN where a bar's inputs are not known."""
        x = feature_matrix(bars, self.strategy, self.fitted).x
        probabilities = predict(self.weights, x, self.strategy.model.activation)
        balanced = self.strategy.training.class_weights == "balanced"
        return corrected(probabilities, self.pi, balanced=balanced)

    def predict_baselines(self, bars: pl.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
        """Return what each opponent says of bars [n, K]; nothing for a model saved without them."""
        if self.baselines is None:
            return {}
        table = feature_matrix(bars, self.strategy, self.fitted)
        return self.baselines.predict(table.x, table.rsi)


def load_model(catalog: ModelCatalog, name: str) -> SavedModel:
    """Return a model by its name; raises NotFound, and InputInvalid if a file is not what was saved."""
    shape = _description(catalog, name)
    strategy = parse_strategy(_text(catalog, name, "strategy.yaml"), name)
    inputs, classes = len(shape.features), len(shape.classes)
    wanted = shapes(inputs, strategy.model.hidden, classes)
    weights = _tensors(catalog, name, "weights.safetensors", wanted, np.float32)
    pi = np.array(shape.pi)
    has_baselines = shape.layout > FIRST_SCHEMA
    baselines = _baselines(catalog, name, pi, shapes(inputs, (), classes)) if has_baselines else None
    return SavedModel(strategy, shape.fitted_sets, weights, pi, baselines)


class _Description(BaseModel):
    """What of `model.json` is needed to use a model."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    layout: int = Field(default=FIRST_SCHEMA, alias="schema")
    features: tuple[str, ...]
    classes: tuple[str, ...]
    fitted_sets: dict[str, dict[str, Shape]]
    pi: tuple[float, ...]


def _description(catalog: ModelCatalog, name: str) -> _Description:
    shape = as_object("model.json", catalog.read(name, "model.json", LARGEST_TEXT))
    layout = shape.get("schema", FIRST_SCHEMA)
    if isinstance(layout, int) and layout > SCHEMA:
        raise InputInvalid(
            f"model `{name}` has layout {layout}, this ktrdr reads up to {SCHEMA}", hint="use a newer ktrdr"
        )
    check(_Description, shape)
    description = _Description.model_validate(shape)
    if len(description.pi) != len(description.classes):
        raise InputInvalid(f"model `{name}` is damaged: a class has no share", hint="train it again")
    return description


def _text(catalog: ModelCatalog, name: str, file: str) -> str:
    return catalog.read(name, file, LARGEST_TEXT).decode(errors="replace")


def _tensors(
    catalog: ModelCatalog, name: str, file: str, wanted: Mapping[str, tuple[int, ...]], dtype: DTypeLike
) -> Tensors:
    expected = {each: (shape, np.dtype(dtype)) for each, shape in wanted.items()}
    return read_tensors(catalog.read(name, file, largest_file(expected)), expected, f"{name}/{file}")


def _baselines(
    catalog: ModelCatalog, name: str, pi: npt.NDArray[np.float64], wanted: Mapping[str, tuple[int, ...]]
) -> Baselines:
    shape = as_object(BASELINES_FILE, catalog.read(name, BASELINES_FILE, LARGEST_TEXT))
    try:
        rule = RsiRule.from_dict(shape["rsi_rule"])
    except (LookupError, TypeError, ValueError):
        raise InputInvalid(f"`{name}/{BASELINES_FILE}` is damaged", hint="train it again") from None
    return Baselines(pi, rule, _tensors(catalog, name, LINEAR_FILE, wanted, np.float64))
