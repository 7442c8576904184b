"""No label, no lag and no indicator reaches over bars that are missing, as they are stored with the bars."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.features.dataset import build_dataset
from ktrdr.features.labels import UNLABELLED, label
from ktrdr.features.matrix import feature_matrix, warm_up
from ktrdr.indicators.compute import compute_indicator
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.holes import find_holes, with_missed
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag
from ktrdr.strategies.strategy import Indicator
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
LENGTHS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
HORIZON, ROW = 10, 600
LABELS = [
    TripleBarrier(type="triple_barrier", horizon=HORIZON),
    ForwardReturn(type="forward_return", horizon=HORIZON),
    Zigzag(type="zigzag", threshold=0.02),
]


def with_hole(timeframe: str, days: float, count: int = 1200) -> pl.DataFrame:
    """Return a random walk without pause, but for so many days before one of its bars."""
    length, hole = LENGTHS[timeframe], timedelta(days=days)
    first = datetime(2020, 1, 1, tzinfo=UTC)
    times = [first + length * row + (hole if row >= ROW else timedelta()) for row in range(count)]
    close = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, count)))
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    bars = pl.DataFrame({"time": times, **prices, "volume": np.full(count, 5.0)}, schema=SCHEMA)
    return with_missed(bars, timeframe, find_holes(bars["time"], timeframe, open_calendar("24/7")))


@pytest.mark.parametrize("spec", LABELS, ids=lambda spec: str(spec.type))
@pytest.mark.parametrize(
    ("timeframe", "days"),
    [("1h", 1 / 24), *(("1h", days) for days in range(1, 5)), *(("1d", days) for days in range(3, 7))],
)
def test_no_label_spans_what_the_calendar_misses(
    spec: TripleBarrier | ForwardReturn | Zigzag, timeframe: str, days: float
) -> None:
    labels = label(with_hole(timeframe, days), spec, timeframe)
    before = np.arange(ROW)
    known = labels.y[before] != UNLABELLED
    assert (labels.tv[before][known] < ROW).all()
    assert known[:-100].sum() > 300, "labels that do not reach the hole are kept"
    assert (labels.y[ROW : ROW + 300] != UNLABELLED).any()


def test_indicators_begin_anew_after_sixty_days() -> None:
    """What comes after the hole is what bars that begin there would give."""
    bars, spec = with_hole("1d", 60), Indicator(type="rsi", parameters={"period": 14})
    whole, later = (compute_indicator(each, spec)["value"] for each in (bars, bars[ROW:]))
    np.testing.assert_array_equal(whole[ROW:], later)
    assert np.isnan(whole[ROW]) and np.isfinite(whole[ROW - 1])


def test_an_indicator_goes_on_over_one_or_two_missing_bars() -> None:
    for days, goes_on in ((1, True), (2, True), (3, False)):
        values = compute_indicator(with_hole("1d", days), Indicator(type="rsi", parameters={"period": 14}))
        assert np.isfinite(values["value"][ROW]) == goes_on


def test_lags_do_not_reach_over_a_hole() -> None:
    """Rows whose lag would lie before the hole are not used, be it of one bar."""
    strategy = parse_strategy(TEXT, "s.yaml")
    bars = with_hole("1d", 1)
    data = build_dataset({"X": bars}, strategy)
    x = feature_matrix(bars, strategy, data.fitted_sets).x
    lag = max(strategy.features.lags)
    assert np.isnan(x[ROW : ROW + lag]).any(axis=1).all()
    assert np.isfinite(x[ROW + lag]).all() and np.isfinite(x[ROW - 1]).all()
    used = np.concatenate([part.time for part in (data.train, data.validation, data.test)])
    holes = bars["time"].to_physical().to_numpy()[ROW : ROW + lag]
    assert not np.isin(holes, used).any()


def test_a_long_hole_costs_a_warm_up_and_says_so_in_the_ledger() -> None:
    strategy = parse_strategy(TEXT, "s.yaml")
    (row,) = build_dataset({"X": with_hole("1d", 60)}, strategy).ledger
    assert row.warm_up == warm_up(strategy)
    assert row.non_finite + row.unlabelled == warm_up(strategy) + 2 * HORIZON
