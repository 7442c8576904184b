"""A bare compiled loop, as one would write it by hand: one `jax.jit` of a `fori_loop` an epoch, and no more.

No progress, cancellation, checkpoints, early stopping or history. Rows, layers, batches, dropout, optimiser,
shuffling and the validation loss of each epoch are those of the operation it is a baseline of. Prints the
seconds from rows in memory to final weights, compilation included.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ktrdr.training.config import TrainingConfig
from ktrdr.training.dropout import keep_mask
from ktrdr.training.network import initial_weights
from ktrdr.training.program import forward, make_optimizer
from ktrdr.training.records import Samples

Weights = dict[str, jax.Array]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Training rows, validation rows, inputs and epochs."""

    rows: int
    checks: int
    inputs: int
    epochs: int

    @property
    def samples(self) -> int:
        """Return how many rows are trained on in all epochs."""
        return self.rows * self.epochs

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments of this module."""
        return tuple(map(str, astuple(self)))


def random_samples(count: int, inputs: int) -> Samples:
    """Return random rows of three classes."""
    generator = np.random.default_rng(7)
    x = generator.random((count, inputs), dtype=np.float32)
    return Samples(x, generator.integers(0, 3, count).astype(np.int32), np.ones(count))


def compiled_epoch(config: TrainingConfig, optimizer: optax.GradientTransformation) -> Callable[..., Any]:
    """Return the function of one epoch: weights and optimiser state in and out."""
    size = config.batch_size

    def loss_of(
        weights: Weights, rows: tuple[jax.Array, ...], seeds: jax.Array, step: jax.Array
    ) -> jax.Array:
        x, y, weight = rows

        def drop(values: jax.Array, layer: int) -> jax.Array:
            return values * keep_mask((len(values), values.shape[1]), config.dropout, seeds, step, layer)

        logits = forward(weights, x, config.activation, drop)
        return jnp.mean(weight * optax.softmax_cross_entropy_with_integer_labels(logits, y))

    def epoch(
        weights: Weights, state: Any, data: tuple[jax.Array, ...], order: jax.Array, seeds: jax.Array
    ) -> Any:
        def step(number: int, carry: tuple[Weights, Any]) -> tuple[Weights, Any]:
            weights, state = carry
            chosen = jax.lax.dynamic_slice(order, (number * size,), (size,))
            rows = tuple(column[chosen] for column in data)
            gradient = jax.grad(loss_of)(weights, rows, seeds, jnp.int32(number))
            updates, state = optimizer.update(gradient, state, weights)
            return optax.apply_updates(weights, updates), state

        return jax.lax.fori_loop(0, len(order) // size, step, (weights, state))

    return jax.jit(epoch)


@jax.jit
def validation_loss(weights: Weights, data: tuple[jax.Array, ...]) -> jax.Array:
    """Return the mean loss of the validation rows."""
    x, y, weight = data
    logits = forward(weights, x, "relu", lambda values, _: values)
    return jnp.mean(weight * optax.softmax_cross_entropy_with_integer_labels(logits, y))


def run(config: TrainingConfig, training: Samples, validation: Samples) -> float:
    """Train and return the last validation loss."""
    data, checks = (
        (jnp.asarray(each.x), jnp.asarray(each.y), jnp.asarray(each.weight, jnp.float32))
        for each in (training, validation)
    )
    given = initial_weights(training.x.shape[1], config.hidden, config.classes, config.seed)
    weights = {name: jnp.asarray(values) for name, values in given.items()}
    count = len(training.y)
    optimizer = make_optimizer(config, config.epochs * -(-count // config.batch_size))
    state, epoch, loss = optimizer.init(weights), compiled_epoch(config, optimizer), 0.0
    generator = np.random.default_rng(config.seed)
    for _ in range(config.epochs):
        order = np.resize(generator.permutation(count).astype(np.int32), _padded(count, config.batch_size))
        seeds = jnp.asarray(generator.integers(0, 2**32, 2, dtype=np.uint32))
        weights, state = epoch(weights, state, data, jnp.asarray(order), seeds)
        loss = float(validation_loss(weights, checks))
    return loss


def _padded(count: int, batch: int) -> int:
    return -(-count // batch) * batch


def main() -> None:
    """Print the seconds of one run."""
    parser = argparse.ArgumentParser()
    for name in Shapes.__dataclass_fields__:
        parser.add_argument(name, type=int)
    shapes = Shapes(**vars(parser.parse_args()))
    config = TrainingConfig(
        3, (64, 32), "relu", 0.2, shapes.epochs, 64, "adamw", 1e-3, 1e-4, "none", None, None, 0.0, 42
    )
    training = random_samples(shapes.rows, shapes.inputs)
    validation = random_samples(shapes.checks, shapes.inputs)
    began = time.perf_counter()
    run(config, training, validation)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
