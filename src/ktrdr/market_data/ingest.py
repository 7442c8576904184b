"""Which bars are accepted: nothing is interpolated, copied or invented."""

from collections.abc import Sequence
from operator import itemgetter

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA

FIRST_OFFENDERS = 10
NOTHING_WRITTEN = "nothing was written"


def _rules() -> tuple[tuple[str, pl.Expr], ...]:
    highest = pl.max_horizontal("open", "close")
    lowest = pl.min_horizontal("open", "close")
    known_volume = pl.col("volume").is_null() | (pl.col("volume").is_finite() & (pl.col("volume") >= 0))
    return (
        ("`time` is missing", pl.col("time").is_null()),
        *(
            (f"`{name}` is not a finite number", ~pl.col(name).is_finite().fill_null(False))
            for name in PRICES
        ),
        *((f"`{name}` is not above 0", pl.col(name) <= 0) for name in PRICES),
        ("`high` is below open or close", pl.col("high") < highest),
        ("`low` is above open or close", pl.col("low") > lowest),
        ("`volume` is not a finite number of at least 0", ~known_volume),
    )


RULES = _rules()


def check_bars(bars: pl.DataFrame, lines: pl.Series | None = None) -> None:
    """Raise DataInvalid with the first ten offenders if a bar breaks a rule.

    `lines` [n] says where each bar came from; without it bars are counted from 1.
    """
    lined = _with_lines(bars, lines)
    offenders: list[tuple[int, str]] = []
    for words, broken in RULES:
        offending = lined.filter(broken)["line"].head(FIRST_OFFENDERS)
        offenders.extend((int(line), words) for line in offending)
    raise_offenders(offenders)


def raise_offenders(offenders: Sequence[tuple[int, str]], hint: str = NOTHING_WRITTEN) -> None:
    """Raise DataInvalid with the first ten of (line, words) by line; none of them is no error."""
    if offenders:
        first, *others = sorted(offenders, key=itemgetter(0))[:FIRST_OFFENDERS]
        detail = [f"line {line}: {words}" for line, words in others]
        raise DataInvalid(f"line {first[0]}: {first[1]}", detail=detail, hint=hint)


def clean(bars: pl.DataFrame, lines: pl.Series | None = None) -> tuple[pl.DataFrame, int]:
    """Return sorted unique bars and how many exact duplicates were dropped.

    Raises DataInvalid for a broken rule or for two different bars of one time.
    """
    check_bars(bars, lines)
    unique = (
        _with_lines(bars, lines).unique(list(SCHEMA), keep="first", maintain_order=True).sort("time", "line")
    )
    repeated = unique.filter(~pl.col("time").is_first_distinct())
    raise_offenders(
        [
            (line, f"another bar of {when:%Y-%m-%d %H:%M} differs")
            for line, when in repeated.select("line", "time").rows()
        ]
    )
    return unique.select(list(SCHEMA)), bars.height - unique.height


def _with_lines(bars: pl.DataFrame, lines: pl.Series | None) -> pl.DataFrame:
    numbers = pl.int_range(1, bars.height + 1, eager=True) if lines is None else lines
    return bars.with_columns(numbers.alias("line"))
