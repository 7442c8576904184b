"""The compiled program: minibatches, validation, patience and best weights, all on the device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


def forward(weights: Mapping[str, jax.Array], x: jax.Array, activation: str, drop: Callable[[jax.Array, int], jax.Array]) -> jax.Array:
    """Return logits [n, K]; `drop` is applied after each hidden layer."""
    layers = len(weights) // 2
    function = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": lambda v: jax.nn.gelu(v, approximate=False)}[activation]
    values = x
    for layer in range(layers):
        values = values @ weights[f"layer{layer}.weight"] + weights[f"layer{layer}.bias"]
        if layer < layers - 1:
            values = drop(function(values), layer)
    return values


def make_optimizer(config: TrainingConfig, steps: int) -> optax.GradientTransformation:
    """Return adam or adamw with the configured schedule and clipping."""
    rate = optax.cosine_decay_schedule(config.learning_rate, steps) if config.schedule == "cosine" else config.learning_rate
    if config.optimizer == "adamw":
        rule = optax.adamw(rate, weight_decay=config.weight_decay)
    else:
        rule = optax.adam(rate)
    clip = [optax.clip_by_global_norm(config.gradient_clip)] if config.gradient_clip else []
    return optax.chain(*clip, rule)


def build_program(config: TrainingConfig, batches: int, batch: int, *, analytics: bool) -> Program:
    """Compile nothing yet; return the functions for `batches` batches of `batch` rows an epoch."""
    optimizer = make_optimizer(config, batches * config.epochs)

    def batch_loss(weights: Weights, rows: Rows, seeds: jax.Array, number: jax.Array) -> jax.Array:
        def drop(values: jax.Array, layer: int) -> jax.Array:
            if not config.dropout:
                return values
            return values * keep_mask((values.shape[0], values.shape[1]), config.dropout, seeds, number, layer)

        logits = forward(weights, rows.x, config.activation, drop)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, rows.y)
        return jnp.sum(rows.weight * losses) / batch

    def logits_of(weights: Weights, x: jax.Array) -> jax.Array:
        return forward(weights, x, config.activation, lambda values, _: values)

    def validation_loss(weights: Weights, rows: Rows) -> jax.Array:
        def block(total: jax.Array, part: Rows) -> tuple[jax.Array, None]:
            losses = optax.softmax_cross_entropy_with_integer_labels(logits_of(weights, part.x), part.y)
            return total + jnp.sum(part.weight * losses), None

        total, _ = jax.lax.scan(block, jnp.float32(0), rows)
        return total / jnp.sum(rows.weight)

    def confusion(weights: Weights, rows: Rows) -> jax.Array:
        flat = rows.x.reshape(-1, rows.x.shape[-1])
        predicted = jnp.argmax(logits_of(weights, flat), axis=1)
        counts = jnp.zeros((config.classes, config.classes))
        return counts.at[rows.y.reshape(-1), predicted].add((rows.weight.reshape(-1) > 0) * 1.0)

    def end_epoch(state: State, validation: Rows, epoch: jax.Array) -> State:
        loss = validation_loss(state.weights, validation)
        improved = loss < state.best_loss - config.min_delta
        waited = jnp.where(improved, 0, state.waited + 1)
        finite = jnp.isfinite(loss) & jnp.isfinite(state.loss_sum)
        out_of_patience = waited >= config.patience if config.patience else jnp.array(False)
        best = jax.tree.map(lambda new, old: jnp.where(improved, new, old), state.weights, state.best_weights)
        norm = state.norm_sum / batches
        state = state._replace(
            best_weights=best,
            best_loss=jnp.where(improved, loss, state.best_loss),
            best_epoch=jnp.where(improved, epoch, state.best_epoch),
            waited=waited,
            stopped=~finite | out_of_patience,
            loss_sum=jnp.float32(0),
            norm_sum=jnp.float32(0),
            train_losses=state.train_losses.at[epoch].set(state.loss_sum / batches),
            validation_losses=state.validation_losses.at[epoch].set(loss),
        )
        if not analytics:
            return state
        return state._replace(
            gradient_norms=state.gradient_norms.at[epoch].set(norm),
            confusions=state.confusions.at[epoch].set(confusion(state.weights, validation)),
        )

    def one_step(state: State, train: Rows, validation: Rows, schedule: Schedule) -> State:
        epoch, number = state.step // batches, state.step % batches
        local = epoch - schedule.first
        chosen = jax.lax.dynamic_slice(schedule.orders, (local, number * batch), (1, batch))[0]
        rows = Rows(train.x[chosen], train.y[chosen], train.weight[chosen])
        loss, gradient = jax.value_and_grad(batch_loss)(state.weights, rows, schedule.seeds[local], number)
        updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.weights)
        state = state._replace(
            step=state.step + 1,
            weights=optax.apply_updates(state.weights, updates),
            optimizer=optimizer_state,
            loss_sum=state.loss_sum + loss,
        )
        if analytics:
            state = state._replace(norm_sum=state.norm_sum + optax.global_norm(gradient))
        is_last = number == batches - 1
        return jax.lax.cond(is_last, lambda s: end_epoch(s, validation, epoch), lambda s: s, state)

    def advance(state: State, train: Rows, validation: Rows, schedule: Schedule, stop: int) -> State:
        def goes_on(current: State) -> jax.Array:
            return (current.step < stop) & ~current.stopped

        return jax.lax.while_loop(goes_on, lambda s: one_step(s, train, validation, schedule), state)

    return Program(jax.jit(advance), jax.jit(validation_loss), optimizer)
