"""What a load did, and what is there afterwards."""

from dataclasses import dataclass
from datetime import timedelta

from ktrdr.errors import DataInvalid
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.quality import QualityReport
from ktrdr.market_data.series_meta import Series, SeriesMeta, Terms


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What a load did: new bars, requests made, exact duplicates and bars outside of the hours dropped.

    `mended` names files that were damaged, and whose bars were fetched again.
    """

    new_bars: int = 0
    requests: int = 0
    duplicates: int = 0
    outside_hours: int = 0
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What is there of the range now, and what it took."""

    series: Series
    terms: Terms
    quality: QualityReport
    counts: LoadCounts


def nothing_there(known: SeriesMeta, asked: Interval) -> DataInvalid:
    """Return the error of a range without bars, naming what there is."""
    series = known.series
    hint = f"`{series.provider}` has none"
    if known.first and known.last:
        hint = f"there are {known.rows:,} from {known.first:%Y-%m-%d} to {known.last:%Y-%m-%d}"
    last = asked.end - timedelta(microseconds=1)
    return DataInvalid(
        f"there are no {series.symbol} {series.timeframe} bars from "
        f"{asked.start:%Y-%m-%d} to {last:%Y-%m-%d}",
        hint=hint,
    )
