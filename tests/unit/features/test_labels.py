"""A label says what its bars say, or nothing at all."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from ktrdr.features.labels import BUY, HOLD, SELL, UNLABELLED, Labels, label
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag

BARS = load_sample("AAPL")
PERCENT = TripleBarrier(type="triple_barrier", unit="percent", up=10.0, down=10.0, horizon=2)
ZIGZAG = Zigzag(type="zigzag", threshold=0.1)


def bars_of(closes: list[float], step: timedelta = timedelta(days=1)) -> pl.DataFrame:
    """Bars that open, trade and close at one price."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    times = pl.Series("time", [first + step * row for row in range(len(closes))], pl.Datetime("us", "UTC"))
    prices = {name: pl.Series(closes, dtype=pl.Float64) for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"time": times, **prices, "volume": [1.0] * len(closes)})


def with_bar(bars: pl.DataFrame, row: int, **values: float | None) -> pl.DataFrame:
    chosen = pl.int_range(pl.len()) == row
    return bars.with_columns(
        pl.when(chosen).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def pause_after(bars: pl.DataFrame, row: int, pause: timedelta) -> pl.DataFrame:
    later = pl.int_range(pl.len()) > row
    moved = pl.when(later).then(pl.col("time") + pause).otherwise(pl.col("time"))
    return bars.with_columns(moved.alias("time"))


def known(labels: Labels) -> npt.NDArray[np.bool_]:
    return labels.y != UNLABELLED


@pytest.mark.parametrize(
    ("later", "expected", "t1"),
    [
        ({"high": 110.5}, BUY, 1),
        ({"low": 89.5}, SELL, 1),
        ({"high": 111.0, "low": 89.0}, HOLD, 1),
        ({"open": 111.0, "high": 112.0, "low": 80.0}, BUY, 1),
        ({"open": 89.0, "high": 112.0, "low": 80.0}, SELL, 1),
        ({"high": 109.0}, HOLD, 2),
    ],
)
def test_the_first_barrier_touched_decides(later: dict[str, float], expected: int, t1: int) -> None:
    labels = label(with_bar(bars_of([100.0] * 4), 1, **later), PERCENT, "1d")
    assert (labels.y[0], labels.t1[0], labels.tv[0]) == (expected, t1, 2)


def test_a_label_from_the_next_open_measures_from_it() -> None:
    bars = with_bar(bars_of([100.0] * 4), 1, open=90.0, low=90.0, high=100.0)
    spec = PERCENT.model_copy(update={"entry": "next_open"})
    assert (label(bars, PERCENT, "1d").y[0], label(bars, spec, "1d").y[0]) == (SELL, BUY)


def test_forward_returns_are_compared_with_their_threshold() -> None:
    spec = ForwardReturn(type="forward_return", unit="percent", threshold=5.0, horizon=1)
    labels = label(bars_of([100.0, 106.0, 106.0, 100.0, 100.0]), spec, "1d")
    assert labels.y.tolist() == [BUY, HOLD, SELL, HOLD, UNLABELLED]


def test_zigzag_labels_lie_between_confirmed_pivots_and_know_when_they_were_confirmed() -> None:
    labels = label(bars_of([100.0, 90.0, 95.0, 105.0, 120.0, 119.0, 100.0, 90.0]), ZIGZAG, "1d")
    assert labels.y.tolist() == [1, 0, 0, 0, -1, -1, -1, -1]
    assert labels.t1[:4].tolist() == [3, 6, 6, 6]


@pytest.mark.parametrize(
    ("timeframe", "step", "tolerated", "gap"),
    [
        ("1h", timedelta(hours=1), timedelta(days=4), timedelta(days=6)),
        ("1d", timedelta(days=1), timedelta(days=5), timedelta(days=8)),
        ("1w", timedelta(weeks=1), timedelta(days=13), timedelta(days=22)),
    ],
)
def test_a_closed_market_is_no_gap_and_a_hole_is(
    timeframe: str, step: timedelta, tolerated: timedelta, gap: timedelta
) -> None:
    bars = bars_of([100.0] * 20, step)
    closed = known(label(pause_after(bars, 9, tolerated), PERCENT, timeframe))
    hole = known(label(pause_after(bars, 9, gap), PERCENT, timeframe))
    assert np.flatnonzero(~closed).tolist() == [18, 19]
    assert np.flatnonzero(~hole).tolist() == [8, 9, 18, 19]


def test_zigzag_knows_nothing_across_a_gap() -> None:
    whole = label(BARS, Zigzag(type="zigzag"), "1d")
    holed = label(pause_after(BARS, 1000, timedelta(days=60)), Zigzag(type="zigzag"), "1d")
    rows = np.arange(BARS.height)
    across = (rows <= 1000) & (whole.tv > 1000) & known(whole)
    assert across.any()
    assert not known(holed)[across].any()
    np.testing.assert_array_equal(holed.y[~across], whole.y[~across])


@pytest.mark.parametrize(
    "spec", [PERCENT, ZIGZAG, TripleBarrier(type="triple_barrier")], ids=lambda s: s.type
)
def test_a_bar_without_prices_is_a_hole_and_nothing_else(spec: TripleBarrier | Zigzag) -> None:
    whole = label(BARS, spec, "1d")
    holed = label(with_bar(BARS, 1500, open=None, high=None, low=None, close=None), spec, "1d")
    rows = np.arange(BARS.height)
    across = (rows <= 1500) & (whole.tv >= 1500)
    assert not known(holed)[across].any()
    far = rows > 1800
    np.testing.assert_array_equal(
        holed.y[~across & ~far & (rows < 1500)], whole.y[~across & ~far & (rows < 1500)]
    )
    np.testing.assert_array_equal(holed.y[far], whole.y[far])
