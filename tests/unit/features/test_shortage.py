"""A refusal for lack of rows names what is null, why it is, and what would help."""

from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.features.dataset import build_dataset
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.bar_terms import MISSED
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
WITH_VOLUME = TEXT.replace("indicators:", "indicators:\n  vol: {type: volume_ratio, period: 20}").replace(
    "fuzzy:", "fuzzy:\n  vol: {low: [left, 0.5, 1], high: [right, 1, 1.5]}"
)
BARS = load_sample("AAPL")
PRICES = ("open", "high", "low", "close")


def broken(**columns: pl.Expr) -> pl.DataFrame:
    return BARS.with_columns(**columns)


@pytest.mark.parametrize(
    ("text", "bars", "words", "hint"),
    [
        (WITH_VOLUME, broken(volume=pl.lit(0.0)), "`vol` has no value .* 0 or unknown", "leave `vol` out"),
        (WITH_VOLUME, broken(volume=pl.lit(None, pl.Float64)), "0 or unknown", "bars with volume"),
        (TEXT, broken(**dict.fromkeys(PRICES, pl.lit(5.0))), "close stays the same", "that were traded"),
        (TEXT, broken(**{MISSED: pl.int_range(pl.len()) % 50}), "bars are missing in .* places", "data gaps"),
        (
            TEXT,
            broken(volume=pl.lit(0.0), **{MISSED: pl.int_range(pl.len()) % 50}),
            "`rsi14` has no value .* bars are missing",
            "data gaps",
        ),
        (TEXT, BARS[:150], "only .* usable rows are left of 150 bars$", "load a longer range"),
    ],
    ids=["no volume", "unknown volume", "flat prices", "holes", "holes without volume", "few bars"],
)
def test_too_few_rows_tell_their_true_cause(text: str, bars: pl.DataFrame, words: str, hint: str) -> None:
    with pytest.raises(DataInvalid, match=words) as refused:
        build_dataset({"AAPL": bars}, parse_strategy(text, "s.yaml"))
    assert hint in str(refused.value.hint)
