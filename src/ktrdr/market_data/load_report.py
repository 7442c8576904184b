"""What a load did, and what is there afterwards."""

from dataclasses import dataclass

from ktrdr.market_data.quality import QualityReport
from ktrdr.market_data.series_meta import Series, Terms


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
