"""The linear baseline: softmax regression to convergence, by a rule of its own.

It has no epochs, no seed and no class weights: whatever a strategy says of its own training, the opponent is
the same. Minimised is the u-weighted mean loss + ½·0.01·|W|², the bias free; the minimum is unique but for a
constant added to every bias.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktrdr.training.network import Weights

PENALTY = 0.01
GRADIENT_NORM = 1e-6
MOST_ITERATIONS = 1000
REMEMBERED, MOST_HALVINGS, SUFFICIENT = 10, 40, 1e-4

Column = npt.NDArray[np.float64]
Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Weights float64 named as a network's without hidden layers, and how they came about."""

    weights: Weights
    iterations: int
    gradient_norm: float
    seconds: float

    @property
    def has_converged(self) -> bool:
        """Tell that the gradient is as small as it has to be."""
        return self.gradient_norm <= GRADIENT_NORM


def fit_linear(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.int32],
    u: Column,
    classes: int,
    *,
    on_iteration: Callable[[int, float], None] = lambda _number, _norm: None,
) -> LinearFit:
    """Return the regression of classes y [n] on inputs x [n, f] under weights u [n].

    `on_iteration` hears the number of the iteration and the gradient's norm; what it raises ends the work.
    """
    began = time.perf_counter()
    loss = _Loss(x, y, u, classes)
    scaled, iterations = _minimise(loss, on_iteration)
    solution = loss.weights(scaled)
    named = {"layer0.weight": solution[:-1], "layer0.bias": solution[-1]}
    return LinearFit(named, iterations, loss.gradient_norm, time.perf_counter() - began)


def _minimise(loss: "_Loss", on_iteration: Callable[[int, float], None]) -> tuple[Column, int]:
    """Return where the gradient is small enough, and the iterations: L-BFGS (Nocedal 1980) with halved steps.

    It is written out because importing an optimiser takes longer than all the iterations of most trainings.
    """
    point, memory, number = loss.start(), deque[tuple[Column, Column]](maxlen=REMEMBERED), 0
    value, gradient = loss(point)
    while loss.gradient_norm > GRADIENT_NORM and number < MOST_ITERATIONS:
        step = -_curved(gradient, memory)
        slope = float(gradient @ step)
        for _ in range(MOST_HALVINGS):
            new_value, new_gradient = loss(point + step)
            if new_value <= value + SUFFICIENT * slope:
                break
            step, slope = step / 2, slope / 2
        if step @ (new_gradient - gradient) > 0:
            memory.append((step, new_gradient - gradient))
        point, value, gradient, number = point + step, new_value, new_gradient, number + 1
        on_iteration(number, loss.gradient_norm)
    return point, number


def _curved(gradient: Column, memory: Iterable[tuple[Column, Column]]) -> Column:
    """Return the gradient times the inverse curvature that the remembered steps and gradients show."""
    kept, direction = [], gradient
    for step, change in reversed(list(memory)):
        share = float(step @ direction) / float(step @ change)
        kept.append((step, change, share))
        direction = direction - share * change
    for step, change, share in reversed(kept):
        direction = direction + (share - float(change @ direction) / float(step @ change)) * step
    return direction


class _Loss:
    """Loss and gradient in scaled coordinates, in which the curvature is nearly that of a ball.

    Fuzzy sets of one indicator are nearly collinear; the Cholesky factor of the second moments makes a
    handful of iterations of what would be fifty.
    """

    def __init__(self, x: npt.NDArray[np.float32], y: npt.NDArray[np.int32], u: Column, classes: int) -> None:
        self._x = np.column_stack([x.astype(np.float64), np.ones(len(x))])
        self._rows, self._y, self._classes = np.arange(len(y)), y, classes
        self._share = u / u.sum()
        self._penalty = np.append(np.full(x.shape[1], PENALTY), 0.0)
        moments = self._x.T @ (self._x * self._share[:, None])
        factor = np.linalg.cholesky(moments / classes + np.diag(self._penalty))
        self._scale: Table = np.linalg.inv(factor).T
        self.gradient_norm = float("inf")

    def start(self) -> Column:
        """Return the scaled weights whose probabilities are the class shares."""
        shares = np.bincount(self._y, self._share, self._classes)
        weights = np.zeros((self._x.shape[1], self._classes))
        weights[-1] = np.log(np.maximum(shares, 1e-12))
        return np.asarray(np.linalg.solve(self._scale, weights).ravel())

    def weights(self, scaled: Column) -> Table:
        """Return weights and, in the last row, biases [f + 1, K]."""
        return np.asarray(self._scale @ scaled.reshape(-1, self._classes))

    def __call__(self, scaled: Column) -> tuple[float, Column]:
        weights = self.weights(scaled)
        logits = self._x @ weights
        logits -= logits.max(axis=1, keepdims=True)
        true = logits[self._rows, self._y]
        np.exp(logits, out=logits)
        total = logits.sum(axis=1)
        penalised = self._penalty[:, None] * weights
        loss = float(self._share @ (np.log(total) - true) + 0.5 * (penalised * weights).sum())
        logits *= (self._share / total)[:, None]
        logits[self._rows, self._y] -= self._share
        gradient = self._x.T @ logits + penalised
        self.gradient_norm = float(np.linalg.norm(gradient))
        return loss, (self._scale.T @ gradient).ravel()
