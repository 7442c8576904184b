"""A model read back from its files, and what it and its opponents say of bars.

`model.json` carries the number of its layout. Layout 1 had no number and no saved baselines; it is read for
ever. A layout of a later ktrdr is refused, never guessed at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors.numpy import load

from ktrdr.errors import InputInvalid
from ktrdr.features.matrix import FittedSets, feature_matrix
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.strategies.fuzzy_spec import Shape
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.baselines import Baselines, RsiRule
from ktrdr.training.evaluate import corrected
from ktrdr.training.network import Weights, predict

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
    shape = json.loads(catalog.read(name, "model.json"))
    schema = _known_schema(shape, name)
    fitted = {
        key: {each: Shape.model_validate(points) for each, points in sets.items()}
        for key, sets in shape["fitted_sets"].items()
    }
    strategy = parse_strategy(catalog.read(name, "strategy.yaml").decode(), name)
    weights = load(catalog.read(name, "weights.safetensors"))
    pi = np.array(shape["pi"])
    baselines = None if schema == FIRST_SCHEMA else _baselines(catalog, name, pi)
    return SavedModel(strategy, fitted, weights, pi, baselines)


def _baselines(catalog: ModelCatalog, name: str, pi: npt.NDArray[np.float64]) -> Baselines:
    rule = RsiRule.from_dict(json.loads(catalog.read(name, BASELINES_FILE))["rsi_rule"])
    return Baselines(pi, rule, load(catalog.read(name, LINEAR_FILE)))


def _known_schema(shape: Mapping[str, Any], name: str) -> int:
    schema = int(shape.get("schema", FIRST_SCHEMA))
    if schema > SCHEMA:
        raise InputInvalid(
            f"model `{name}` has layout {schema}, this ktrdr reads up to {SCHEMA}", hint="use a newer ktrdr"
        )
    return schema
