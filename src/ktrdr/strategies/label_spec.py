"""How rows are labelled: what the three label types may say."""

from typing import Annotated, Literal

from pydantic import Field

from ktrdr.strategies.section import Section


class TripleBarrier(Section):
    """Which of two barriers is touched first within the horizon."""

    type: Literal["triple_barrier"]
    horizon: int = Field(default=10, ge=1, le=1000)
    up: float = Field(default=2.0, gt=0)
    down: float = Field(default=2.0, gt=0)
    unit: Literal["atr", "percent"] = "atr"
    entry: Literal["close", "next_open"] = "close"


class ForwardReturn(Section):
    """The return over the horizon against a threshold."""

    type: Literal["forward_return"]
    horizon: int = Field(default=10, ge=1, le=1000)
    threshold: float = Field(default=0.5, ge=0)
    unit: Literal["percent", "sigma"] = "sigma"
    entry: Literal["close", "next_open"] = "close"


class Zigzag(Section):
    """The direction between confirmed pivots; it describes the present trend more than the future."""

    type: Literal["zigzag"]
    threshold: float = Field(default=0.05, gt=0, lt=1)
    entry: Literal["close"] = "close"


LabelSpec = Annotated[TripleBarrier | ForwardReturn | Zigzag, Field(discriminator="type")]
