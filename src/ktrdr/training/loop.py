"""The training loop, on one page: chunks of about 50 ms, between them progress, cancellation, checkpoints."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from ktrdr.errors import TrainingFailed
from ktrdr.training.checkpoint import CheckpointFolder
from ktrdr.training.config import TrainingConfig
from ktrdr.training.network import initial_weights, parameter_count
from ktrdr.training.program import VALIDATION_BLOCK, Program, Rows, Schedule, State, build_program
from ktrdr.training.records import EpochRow, Samples, TrainedNetwork, TrainingProgress

CHUNK_SECONDS = 0.05
CHECKPOINT_SECONDS = 1.0
ROWS_OF_ORDER = 400_000


def train(
    config: TrainingConfig,
    training: Samples,
    validation: Samples,
    *,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
    checkpoints: CheckpointFolder | None = None,
    device: jax.Device | None = None,
    analytics: bool = False,
) -> TrainedNetwork:
    """Train and return the weights of the best epoch; goes on from the newest checkpoint if there is one.

    What `on_progress` raises ends the loop after a checkpoint. Raises TrainingFailed when the loss stops
    being a number; the last good checkpoint is kept.
    """
    batches = -(-len(training.y) // config.batch_size)
    batch = -(-len(training.y) // batches)
    program = build_program(replace(config, seed=0), batches, batch, analytics=analytics)
    with jax.default_device(device):
        rows, checks = _training_rows(training), _validation_rows(validation)
        state = _initial_state(config, program, training.x.shape[1])
        if checkpoints is not None:
            state = checkpoints.restore(state)
        run = _Run(config, program, rows, checks, batches, batch, len(training.y), checkpoints)
        began = time.perf_counter()
        run.compile(state)
        compiled = time.perf_counter()
        state = run.to_the_end(state, on_progress)
        seconds = (compiled - began, time.perf_counter() - compiled)
    return _trained(run, state, seconds, analytics=analytics)


@dataclass(slots=True)
class _Run:
    """One pass through the epochs; `state` is the only thing that changes between chunks."""

    config: TrainingConfig
    program: Program
    rows: Rows
    checks: Rows
    batches: int
    batch: int
    count: int
    checkpoints: CheckpointFolder | None
    saved_at: float = float("-inf")

    def compile(self, state: State) -> None:
        """Compile, or load from the cache, all that will run: by advancing to where the state is already."""
        position = int(state.step)
        schedule = self._schedule(position // self.batches, self._epochs_a_call)
        int(self.program.advance(state, self.rows, self.checks, schedule, position).step)
        float(self.program.validation_loss(state.weights, self.checks))

    @property
    def _epochs_a_call(self) -> int:
        return max(1, min(64, ROWS_OF_ORDER // self.count, self.config.epochs))

    def to_the_end(self, state: State, on_progress: Callable[[TrainingProgress], None]) -> State:
        """Advance chunk by chunk until the last epoch or an early stop."""
        last = self.config.epochs * self.batches
        per_call = self._epochs_a_call
        chunk, good = self.batches, state
        schedule, position = self._schedule(int(state.step) // self.batches, per_call), int(state.step)
        while position < last and not bool(state.stopped):
            first = int(schedule.first)
            if position >= (first + per_call) * self.batches:
                schedule = self._schedule(position // self.batches, per_call)
                first = int(schedule.first)
            stop = min(position + chunk, (first + per_call) * self.batches, last)
            began = time.perf_counter()
            state = self.program.advance(state, self.rows, self.checks, schedule, stop)
            reached = int(state.step)
            chunk = _next_chunk(stop - position, time.perf_counter() - began)
            position = reached
            self._refuse_non_finite(state, good)
            if position % self.batches == 0:
                good = state
                self._save(good, force=False)
            self._report(state, good, on_progress)
        self._save(good, force=True)
        return state

    def _report(self, state: State, good: State, on_progress: Callable[[TrainingProgress], None]) -> None:
        goes_on = False
        try:
            on_progress(_progress(self.config, state, self.batches))
            goes_on = True
        finally:
            if not goes_on:
                self._save(good, force=True)

    def _save(self, state: State, *, force: bool) -> None:
        now = time.perf_counter()
        if self.checkpoints is not None and (force or now - self.saved_at >= CHECKPOINT_SECONDS):
            self.checkpoints.save(state, epoch=int(state.step) // self.batches)
            self.saved_at = now

    def _refuse_non_finite(self, state: State, good: State) -> None:
        epoch = max((int(state.step) - 1) // self.batches, 0)
        losses = np.asarray(state.validation_losses)[: epoch + 1]
        if (
            np.isinf(losses).any()
            or not np.isfinite(float(state.loss_sum))
            or _has_nan_loss(state, self.batches)
        ):
            self._save(good, force=True)
            raise TrainingFailed(
                f"loss became non-finite at epoch {epoch + 1}",
                hint=f"lower training.learning_rate (now {self.config.learning_rate:g})",
            )

    def _schedule(self, first: int, epochs: int) -> Schedule:
        width = self.batches * self.batch
        orders = np.full((epochs, width), self.count, np.int32)
        seeds = np.zeros((epochs, 2), np.uint32)
        for local in range(epochs):
            generator = np.random.Generator(np.random.Philox(key=[self.config.seed, first + local]))
            orders[local, : self.count] = generator.permutation(self.count)
            seeds[local] = generator.integers(0, 2**32, 2, dtype=np.uint32)
        return Schedule(jnp.int32(first), jnp.asarray(orders), jnp.asarray(seeds))


def _next_chunk(steps: int, seconds: float) -> int:
    return max(1, min(10 * steps, int(steps * CHUNK_SECONDS / max(seconds, 1e-6))))


def _has_nan_loss(state: State, batches: int) -> bool:
    finished = int(state.step) // batches
    losses = (np.asarray(state.train_losses)[:finished], np.asarray(state.validation_losses)[:finished])
    return bool(np.isnan(losses).any())


def _progress(config: TrainingConfig, state: State, batches: int) -> TrainingProgress:
    step = int(state.step)
    finished = step // batches
    known = finished > 0
    return TrainingProgress(
        epoch=min(finished + (step % batches > 0), config.epochs),
        epochs=config.epochs,
        batch=step % batches or batches,
        batches=batches,
        train_loss=float(np.asarray(state.train_losses)[finished - 1]) if known else None,
        val_loss=float(np.asarray(state.validation_losses)[finished - 1]) if known else None,
        best_loss=float(state.best_loss) if known else None,
        best_epoch=int(state.best_epoch) + 1 if known else None,
    )


def _training_rows(samples: Samples) -> Rows:
    x = np.vstack([samples.x, np.zeros((1, samples.x.shape[1]), np.float32)])
    weight = np.append(samples.weight, 0.0).astype(np.float32)
    return Rows(jnp.asarray(x), jnp.asarray(np.append(samples.y, 0)), jnp.asarray(weight))


def _validation_rows(samples: Samples) -> Rows:
    block = min(VALIDATION_BLOCK, len(samples.y))
    blocks = -(-len(samples.y) // block)
    missing = blocks * block - len(samples.y)
    x = np.pad(samples.x, ((0, missing), (0, 0))).reshape(blocks, block, -1)
    y = np.pad(samples.y, (0, missing)).reshape(blocks, block)
    weight = np.pad(samples.weight.astype(np.float32), (0, missing)).reshape(blocks, block)
    return Rows(jnp.asarray(x), jnp.asarray(y), jnp.asarray(weight))


def _initial_state(config: TrainingConfig, program: Program, inputs: int) -> State:
    given = initial_weights(inputs, config.hidden, config.classes, config.seed)
    weights = {name: jnp.asarray(values) for name, values in given.items()}
    zero, empty = jnp.float32(0), jnp.full(config.epochs, jnp.nan, jnp.float32)
    return State(
        step=jnp.int32(0),
        weights=weights,
        optimizer=program.optimizer.init(weights),
        best_weights=weights,
        best_loss=jnp.float32(jnp.inf),
        best_epoch=jnp.int32(-1),
        waited=jnp.int32(0),
        stopped=jnp.array(False),
        loss_sum=zero,
        norm_sum=zero,
        train_losses=empty,
        validation_losses=empty,
        gradient_norms=empty,
        confusions=jnp.zeros((config.epochs, config.classes, config.classes)),
    )


def _trained(run: _Run, state: State, seconds: tuple[float, float], *, analytics: bool) -> TrainedNetwork:
    config, batches = run.config, run.batches
    again = float(run.program.validation_loss(state.best_weights, run.checks))
    if not np.isclose(again, float(state.best_loss), rtol=1e-5):
        raise TrainingFailed(f"the best weights give a loss of {again:g}, not {float(state.best_loss):g}")
    weights = {name: np.asarray(values) for name, values in state.best_weights.items()}
    epochs_run = int(state.step) // batches
    return TrainedNetwork(
        weights=weights,
        history=tuple(_history(state, epochs_run, analytics)),
        best_epoch=int(state.best_epoch) + 1,
        best_loss=float(state.best_loss),
        epochs_run=epochs_run,
        stopped_early=epochs_run < config.epochs,
        parameters=parameter_count(weights),
        compile_seconds=seconds[0],
        train_seconds=seconds[1],
        device=next(iter(state.step.devices())).platform,
    )


def _history(state: State, epochs: int, analytics: bool) -> list[EpochRow]:
    train_losses, val_losses = np.asarray(state.train_losses), np.asarray(state.validation_losses)
    norms, confusions = np.asarray(state.gradient_norms), np.asarray(state.confusions).astype(int)
    return [
        EpochRow(
            epoch=epoch + 1,
            train_loss=float(train_losses[epoch]),
            val_loss=float(val_losses[epoch]),
            gradient_norm=float(norms[epoch]) if analytics else None,
            confusion=tuple(map(tuple, confusions[epoch].tolist())) if analytics else None,
        )
        for epoch in range(epochs)
    ]
