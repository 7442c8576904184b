"""Times as they are written, before it is known which moments they are."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class WallTimes:
    """Times [n] as they are written, null where they are none, and their offsets from UTC [n].

    `zone` is named beside each of them, if one is.
    """

    wall: pl.Series
    offset: pl.Series
    zone: str | None = None
