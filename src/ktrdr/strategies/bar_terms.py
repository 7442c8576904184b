"""What all bars of a series have in common, in words that a file, a request and a sidecar share."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

Day = Annotated[date, Field(ge=date(1600, 1, 1), le=date(9998, 12, 31))]
Adjustment = Literal["raw", "split", "split_dividend"]
Hours = Literal["all", "regular", "extended"]

MISSED = "missed"  # the column beside bars for use: how many are missing right before each
