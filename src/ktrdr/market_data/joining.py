"""Joining bars with stored ones: new ones are put in, equal ones counted, differing ones refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA
from ktrdr.market_data.ingest import FIRST_OFFENDERS
from ktrdr.market_data.series_meta import Series

SAME = 1e-9  # relative: what is left of a price that was written with nine digits
FIGURES = (*PRICES, "volume")


@dataclass(frozen=True, slots=True)
class JoinCounts:
    """How many bars came, and of them how many are new, equal to a stored one, or differ from it.

    Of the equal ones `learned` have a volume that was not known.
    """

    bars: int = 0
    new: int = 0
    equal: int = 0
    differing: int = 0
    learned: int = 0


class Joining:
    """Joins bars with stored ones, a table after the other, and counts over all of them.

    Bars of one time are equal if each price and the volume differ by no more than 1e-9 of it, or a volume is
    unknown. Of equal ones the stored one stays, and takes the volume it did not know.
    """

    def __init__(self, series: Series) -> None:
        self.counts = JoinCounts()
        self._series = series
        self._examples: tuple[str, ...] = ()

    def join(self, stored: pl.DataFrame, arrived: pl.DataFrame) -> pl.DataFrame:
        """Return all bars in order of time; both tables are in order, and have a time once."""
        both = stored.join(arrived, on="time", how="inner", suffix="_now", maintain_order="left")
        is_same = pl.all_horizontal(_is_same(name) for name in FIGURES)
        differing = both.filter(~is_same)
        is_learned = pl.col("volume").is_null() & pl.col("volume_now").is_not_null()
        learned = both.filter(is_same & is_learned).select("time", volume="volume_now")
        fresh = arrived.join(stored, on="time", how="anti", maintain_order="left")
        self._count(arrived.height, fresh.height, both.height - differing.height, learned.height)
        self._examples += tuple(islice(_words(differing), FIRST_OFFENDERS - len(self._examples)))
        kept = stored.update(learned, on="time") if learned.height else stored
        return pl.concat([kept.select(list(SCHEMA)), fresh.select(list(SCHEMA))]).sort("time")

    def refuse_differing(self) -> None:
        """Raise DataInvalid with the first ten bars that differ, if any do."""
        count = self.counts.differing
        if count:
            subject = "1 bar differs" if count == 1 else f"{count:,} bars differ"
            raise DataInvalid(
                f"{subject} from the stored ones of {self._series.symbol} {self._series.timeframe}",
                detail=self._examples,
                hint="nothing was written; with --replace the bars of the file replace all stored ones",
            )

    def _count(self, bars: int, new: int, equal: int, learned: int) -> None:
        was = self.counts
        self.counts = JoinCounts(
            was.bars + bars,
            was.new + new,
            was.equal + equal,
            was.differing + bars - new - equal,
            was.learned + learned,
        )


def _is_same(name: str) -> pl.Expr:
    was, now = pl.col(name), pl.col(f"{name}_now")
    is_near = (was - now).abs() <= SAME * pl.max_horizontal(was.abs(), now.abs())
    return is_near.fill_null(name == "volume")


def _words(differing: pl.DataFrame) -> Iterator[str]:
    """Yield what differs: `2024-01-02 00:00: close is 10, and 11 in the file`."""
    for row in differing.iter_rows(named=True):
        yield f"{row['time']:%Y-%m-%d %H:%M}: {', '.join(_changes(row))}"


def _changes(row: dict[str, float]) -> Iterable[str]:
    pairs = ((name, row[name], row[f"{name}_now"]) for name in FIGURES)
    known = ((name, was, now) for name, was, now in pairs if was is not None and now is not None)
    return (
        f"{name} is {was:.10g}, and {now:.10g} in the file"
        for name, was, now in known
        if abs(was - now) > SAME * max(abs(was), abs(now))
    )
