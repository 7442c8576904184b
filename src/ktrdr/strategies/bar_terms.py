"""What all bars of a series have in common, in words that a file, a request and a sidecar share."""

from typing import Literal

Adjustment = Literal["raw", "split", "split_dividend"]
Hours = Literal["all", "regular", "extended"]
