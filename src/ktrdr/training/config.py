"""What a training loop needs to know, apart from its data."""

from dataclasses import dataclass

from ktrdr.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Network and optimisation; `patience` None means no early stopping."""

    classes: int
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    gradient_clip: float | None
    patience: int | None
    min_delta: float
    seed: int


def from_strategy(strategy: Strategy, classes: int, hidden: tuple[int, ...] | None = None) -> TrainingConfig:
    """Return a strategy's configuration; `hidden` replaces the strategy's, `()` is the linear model."""
    training, stopping = strategy.training, strategy.training.early_stopping
    layers = strategy.model.hidden if hidden is None else hidden
    return TrainingConfig(
        classes=classes,
        hidden=layers,
        activation=strategy.model.activation,
        dropout=strategy.model.dropout if layers else 0.0,
        epochs=training.epochs,
        batch_size=training.batch_size,
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        schedule=training.schedule,
        gradient_clip=training.gradient_clip,
        patience=stopping.patience if stopping else None,
        min_delta=stopping.min_delta if stopping else 0.0,
        seed=training.seed,
    )
