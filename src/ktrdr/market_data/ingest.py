"""Which bars are accepted: nothing is interpolated, copied or invented."""

from operator import itemgetter

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA

FIRST_OFFENDERS = 10


def _rules() -> tuple[tuple[str, pl.Expr], ...]:
    highest = pl.max_horizontal("open", "close")
    lowest = pl.min_horizontal("open", "close")
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(False) for name in PRICES)
    positive = pl.all_horizontal(pl.col(name) > 0 for name in PRICES)
    known_volume = pl.col("volume").is_null() | (pl.col("volume").is_finite() & (pl.col("volume") >= 0))
    return (
        ("a time that is missing", pl.col("time").is_null()),
        ("a price that is not a finite number", ~finite),
        ("a price that is not above 0", ~positive),
        ("a high below open or close", pl.col("high") < highest),
        ("a low above open or close", pl.col("low") > lowest),
        ("a volume below 0", ~known_volume),
    )


def check_bars(bars: pl.DataFrame, line_of_first_row: int = 1) -> None:
    """Raise DataInvalid with the first ten offenders by line if a bar breaks a rule."""
    lined = bars.with_row_index("line", line_of_first_row)
    offenders: list[tuple[int, str]] = []
    for words, broken in _rules():
        lines = lined.filter(broken)["line"].head(FIRST_OFFENDERS)
        offenders.extend((int(line), words) for line in lines)
    if offenders:
        first = sorted(offenders, key=itemgetter(0))[:FIRST_OFFENDERS]
        detail = [f"line {line}: {words}" for line, words in first]
        raise DataInvalid(f"line {first[0][0]}: {first[0][1]}", detail=detail[1:], hint="nothing was written")


def clean(bars: pl.DataFrame, line_of_first_row: int = 1) -> tuple[pl.DataFrame, int]:
    """Return sorted unique bars and how many exact duplicates were dropped.

    Raises DataInvalid for a broken rule or for two different bars of one time.
    """
    check_bars(bars, line_of_first_row)
    unique = bars.select(list(SCHEMA)).unique(maintain_order=True)
    repeated = unique.filter(pl.col("time").is_duplicated())
    if not repeated.is_empty():
        when = repeated.sort("time")["time"][0]
        raise DataInvalid(
            f"two different bars at {when:%Y-%m-%d %H:%M}", hint="nothing was written; keep one of them"
        )
    return unique.sort("time"), bars.height - unique.height
