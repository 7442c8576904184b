"""Bars of one symbol, sorted: exact duplicates are dropped, and bars of one time that differ contradict."""

from dataclasses import dataclass

import polars as pl

from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.import_offences import offences
from ktrdr.market_data.import_options import LINE


@dataclass(frozen=True, slots=True)
class Sifted:
    """Unique bars in order of time, how many exact duplicates there were, and what contradicts."""

    bars: pl.DataFrame
    duplicates: int
    conflicts: pl.DataFrame


def sifted(bars: pl.DataFrame, *, tolerant: bool) -> Sifted:
    """Sort bars and drop exact duplicates; of bars of one time that differ none is kept.

    The later of them are offences; where they are tolerated all are, as nobody knows which is right.
    """
    if (bars["time"].to_physical().diff() > 0).all():
        return Sifted(bars.select(list(SCHEMA)), 0, offences([], []))
    unique = bars.sort("time", LINE).unique(list(SCHEMA), keep="first", maintain_order=True)
    twins = unique.filter(pl.col("time").is_duplicated())
    wrong = twins if tolerant else twins.filter(~pl.col("time").is_first_distinct())
    words = [f"another bar of {when:%Y-%m-%d %H:%M} differs" for when in wrong["time"]]
    kept = unique.filter(pl.col("time").is_unique()).select(list(SCHEMA))
    return Sifted(kept, bars.height - unique.height, offences(wrong[LINE].to_list(), words).sort("line"))
