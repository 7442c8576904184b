"""The network of a strategy and how it is trained."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ktrdr.strategies.section import Section


class ModelSection(Section):
    """The network: `hidden: []` is the linear model."""

    type: Literal["mlp"] = Field(default="mlp", description="A network of fully connected layers.")
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        default=(16,), description="Neurons of each hidden layer; `[]` is the linear model."
    )
    activation: Literal["relu", "tanh", "gelu"] = Field(
        default="relu", description="What each hidden neuron does with its sum."
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of hidden neurons left out in each training step."
    )

    @model_validator(mode="after")
    def _hidden_layers_are_there(self) -> "ModelSection":
        if not self.hidden and (self.dropout or self.activation != "relu"):
            raise ValueError("dropout and activation have no effect without hidden layers")
        return self


class EarlyStopping(Section):
    """Stop when the validation loss has not improved by `min_delta` for `patience` epochs."""

    monitor: Literal["val_loss"] = Field(default="val_loss", description="The loss on the validation rows.")
    patience: int = Field(default=20, ge=1, description="Epochs to wait for an improvement.")
    min_delta: float = Field(default=0.0001, ge=0, description="The least that counts as an improvement.")


class TrainingSection(Section):
    """How the network is trained."""

    epochs: int = Field(default=200, ge=1, le=100_000, description="Most passes over the training rows.")
    batch_size: int = Field(default=64, ge=1, le=1_000_000, description="Rows of one step.")
    optimizer: Literal["adam", "adamw"] = Field(default="adamw", description="How weights are moved.")
    learning_rate: float = Field(default=0.001, gt=0, description="How far a step goes.")
    weight_decay: float = Field(
        default=0.0001, ge=0, description="How strongly adamw draws weights to 0; adam has none."
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="`balanced`: classes weigh the same, however rare."
    )
    sample_weights: Literal["none", "uniqueness"] = Field(
        default="uniqueness", description="`uniqueness`: labels that overlap share their weight."
    )
    early_stopping: EarlyStopping | None = Field(
        default=EarlyStopping(), description="When to stop before the last epoch; `null`: never."
    )
    schedule: Literal["none", "cosine"] = Field(
        default="none", description="How the learning rate falls until the last epoch."
    )
    gradient_clip: float | None = Field(
        default=None, gt=0, description="The longest gradient of a step; `null`: any."
    )
    seed: int = Field(default=42, ge=0, le=2**31 - 1, description="Seed of everything random.")

    @model_validator(mode="before")
    @classmethod
    def _adam_has_no_decay(cls, given: Any) -> Any:
        """Make the default of `weight_decay` what the optimizer does, so that what is resolved says so."""
        if isinstance(given, dict) and given.get("optimizer") == "adam":
            return {"weight_decay": 0.0, **given}
        return given

    @model_validator(mode="after")
    def _decay_has_an_effect(self) -> "TrainingSection":
        if self.optimizer == "adam" and self.weight_decay:
            raise ValueError("weight_decay has no effect with adam; use adamw, or leave it out")
        return self
