"""What every part of a strategy is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a strategy: frozen, and nothing unknown is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
