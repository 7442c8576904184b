"""Loading is interval arithmetic: nothing is fetched twice, nothing is mixed, and what was stored stays."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktrdr.errors import DataInvalid, NotFound, OperationCancelled, ProviderFailed
from ktrdr.market_data.bars import last_finished
from ktrdr.market_data.chunks import Mode
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.load_report import LoadReport
from ktrdr.market_data.loading import SeriesLoader, Wish
from ktrdr.market_data.providers.stored import StoredBars
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from support.scripted_provider import DAY, ScriptedProvider, daily, day

SERIES = Series("scripted", "ABC", "1d")
NOON = timedelta(hours=12)


def load(
    store: BarStore,
    provider: ScriptedProvider,
    mode: Mode = "full",
    first: int | None = None,
    last: int | None = None,
    *,
    today: int = 100,
    stop_at: float = 2.0,
) -> LoadReport:
    """Load days `first` to `last`, at noon of `today`; stop before the request at this share of all."""

    def notice(share: float, _: int) -> None:
        if share >= stop_at:
            raise OperationCancelled("enough")

    dates = [None if number is None else day(number).date() for number in (first, last)]
    loader = SeriesLoader(
        store,
        StoredBars("scripted", Terms("raw"), store) if mode == "local" else provider,
        SERIES,
        Wish(mode, *dates),
        now=day(today) + NOON,
        notice=notice,
        wait=threading.Event().wait,
    )
    return loader.load()


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore(tmp_path)


def numbers(store: BarStore) -> list[int]:
    return [(time - day(0)).days for time in store.read(SERIES)["time"]]


def test_a_repeated_load_asks_for_nothing(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(5, 40)))
    first = load(store, provider)
    assert (first.quality.bars, first.counts.new_bars, first.counts.requests) == (35, 35, len(provider.asked))
    again = load(store, provider)
    assert (again.quality.bars, again.counts.new_bars, again.counts.requests) == (35, 0, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 25)), min_size=1, max_size=6))
def test_holes_are_filled_in_any_order_and_each_day_is_fetched_once(
    tmp_path_factory: pytest.TempPathFactory, ranges: list[tuple[int, int]]
) -> None:
    """Against a plain set of days; the provider has no bars on every fifth day."""
    there = [number for number in range(100) if number % 5]
    store = BarStore(tmp_path_factory.mktemp("bars"))
    provider = ScriptedProvider(daily(there), longest_days=7)
    asked: set[int] = set()
    for start, length in ranges:
        days = set(range(start, start + length + 1)) - {0}  # it says that it begins with day 1
        new = days - asked
        asked |= days
        before = len(provider.asked)
        if not days & set(there):
            with pytest.raises(DataInvalid, match="there are no ABC 1d bars"):
                load(store, provider, "full", start, start + length)
            continue
        report = load(store, provider, "full", start, start + length)
        assert report.quality.bars == len(days & set(there))
        assert report.counts.new_bars == len(new & set(there))
        assert (len(provider.asked) > before) == bool(new)
    kept = numbers(store) if store.has(SERIES) else []
    assert kept == sorted(asked & set(there))
    if asked:
        meta = store.meta(SERIES)
        assert meta.known == Intervals(Interval(day(number), day(number + 1)) for number in asked)
        assert meta.rows == len(kept)


def test_tail_takes_what_is_new_and_backfill_what_was_before(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(100)))
    load(store, provider, "full", 40, 50)
    assert load(store, provider, "tail", today=60).counts.new_bars == 9
    assert numbers(store) == list(range(40, 60))
    assert load(store, provider, "backfill", 30, today=60).counts.new_bars == 10
    assert numbers(store) == list(range(30, 60))
    assert load(store, provider, "backfill", today=60).counts.new_bars == 30


def test_local_asks_nobody(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(100)))
    with pytest.raises(DataInvalid, match="nor finer ones to make them of"):
        load(store, provider, "local")
    load(store, provider, "full", 10, 19)
    provider.asked.clear()
    report = load(store, provider, "local")
    assert (report.quality.bars, report.counts.requests, provider.asked) == (10, 0, [])
    with pytest.raises(DataInvalid) as outside:
        load(store, provider, "local", 50, 60)
    assert outside.value.hint == "there are 10 from 2024-01-11 to 2024-01-20"


def test_trap_16_an_unfinished_last_bar_is_not_taken(store: BarStore) -> None:
    """At noon of day 20 the bar of day 20 is not over; a day later it is, and is fetched."""
    provider = ScriptedProvider(daily(range(100)))
    load(store, provider, "full", 10, 30, today=20)
    assert numbers(store)[-1] == 19
    load(store, provider, "tail", today=21)
    assert numbers(store)[-1] == 20
    with pytest.raises(DataInvalid, match="has no finished bar"):
        load(store, provider, "full", 21, 30, today=21)


@pytest.mark.parametrize(
    ("timeframe", "end"),
    [("1m", (10, 16, 12)), ("1h", (10, 16, 0)), ("4h", (10, 16, 0)), ("1d", (10, 0, 0)), ("1w", (8, 0, 0))],
)
def test_trap_16_bars_are_over_at_the_end_of_their_timeframe(timeframe: str, end: tuple[int, ...]) -> None:
    """2024-01-08 is a Monday."""
    finished = last_finished(datetime(2024, 1, 10, 16, 12, 59, tzinfo=UTC), timeframe)
    assert (finished.day, finished.hour, finished.minute) == end


def test_trap_14_order_and_repetition_make_no_difference(tmp_path: Path) -> None:
    ordered, shuffled = BarStore(tmp_path / "one"), BarStore(tmp_path / "other")
    bars = daily(range(30))
    load(ordered, ScriptedProvider(bars, longest_days=100))
    doubled = pl.concat([bars, bars]).sample(fraction=1.0, shuffle=True, seed=3)
    report = load(shuffled, ScriptedProvider(doubled, longest_days=9))
    assert report.counts.duplicates > 0
    assert ordered.meta(SERIES).files == shuffled.meta(SERIES).files


def test_trap_17_another_adjustment_is_noticed_and_never_mixed(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(100)))
    load(store, provider, "full", 10, 19)
    before = store.read(SERIES)
    provider.bars = daily(range(100), close=50.0)
    for first, last in ((20, 29), (0, 9)):
        with pytest.raises(DataInvalid, match="adjusts its prices in another way"):
            load(store, provider, "full", first, last)
    assert store.read(SERIES).equals(before)


def test_trap_17_a_series_has_one_adjustment(store: BarStore) -> None:
    load(store, ScriptedProvider(daily(range(100))), "full", 10, 19)
    with pytest.raises(DataInvalid, match="kept as `raw`, not `split`"):
        store.extend(SERIES, daily(range(20, 30)), Interval(day(20), day(30)), Terms("split"))


def test_what_was_stored_before_a_cancellation_stays_and_is_not_fetched_again(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(100)), longest_days=10)
    with pytest.raises(OperationCancelled):
        load(store, provider, "full", 0, 99, stop_at=0.5)
    stored = numbers(store)
    assert 45 <= len(stored) <= 55
    assert stored == list(range(len(stored)))
    provider.asked.clear()
    load(store, provider, "full", 0, 99)
    assert min(each.start for each in provider.asked) == day(stored[-1])
    assert numbers(store) == list(range(100))


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_bars_that_break_a_rule_are_refused_and_nothing_is_stored(store: BarStore, column: str) -> None:
    wrong = daily(range(10)).with_columns(
        pl.when(pl.col("time") == day(4)).then(-1.0).otherwise(pl.col(column)).alias(column)
    )
    with pytest.raises(DataInvalid, match="is not above 0"):
        load(store, ScriptedProvider(wrong))
    with pytest.raises(NotFound):
        store.meta(SERIES)


def test_fault_60_loads_at_once_share_one_fetch(store: BarStore, tmp_path: Path) -> None:
    """The first is held in its request until all the others wait."""
    provider = ScriptedProvider(daily(range(50)), longest_days=100)
    waiting, others = threading.Semaphore(0), 9
    provider.before_answer = lambda: [waiting.acquire() for _ in range(others)] and None
    reports: list[LoadReport] = []

    def one() -> None:
        told: list[float] = []

        def wait(seconds: float) -> None:
            if not told:
                waiting.release()
            told.append(seconds)
            threading.Event().wait(seconds)

        loader = SeriesLoader(
            BarStore(tmp_path), provider, SERIES, Wish(), now=day(60), notice=lambda *_: None, wait=wait
        )
        reports.append(loader.load())

    threads = [threading.Thread(target=one) for _ in range(others + 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(provider.asked) == 1
    assert [report.quality.bars for report in reports] == [50] * 10
    assert sum(report.counts.requests for report in reports) == 1


def test_a_range_read_opens_only_the_years_it_needs(store: BarStore, tmp_path: Path) -> None:
    """The others could be damaged."""
    load(store, ScriptedProvider(daily(range(1000)), longest_days=2000), today=1200)
    for year in (2024, 2026):
        (file,) = tmp_path.rglob(f"{year}-*.parquet")
        file.write_bytes(b"damaged")
    year = Interval(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert store.read(SERIES, year).height == 365
    with pytest.raises(DataInvalid, match="is damaged"):
        store.read(SERIES)


def test_an_end_date_belongs_to_the_range(store: BarStore) -> None:
    report = load(store, ScriptedProvider(daily(range(100))), "full", 10, 10)
    assert (report.quality.first, report.quality.last) == (day(10), day(10))
    assert date(2024, 1, 11) == report.quality.first.date()
    assert timedelta(days=1) == DAY


def test_a_provider_is_asked_once_what_it_knows_and_never_about_what_is_stored(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(40)))
    load(store, provider)
    assert provider.looked_up == ["ABC 1d"]
    load(store, provider)
    load(store, provider, "tail", today=110)
    assert provider.looked_up == ["ABC 1d"]


class LateProvider(ScriptedProvider):
    """Publishes bars some days after they are over."""

    settling = 7 * DAY


def test_bars_that_are_published_late_are_no_holes(store: BarStore) -> None:
    """On day 30 the source has bars up to 26; what it has not yet is not taken for nothing."""
    provider = LateProvider(daily(range(27)), longest_days=100)
    assert load(store, provider, today=30).quality.bars == 27
    provider.bars = daily(range(40))
    assert load(store, provider, today=33).counts.new_bars == 6
    assert numbers(store) == list(range(33))
    load(store, LateProvider(daily(range(40)), longest_days=100), today=60)
    assert store.meta(SERIES).known == Intervals([Interval(day(0), day(60) + NOON - 7 * DAY)])


def test_an_answer_without_the_neighbour_it_was_asked_for_is_not_believed(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(100)), longest_days=100)
    load(store, provider, "full", 0, 49)
    provider.bars = daily(range(60, 100))
    with pytest.raises(ProviderFailed, match="did not give the bar of 2024-02-19 00:00 again"):
        load(store, provider, "full", 0, 99)
    assert store.meta(SERIES).known == Intervals([Interval(day(0), day(50))])


def test_nothing_is_asked_from_before_the_provider_begins(store: BarStore) -> None:
    provider = ScriptedProvider(daily(range(50, 60)), longest_days=5)
    load(store, provider, "full", -3000, 59)
    assert min(each.start for each in provider.asked) == day(50)


def test_a_damaged_sidecar_is_mended_by_a_load_whose_symbols_were_looked_up_first(
    store: BarStore, tmp_path: Path
) -> None:
    provider = ScriptedProvider(daily(range(50)))
    load(store, provider)
    next(tmp_path.rglob("meta.json")).write_text("{")
    loader = SeriesLoader(
        store, provider, SERIES, Wish(), now=day(60), notice=lambda *_: None, wait=threading.Event().wait
    )
    loader.look_up()
    report = loader.load()
    assert (report.quality.bars, report.counts.mended) == (50, ("meta.json",))
