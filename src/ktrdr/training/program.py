"""The compiled program: minibatches, validation, patience and best weights, all on the device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ktrdr.training.config import TrainingConfig
from ktrdr.training.dropout import keep_mask

VALIDATION_BLOCK = 4096
Weights = dict[str, jax.Array]


class State(NamedTuple):
    """Everything that changes: saved and restored as it stands."""

    step: jax.Array
    weights: Weights
    optimizer: Any
    best_weights: Weights
    best_loss: jax.Array
    best_epoch: jax.Array
    waited: jax.Array
    stopped: jax.Array
    loss_sum: jax.Array
    norm_sum: jax.Array
    train_losses: jax.Array
    validation_losses: jax.Array
    gradient_norms: jax.Array
    confusions: jax.Array


class Moving(NamedTuple):
    """What every step changes; the rest of the state only changes where an epoch ends."""

    weights: Weights
    optimizer: Any
    loss_sum: jax.Array
    norm_sum: jax.Array


class Rows(NamedTuple):
    """Rows on the device; the last training row has weight 0 and fills incomplete batches."""

    x: jax.Array
    y: jax.Array
    weight: jax.Array


class Schedule(NamedTuple):
    """The order of rows and the dropout seeds of the epochs from `first` on."""

    first: jax.Array
    orders: jax.Array
    seeds: jax.Array


@dataclass(frozen=True, slots=True)
class Program:
    """`advance(state, train, validation, schedule, stop)` runs up to global step `stop`."""

    advance: Callable[[State, Rows, Rows, Schedule, int], State]
    validation_loss: Callable[[Weights, Rows], jax.Array]
    optimizer: optax.GradientTransformation


def forward(
    weights: Mapping[str, jax.Array],
    x: jax.Array,
    activation: str,
    drop: Callable[[jax.Array, int], jax.Array],
) -> jax.Array:
    """Return logits [n, K]; `drop` is applied after each hidden layer."""
    layers = len(weights) // 2
    function = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": _gelu}[activation]
    values = x
    for layer in range(layers):
        values = values @ weights[f"layer{layer}.weight"] + weights[f"layer{layer}.bias"]
        if layer < layers - 1:
            values = drop(function(values), layer)
    return values


def _gelu(values: jax.Array) -> jax.Array:
    return jax.nn.gelu(values, approximate=False)


def make_optimizer(config: TrainingConfig, steps: int) -> optax.GradientTransformation:
    """Return adam or adamw with the configured schedule and clipping."""
    rate = (
        optax.cosine_decay_schedule(config.learning_rate, steps)
        if config.schedule == "cosine"
        else config.learning_rate
    )
    if config.optimizer == "adamw":
        rule = optax.adamw(rate, weight_decay=config.weight_decay)
    else:
        rule = optax.adam(rate)
    clip = [optax.clip_by_global_norm(config.gradient_clip)] if config.gradient_clip else []
    return optax.chain(*clip, rule)


@cache
def build_program(config: TrainingConfig, batches: int, batch: int, *, analytics: bool) -> Program:
    """Return the functions for `batches` batches of `batch` rows an epoch; they compile when first called.

    The same configuration gives the same functions, so that a process compiles them once for rows of one
    shape; they do not depend on the seed.
    """
    optimizer = make_optimizer(config, batches * config.epochs)
    functions = _Functions(config, batches, batch, optimizer, analytics)
    return Program(jax.jit(functions.advance), jax.jit(functions.validation_loss), optimizer)


@dataclass(frozen=True, slots=True)
class _Functions:
    """The pure functions of one configuration; their fields are constants of the compiled program."""

    config: TrainingConfig
    batches: int
    batch: int
    optimizer: optax.GradientTransformation
    analytics: bool

    def advance(self, state: State, train: Rows, validation: Rows, schedule: Schedule, stop: int) -> State:
        """Run stretches of steps, each to the end of an epoch or to `stop`; more is done only there."""

        def goes_on(current: State) -> jax.Array:
            return (current.step < stop) & ~current.stopped

        def stretch(current: State) -> State:
            epoch = current.step // self.batches
            last = jnp.minimum((epoch + 1) * self.batches, stop)
            stepped = self._stepped(current, train, schedule, epoch, last)
            ended: State = jax.lax.cond(
                stepped.step % self.batches == 0,
                lambda each: self._end_epoch(each, validation, epoch),
                lambda each: each,
                stepped,
            )
            return ended

        advanced: State = jax.lax.while_loop(goes_on, stretch, state)
        return advanced

    def validation_loss(self, weights: Weights, rows: Rows) -> jax.Array:
        def block(total: jax.Array, part: Rows) -> tuple[jax.Array, None]:
            losses = optax.softmax_cross_entropy_with_integer_labels(self._logits(weights, part.x), part.y)
            return total + jnp.sum(part.weight * losses), None

        total, _ = jax.lax.scan(block, jnp.float32(0), rows)
        return jnp.asarray(total / jnp.sum(rows.weight))

    def _stepped(
        self, state: State, train: Rows, schedule: Schedule, epoch: jax.Array, last: jax.Array
    ) -> State:
        local = epoch - schedule.first
        order, seeds = schedule.orders[local], schedule.seeds[local]

        def step(number: jax.Array, moving: Moving) -> Moving:
            chosen = jax.lax.dynamic_slice(order, (number * self.batch,), (self.batch,))
            rows = Rows(train.x[chosen], train.y[chosen], train.weight[chosen])
            return self._step(moving, rows, seeds, number)

        start = epoch * self.batches
        moving = Moving(state.weights, state.optimizer, state.loss_sum, state.norm_sum)
        moved: Moving = jax.lax.fori_loop(state.step - start, last - start, step, moving)
        return state._replace(step=last, **moved._asdict())

    def _step(self, moving: Moving, rows: Rows, seeds: jax.Array, number: jax.Array) -> Moving:
        loss_of = jax.value_and_grad(self._batch_loss)
        loss, gradient = loss_of(moving.weights, rows, seeds, number)
        updates, optimizer_state = self.optimizer.update(gradient, moving.optimizer, moving.weights)
        norm = optax.tree.norm(gradient) if self.analytics else 0.0
        return Moving(
            weights=optax.apply_updates(moving.weights, updates),
            optimizer=optimizer_state,
            loss_sum=moving.loss_sum + loss,
            norm_sum=moving.norm_sum + norm,
        )

    def _batch_loss(self, weights: Weights, rows: Rows, seeds: jax.Array, number: jax.Array) -> jax.Array:
        rate = self.config.dropout

        def drop(values: jax.Array, layer: int) -> jax.Array:
            shape = (values.shape[0], values.shape[1])
            return values * keep_mask(shape, rate, seeds, number, layer) if rate else values

        logits = forward(weights, rows.x, self.config.activation, drop)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, rows.y)
        return jnp.sum(rows.weight * losses) / self.batch

    def _logits(self, weights: Weights, x: jax.Array) -> jax.Array:
        return forward(weights, x, self.config.activation, lambda values, _: values)

    def _end_epoch(self, state: State, validation: Rows, epoch: jax.Array) -> State:
        loss = self.validation_loss(state.weights, validation)
        improved = loss < state.best_loss - self.config.min_delta
        waited = jnp.where(improved, 0, state.waited + 1)
        finite = jnp.isfinite(loss) & jnp.isfinite(state.loss_sum)
        patience = self.config.patience
        ended = state._replace(
            best_weights=jax.tree.map(
                lambda new, old: jnp.where(improved, new, old), state.weights, state.best_weights
            ),
            best_loss=jnp.where(improved, loss, state.best_loss),
            best_epoch=jnp.where(improved, epoch, state.best_epoch),
            waited=waited,
            stopped=~finite | (waited >= patience if patience else jnp.array(False)),
            loss_sum=jnp.float32(0),
            norm_sum=jnp.float32(0),
            train_losses=state.train_losses.at[epoch].set(state.loss_sum / self.batches),
            validation_losses=state.validation_losses.at[epoch].set(loss),
        )
        return self._with_analytics(ended, state, validation, epoch) if self.analytics else ended

    def _with_analytics(self, ended: State, state: State, validation: Rows, epoch: jax.Array) -> State:
        return ended._replace(
            gradient_norms=ended.gradient_norms.at[epoch].set(state.norm_sum / self.batches),
            confusions=ended.confusions.at[epoch].set(self._confusion(state.weights, validation)),
        )

    def _confusion(self, weights: Weights, rows: Rows) -> jax.Array:
        flat = rows.x.reshape(-1, rows.x.shape[-1])
        predicted = jnp.argmax(self._logits(weights, flat), axis=1)
        counts = jnp.zeros((self.config.classes, self.config.classes))
        return counts.at[rows.y.reshape(-1), predicted].add((rows.weight.reshape(-1) > 0) * 1.0)
