"""How rows are labelled: what the three label types may say."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ktrdr.strategies.section import Section


class TripleBarrier(Section):
    """Which of two barriers is touched first within the horizon."""

    type: Literal["triple_barrier"]
    horizon: int = Field(default=10, ge=1, le=1000, description="Bars after which the label is decided.")
    up: float = Field(default=2.0, gt=0, description="How far above the entry the upper barrier is.")
    down: float = Field(default=2.0, gt=0, description="How far below the entry the lower barrier is.")
    unit: Literal["atr", "percent"] = Field(default="atr", description="What `up` and `down` count.")
    entry: Literal["close", "next_open"] = Field(
        default="close", description="The price that a label starts from."
    )


class ForwardReturn(Section):
    """The return over the horizon against a threshold."""

    type: Literal["forward_return"]
    horizon: int = Field(default=10, ge=1, le=1000, description="Bars after which the label is decided.")
    threshold: float = Field(default=0.5, ge=0, description="The return that is more than HOLD.")
    unit: Literal["percent", "sigma"] = Field(default="sigma", description="What `threshold` counts.")
    entry: Literal["close", "next_open"] = Field(
        default="close", description="The price that a label starts from."
    )


class Zigzag(Section):
    """The direction between confirmed pivots; it describes the present trend more than the future."""

    type: Literal["zigzag"]
    threshold: float = Field(
        default=0.05, gt=0, lt=1, description="The share of a move that confirms a turn."
    )
    entry: Literal["close"] = Field(default="close", description="The price that a label starts from.")


LabelSpec = Annotated[TripleBarrier | ForwardReturn | Zigzag, Field(discriminator="type")]
LABELS: Mapping[str, type[Section]] = {
    "triple_barrier": TripleBarrier,
    "forward_return": ForwardReturn,
    "zigzag": Zigzag,
}
