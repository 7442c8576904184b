"""The loop: best weights come back, seeds decide every byte, dropout is even."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from ktrdr.errors import OperationCancelled, TrainingFailed
from ktrdr.training.checkpoint import CheckpointFolder
from ktrdr.training.config import TrainingConfig
from ktrdr.training.dropout import keep_mask
from ktrdr.training.loop import train
from ktrdr.training.metrics import split_metrics
from ktrdr.training.network import predict
from ktrdr.training.program import build_program
from ktrdr.training.records import Samples, TrainedNetwork, TrainingProgress

CONFIG = TrainingConfig(3, (8,), "relu", 0.2, 6, 32, "adamw", 1e-2, 1e-4, "none", None, None, 0.0, 42)
CLASSES = ("BUY", "HOLD", "SELL")


def samples(count: int, seed: int) -> Samples:
    generator = np.random.default_rng(seed)
    x = generator.random((count, 5), dtype=np.float32)
    y = (x[:, 0] * 3).astype(np.int32).clip(0, 2)
    return Samples(x, y, np.ones(count))


TRAIN, CHECK = samples(500, 1), samples(200, 2)


def weights_of(network: TrainedNetwork) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in network.weights.items()}


def test_trap_20_the_best_weights_come_back_when_epochs_get_worse() -> None:
    worsening = replace(CONFIG, learning_rate=0.5, epochs=30)
    network = train(worsening, TRAIN, CHECK)
    losses = [row.val_loss for row in network.history]
    assert network.best_epoch == int(np.argmin(losses)) + 1
    p = predict(network.weights, CHECK.x, "relu")
    assert log_loss(CHECK.y, p, labels=[0, 1, 2]) == pytest.approx(network.best_loss, rel=1e-4)


def test_trap_21_a_loss_that_is_no_number_fails_and_names_the_epoch() -> None:
    with pytest.raises(TrainingFailed, match="loss became non-finite at epoch 1") as caught:
        train(replace(CONFIG, learning_rate=1e30), TRAIN, CHECK)
    assert "learning_rate" in (caught.value.hint or "")


def test_trap_22_a_cancelled_run_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    straight = train(CONFIG, TRAIN, CHECK)
    folder = CheckpointFolder(tmp_path)

    def stop(progress: TrainingProgress) -> None:
        assert progress.epoch < CONFIG.epochs, "nothing would be left to resume"
        raise OperationCancelled("enough")

    with pytest.raises(OperationCancelled):
        train(CONFIG, TRAIN, CHECK, on_progress=stop, checkpoints=folder)
    assert [each.name for each in tmp_path.iterdir()] == ["epoch-000001"]
    resumed = train(CONFIG, TRAIN, CHECK, checkpoints=folder)
    assert weights_of(resumed) == weights_of(straight)
    assert resumed.history == straight.history


def test_one_process_compiles_a_configuration_once_whatever_the_seed() -> None:
    first = train(CONFIG, TRAIN, CHECK)
    programs = build_program.cache_info().currsize
    other = train(replace(CONFIG, seed=CONFIG.seed + 1), TRAIN, CHECK)
    assert build_program.cache_info().currsize == programs
    assert weights_of(other) != weights_of(first)


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    train(CONFIG, TRAIN, CHECK, checkpoints=CheckpointFolder(tmp_path))
    for file in tmp_path.glob("*/state.safetensors"):
        file.write_bytes(b"x" + file.read_bytes()[1:])
    again = train(CONFIG, TRAIN, CHECK, checkpoints=CheckpointFolder(tmp_path))
    assert weights_of(again) == weights_of(train(CONFIG, TRAIN, CHECK))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", (4,)),
        ("activation", "tanh"),
        ("dropout", 0.5),
        ("epochs", 3),
        ("batch_size", 64),
        ("optimizer", "adam"),
        ("learning_rate", 0.02),
        ("weight_decay", 0.5),
        ("schedule", "cosine"),
        ("gradient_clip", 0.01),
        ("min_delta", 1.0),
        ("seed", 7),
    ],
)
def test_trap_24_every_training_key_changes_the_weights(name: str, value: object) -> None:
    changed = train(replace(CONFIG, **{name: value}), TRAIN, CHECK)  # type: ignore[arg-type]  # one field by name
    assert weights_of(changed) != weights_of(train(CONFIG, TRAIN, CHECK))


def test_patience_ends_a_run_that_does_not_improve() -> None:
    network = train(replace(CONFIG, epochs=200, patience=2, min_delta=10.0), TRAIN, CHECK)
    assert network.stopped_early
    assert network.epochs_run == 3


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_trap_25_dropout_keeps_its_share_and_repeats_nothing(rate: float) -> None:
    seeds = jnp.array([123, 456], jnp.uint32)
    masks = [
        np.asarray(keep_mask((64, 32), rate, seeds, jnp.int32(step), layer)).ravel()
        for step in range(8)
        for layer in range(2)
    ]
    assert np.mean(masks) == pytest.approx(1.0, abs=0.02), "the mean of what is kept is the mean of all"
    masks = [mask > 0 for mask in masks]
    assert np.mean(masks) == pytest.approx(1 - rate, abs=0.02)
    together = np.corrcoef(np.array(masks, dtype=float))
    assert np.abs(together - np.eye(len(masks))).max() < 0.12
    for shift in range(1, 40):
        assert abs(np.corrcoef(masks[0][shift:], masks[2][:-shift])[0, 1]) < 0.12


@pytest.mark.parametrize("seed", range(20))
def test_trap_19_metrics_equal_those_of_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, 300).astype(np.int32)
    p = generator.dirichlet(np.ones(3), 300)
    pi = np.array([0.6, 0.3, 0.1])
    ours, guess, lift = (
        split_metrics(y, p, pi, np.ones(300), CLASSES),
        p.argmax(axis=1),
        (p / pi).argmax(axis=1),
    )
    assert ours.accuracy == pytest.approx(accuracy_score(y, guess))
    assert ours.lift_balanced_accuracy == pytest.approx(balanced_accuracy_score(y, lift))
    assert ours.lift_mcc == pytest.approx(matthews_corrcoef(y, lift))
    assert ours.balanced_accuracy == pytest.approx(balanced_accuracy_score(y, guess))
    assert ours.mcc == pytest.approx(matthews_corrcoef(y, guess))
    assert ours.f1_macro == pytest.approx(f1_score(y, guess, average="macro", zero_division=0))
    assert ours.precision_macro == pytest.approx(precision_score(y, guess, average="macro", zero_division=0))
    assert ours.recall_macro == pytest.approx(recall_score(y, guess, average="macro"))
    assert ours.log_loss == pytest.approx(log_loss(y, p))
    assert ours.brier == pytest.approx(brier_score_loss(y, p, scale_by_half=False))


def test_trap_09_a_constant_knows_nothing() -> None:
    y = np.array([0, 1, 2, 0, 1, 0], dtype=np.int32)
    pi = np.array([0.5, 0.3, 0.2])
    constant = split_metrics(y, np.tile(pi, (6, 1)), pi, np.ones(6), CLASSES)
    assert constant.balanced_accuracy == pytest.approx(1 / 3)
    assert constant.mcc == 0
    assert constant.log_loss_skill == 0
    assert constant.direction == 0.5
    assert constant.per_class["SELL"].precision is None
