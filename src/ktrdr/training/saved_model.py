"""A model read back from its files, and what it says of bars."""

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors.numpy import load

from ktrdr.features.matrix import FittedSets, feature_matrix
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.strategies.strategy import Shape, Strategy
from ktrdr.strategies.strategy_file import parse_strategy
from ktrdr.training.evaluate import corrected
from ktrdr.training.network import Weights, predict


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What is needed to use a model: its strategy, fitted sets, weights and class shares pi [K]."""

    strategy: Strategy
    fitted: FittedSets
    weights: Weights
    pi: npt.NDArray[np.float64]

    def predict(self, bars: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return class probabilities float64 [n, K]; NaN where a bar's inputs are not known."""
        x = feature_matrix(bars, self.strategy, self.fitted).x
        probabilities = predict(self.weights, x, self.strategy.model.activation)
        balanced = self.strategy.training.class_weights == "balanced"
        return corrected(probabilities, self.pi, balanced=balanced)


def load_model(catalog: ModelCatalog, name: str) -> SavedModel:
    """Return a model by its name; raises NotFound, and InputInvalid if a file is not what was saved."""
    shape = json.loads(catalog.read(name, "model.json"))
    fitted = {
        key: {each: Shape.model_validate(points) for each, points in sets.items()}
        for key, sets in shape["fitted_sets"].items()
    }
    strategy = parse_strategy(catalog.read(name, "strategy.yaml").decode(), name)
    weights = load(catalog.read(name, "weights.safetensors"))
    return SavedModel(strategy, fitted, weights, np.array(shape["pi"]))
