"""Intervals cover what they promise, on walks whose truth is known, and keep silent over too few dates."""

import numpy as np
import numpy.typing as npt
import pytest

from ktrdr.training.intervals import Interval, OverlappingDates

WALKS = 1000
SHARE_OF_CLOSE_CALLS = 0.5
CERTAINTY = 0.55
Table = npt.NDArray[np.float64]


def walks(rows: int, horizon: int) -> tuple[Table, Table, Table]:
    """Return per walk and row whether it rises over the horizon, whether it moves far, and RSI(14) > 50."""
    generator = np.random.default_rng([rows, horizon])
    before = 100
    steps = generator.standard_normal((WALKS, before + rows + horizon))
    close = steps.cumsum(axis=1)
    now = close[:, before : before + rows]
    move = close[:, before + horizon : before + horizon + rows] - now
    far = np.abs(move) > SHARE_OF_CLOSE_CALLS * np.sqrt(horizon)
    rises, falls = np.maximum(steps, 0), np.maximum(-steps, 0)
    up, down = np.zeros(WALKS), np.zeros(WALKS)
    above = np.empty((WALKS, before + rows))
    for bar in range(before + rows):
        up, down = (up * 13 + rises[:, bar]) / 14, (down * 13 + falls[:, bar]) / 14
        above[:, bar] = up > down
    return (move > 0).astype(float), far.astype(float), above[:, before:]


def coverage(values: Table, counts: Table, truth: float, horizon: int) -> float:
    dates = OverlappingDates.of(np.arange(values.shape[1]), horizon)
    found = [dates.ratio(value, count) for value, count in zip(values, counts, strict=True)]
    return float(np.mean([each is not None and each.low <= truth <= each.high for each in found]))


@pytest.mark.parametrize("horizon", [10, 20])
@pytest.mark.parametrize("rows", [170, 300, 500])
def test_an_interval_of_95_percent_covers_92_to_98_percent_of_walks(rows: int, horizon: int) -> None:
    rose, far, above = walks(rows, horizon)
    everything, right = np.ones_like(rose), (above == rose).astype(float)
    gain, loss = np.log(CERTAINTY / 0.5), np.log((1 - CERTAINTY) / 0.5)
    paired = np.where(right == 1, gain, loss)
    covered = {
        "accuracy of a constant": coverage(rose, everything, 0.5, horizon),
        "accuracy of RSI > 50": coverage(right, everything, 0.5, horizon),
        "paired log-loss difference": coverage(paired, everything, (gain + loss) / 2, horizon),
        "direction": coverage(right * far, far, 0.5, horizon),
    }
    assert {name: share for name, share in covered.items() if not 0.92 <= share <= 0.98} == {}


def test_the_interval_is_the_one_written_down() -> None:
    """Circular sums of L dates, κ for what they miss, Student's t with n/L - 1 degrees of freedom."""
    generator = np.random.default_rng(3)
    n, length = 90, 10
    values, counts = generator.integers(0, 3, n).astype(float), generator.integers(0, 4, n).astype(float)
    middle = values.sum() / counts.sum()
    z = (values - middle * counts) / (counts.sum() / n)
    blocks = [sum(z[(start + step) % n] for step in range(length)) for start in range(n)]
    variance = sum(block**2 for block in blocks) / (n**2 * length)
    kappa = 3 * length**2 / (2 * length**2 + 1)
    half = 2.306004135204166 * np.sqrt(kappa * variance / (1 - length / n))  # Student's t, 8 degrees, 0.975
    interval = OverlappingDates.of(np.arange(n), length).ratio(values, counts)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((middle - half, middle + half))


def test_rows_of_one_date_count_together_in_any_order() -> None:
    generator = np.random.default_rng(4)
    times, values = np.repeat(np.arange(80), 3), generator.standard_normal(240)
    shuffled = generator.permutation(240)
    one = OverlappingDates.of(times, 5).mean(values)
    other = OverlappingDates.of(times[shuffled], 5).mean(values[shuffled])
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


@pytest.mark.parametrize(
    ("dates", "horizon", "known"), [(59, 1, False), (60, 1, True), (69, 10, False), (70, 10, True)]
)
def test_under_60_dates_or_7_horizons_there_is_no_interval(dates: int, horizon: int, known: bool) -> None:
    values = np.random.default_rng(5).standard_normal(dates)
    assert (OverlappingDates.of(np.arange(dates), horizon).mean(values) is not None) == known


def test_a_constant_has_no_width_and_nothing_counted_no_interval() -> None:
    dates = OverlappingDates.of(np.arange(100), 10)
    assert dates.mean(np.zeros(100)) == Interval(0.0, 0.0)
    assert dates.ratio(np.zeros(100), np.zeros(100)) is None
