"""The traps of time: nothing may know the future, and every bar is accounted for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.features.dataset import build_dataset
from ktrdr.features.labels import label
from ktrdr.features.matrix import feature_matrix
from ktrdr.indicators.compute import compute_indicator
from ktrdr.market_data.sample import load_sample
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import ForwardReturn, TripleBarrier, Zigzag
from ktrdr.strategies.strategy import Indicator
from ktrdr.strategies.strategy_file import parse_strategy

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
STRATEGY = parse_strategy(TEXT, "s.yaml")
BARS = load_sample("AAPL")
TYPES = sorted(INDICATOR_SPECS)
LABELS = [
    TripleBarrier(type="triple_barrier"),
    TripleBarrier(type="triple_barrier", unit="percent", entry="next_open"),
    ForwardReturn(type="forward_return"),
    ForwardReturn(type="forward_return", unit="percent", threshold=2.0),
    Zigzag(type="zigzag"),
]


def indicator(kind: str) -> Indicator:
    return Indicator.model_validate({"type": kind})


def changed_after(row: int) -> pl.DataFrame:
    later = pl.int_range(pl.len()) > row
    prices = [pl.when(later).then(pl.col(name) * 3).otherwise(pl.col(name)) for name in BARS.columns[1:]]
    return BARS.with_columns(*prices)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("stop", [400, 1234, 2999])
def test_trap_01_an_indicator_of_a_prefix_is_a_prefix(kind: str, stop: int) -> None:
    whole, part = (compute_indicator(bars, indicator(kind)) for bars in (BARS, BARS[:stop]))
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][:stop])


def test_trap_02_bars_after_a_row_do_not_change_its_features() -> None:
    fitted = build_dataset({"AAPL": BARS}, STRATEGY).fitted_sets
    whole, other = (feature_matrix(bars, STRATEGY, fitted).x for bars in (BARS, changed_after(2000)))
    np.testing.assert_array_equal(whole[:2001], other[:2001])
    assert not np.array_equal(whole[2001:], other[2001:])


@pytest.mark.parametrize("spec", LABELS, ids=str)
def test_trap_04_bars_after_t1_do_not_change_a_label(spec: TripleBarrier | ForwardReturn | Zigzag) -> None:
    before, after = (label(bars, spec, "1d") for bars in (BARS, changed_after(2000)))
    settled = before.t1 <= 2000
    np.testing.assert_array_equal(before.y[settled], after.y[settled])


@pytest.mark.parametrize("spec", LABELS[:4], ids=str)
def test_trap_04_the_last_rows_have_no_label(spec: TripleBarrier | ForwardReturn) -> None:
    assert (label(BARS, spec, "1d").y[-spec.horizon :] == -1).all()


@pytest.mark.parametrize("horizon", [1, 5, 20, 60])
def test_trap_05_no_training_label_reaches_validation(horizon: int) -> None:
    strategy = parse_strategy(TEXT.replace("horizon: 10", f"horizon: {horizon}"), "s.yaml")
    bars = {name: load_sample(name) for name in ("AAPL", "GOOG")}
    data = build_dataset(bars, strategy)
    for number, name in enumerate(data.symbols):
        for before, after in ((data.train, data.validation), (data.validation, data.test)):
            times = bars[name]["time"].to_physical().to_numpy()
            rows = np.searchsorted(times, before.time[before.symbol == number])
            assert times[rows + horizon].max() < after.time.min(), "a label could have reached across the cut"


def test_trap_05_hold_is_not_depleted_before_the_cut() -> None:
    data = build_dataset({"AAPL": BARS}, STRATEGY)
    assert (data.train.y[-300:] == 1).mean() > 0.5 * (data.train.y == 1).mean()


def test_trap_06_what_is_fitted_sees_training_rows_only() -> None:
    data = build_dataset({"AAPL": BARS}, STRATEGY)
    cut = int(np.searchsorted(BARS["time"].to_physical().to_numpy(), data.cuts.validation))
    other = build_dataset({"AAPL": changed_after(cut)}, STRATEGY)
    assert other.fitted_sets == data.fitted_sets
    np.testing.assert_array_equal(other.train.x, data.train.x)


def test_trap_07_one_calendar_cut_holds_for_all_symbols() -> None:
    bars = {"AAPL": load_sample("AAPL"), "IBM": load_sample("IBM")[:2500], "GOOG": load_sample("GOOG")}
    data = build_dataset(bars, STRATEGY)
    assert data.train.time.max() < data.validation.time.min()
    assert data.validation.time.max() < data.test.time.min()


def test_trap_11_values_after_warm_up_do_not_depend_on_the_start() -> None:
    for kind in TYPES:
        one, two = (compute_indicator(BARS[start:], indicator(kind)) for start in (0, 500))
        for name in one:
            early, late = one[name][500:], two[name]
            both = np.isfinite(late) & np.isfinite(early)
            assert both.sum() > 2000
            error = np.abs(early[both] - late[both]) / np.maximum(1, np.abs(early[both]))
            assert error.max() < 1e-3, (kind, name)


@pytest.mark.parametrize("kind", TYPES)
def test_trap_12_one_hole_leaves_a_hole_and_nothing_else(kind: str) -> None:
    holed = BARS.with_columns(
        pl.when(pl.int_range(pl.len()) == 1000).then(None).otherwise(pl.col(name)).alias(name)
        for name in BARS.columns[1:]
    )
    warm_up = INDICATOR_SPECS[kind].warm_up(indicator(kind).parameters)
    for name, values in compute_indicator(holed, indicator(kind)).items():
        whole = compute_indicator(BARS, indicator(kind))[name]
        np.testing.assert_array_equal(values[:1000], whole[:1000])
        assert np.isnan(values[1000 : 1001 + warm_up]).all()
        assert np.isfinite(values[1001 + warm_up :]).all()


@pytest.mark.parametrize("kind", ["rsi", "stoch"])
def test_oscillators_mean_nothing_on_flat_prices(kind: str) -> None:
    flat = BARS.with_columns(pl.lit(10.0).alias(name) for name in ("open", "high", "low", "close"))
    for values in compute_indicator(flat, indicator(kind)).values():
        assert np.isnan(values).all()


def test_every_bar_is_in_the_ledger_once() -> None:
    for row in build_dataset({"AAPL": BARS}, STRATEGY).ledger:
        parts = (row.warm_up, row.non_finite, row.unlabelled, row.purged, row.embargoed, row.used)
        assert sum(parts) == row.loaded == BARS.height


def test_a_label_across_a_gap_is_unknown() -> None:
    later = BARS.with_columns(
        pl.when(pl.int_range(pl.len()) > 1000)
        .then(pl.col("time") + pl.duration(days=60))
        .otherwise(pl.col("time"))
        .alias("time")
    )
    y = label(later, LABELS[0], "1d").y
    assert (y[991:1001] == -1).all()
    assert y[990] != -1


def test_too_few_rows_are_an_error_before_training() -> None:
    with pytest.raises(DataInvalid, match="usable rows"):
        build_dataset({"AAPL": BARS[:160]}, STRATEGY)


def test_trap_17_the_sample_does_not_jump_where_it_was_split() -> None:
    day = datetime(2005, 2, 28, tzinfo=UTC)
    for adjustment, jumps in (("raw", True), ("split", False), ("split_dividend", False)):
        bars = load_sample("AAPL", adjustment).filter(pl.col("time").is_between(day - timedelta(days=4), day))
        ratio = bars["open"][-1] / bars["close"][-2]
        assert (ratio < 0.7) is jumps
