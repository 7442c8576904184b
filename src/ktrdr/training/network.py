"""A multi-layer perceptron: named weights, and probabilities without any array library but numpy."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import erf, softmax

Weights = Mapping[str, npt.NDArray[np.float32]] | Mapping[str, npt.NDArray[np.float64]]


def initial_weights(
    inputs: int, hidden: tuple[int, ...], classes: int, seed: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Return He-uniform weights (He et al. 2015) and zero biases, from Philox(seed)."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 0xFFFFFFFF]))
    sizes = (inputs, *hidden, classes)
    weights = {}
    for layer, (rows, columns) in enumerate(pairwise(sizes)):
        bound = np.sqrt(6.0 / rows)
        weights[f"layer{layer}.weight"] = generator.uniform(-bound, bound, (rows, columns)).astype(np.float32)
        weights[f"layer{layer}.bias"] = np.zeros(columns, np.float32)
    return weights


def shapes(inputs: int, hidden: tuple[int, ...], classes: int) -> dict[str, tuple[int, ...]]:
    """Return the names of all weights and their shapes."""
    found: dict[str, tuple[int, ...]] = {}
    for layer, (rows, columns) in enumerate(pairwise((inputs, *hidden, classes))):
        found[f"layer{layer}.weight"] = (rows, columns)
        found[f"layer{layer}.bias"] = (columns,)
    return found


def predict(weights: Weights, x: npt.NDArray[np.float32], activation: str) -> npt.NDArray[np.float64]:
    """Return class probabilities float64 [n, K]."""
    layers = len(weights) // 2
    values = x.astype(np.float64)
    for layer in range(layers):
        values = values @ weights[f"layer{layer}.weight"].astype(np.float64)
        values = values + weights[f"layer{layer}.bias"]
        if layer < layers - 1:
            values = _ACTIVATIONS[activation](values)
    return np.asarray(softmax(values, axis=1))


def parameter_count(weights: Weights) -> int:
    """Return how many numbers were trained."""
    return sum(each.size for each in weights.values())


def _relu(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.maximum(values, 0.0)


def _tanh(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.tanh(values))


def _gelu(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 * values * (1.0 + erf(values / np.sqrt(2.0))))


_ACTIVATIONS = {"relu": _relu, "tanh": _tanh, "gelu": _gelu}
