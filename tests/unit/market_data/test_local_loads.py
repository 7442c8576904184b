"""Coarser bars of what is stored: made once, made further as finer ones come, and from nobody else."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid, InputInvalid, NotFound
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import expected_opens
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.load import read_bars
from ktrdr.market_data.load_report import LoadReport
from ktrdr.market_data.loading import SeriesLoader, Wish
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import open_provider
from ktrdr.market_data.resample import resample
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.sources import find_series, open_loader
from ktrdr.market_data.store import BarStore
from support.scripted_provider import ScriptedProvider
from support.synthetic_bars import bars_at

NOW = datetime(2024, 6, 1, tzinfo=UTC)
MINUTES = Series("import", "ACME", "5m")
HOURS = Series("import", "ACME", "1h")


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type,misc]


FIRST = at(2024, 3, 1)


def minutes(last: datetime, first: datetime = FIRST) -> pl.DataFrame:
    return bars_at(expected_opens(open_calendar("XNYS"), "5m", Interval(first, last)).to_list())


def loader_of(store: BarStore, series: Series, wish: Wish) -> SeriesLoader:
    return open_loader(
        store,
        series,
        wish,
        lambda name, adjustment, timeframe: open_provider(name, ProviderSettings(), adjustment, timeframe),
        now=NOW,
        notice=lambda *_: None,
        wait=threading.Event().wait,
    )


def make(store: BarStore, series: Series = HOURS) -> LoadReport:
    return loader_of(store, series, Wish("local")).load()


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    store = BarStore(tmp_path)
    store.replace(MINUTES, [minutes(at(2024, 3, 14, 17, 45))], Terms("split", "XNYS"))
    return store


def test_hours_are_made_of_minutes_up_to_the_last_whole_one(store: BarStore) -> None:
    report = make(store)
    kept = store.read(HOURS)
    assert kept.equals(resample(store.read(MINUTES), "5m", "1h", open_calendar("XNYS")).bars)
    assert kept["time"][-1] == at(2024, 3, 14, 16, 30)
    made = Terms("split", "XNYS", made_of=store.meta(MINUTES).origin)
    assert (report.terms, report.counts.new_bars) == (made, kept.height)
    again = make(store)
    assert (again.counts.requests, again.quality.bars) == (0, kept.height)


def test_more_minutes_make_more_hours_and_no_earlier_one_again(store: BarStore) -> None:
    before = make(store)
    store.extend(
        MINUTES,
        minutes(at(2024, 3, 19), at(2024, 3, 14, 17, 45)),
        Interval(at(2024, 3, 14, 17, 45), at(2024, 3, 19)),
        Terms("split", "XNYS"),
    )
    after = make(store)
    assert after.quality.missing == 0
    assert after.counts.new_bars == after.quality.bars - before.quality.bars
    assert store.read(HOURS)["time"][-1] == at(2024, 3, 18, 19, 30)


def test_earlier_minutes_make_earlier_hours(store: BarStore) -> None:
    make(store)
    earlier = Interval(at(2024, 2, 20), at(2024, 3, 1))
    store.extend(MINUTES, minutes(earlier.end, earlier.start), earlier, Terms("split", "XNYS"))
    make(store)
    assert store.read(HOURS)["time"][0] == at(2024, 2, 20, 14, 30)


def test_the_close_cuts_the_last_hour_short_and_it_is_made(tmp_path: Path) -> None:
    """An import that ends with the session has its last half hour, which nothing more can follow."""
    store = BarStore(tmp_path)
    store.replace(MINUTES, [minutes(at(2024, 3, 9))], Terms("split", "XNYS"))
    make(store)
    assert store.read(HOURS)["time"][-1] == at(2024, 3, 8, 20, 30)


def test_days_are_made_of_minutes_not_of_the_hours_beside_them(store: BarStore) -> None:
    make(store)
    days = make(store, Series("import", "ACME", "1d"))
    assert (days.quality.bars, days.quality.last) == (9, at(2024, 3, 13))


def test_hours_made_of_minutes_that_were_replaced_are_refused_until_deleted(store: BarStore) -> None:
    """An import in place of another makes what was made of it untrue."""
    make(store)
    store.replace(MINUTES, [minutes(at(2024, 3, 14))], Terms("split", "XNYS"))
    with pytest.raises(DataInvalid, match="ACME 1h was made of other bars than are there now") as stale:
        make(store)
    assert "`ktrdr data delete ACME --timeframe 1h` first" in str(stale.value.hint)
    store.delete(HOURS)
    assert make(store).quality.last == at(2024, 3, 13, 19, 30)


def test_bars_of_ones_own_are_never_mixed_with_made_ones(store: BarStore) -> None:
    own = resample(store.read(MINUTES), "5m", "1h", open_calendar("XNYS")).bars[:5]
    store.replace(HOURS, [own], Terms("split", "XNYS"))
    assert make(store).quality.bars == 5


@pytest.mark.parametrize("terms", [Terms("raw", "XNYS"), Terms("split", "XNYS", "regular")])
def test_bars_are_made_only_of_bars_on_the_same_terms(tmp_path: Path, terms: Terms) -> None:
    """Raw minutes make no adjusted hours, and minutes of the sessions none that claim all hours."""
    store = BarStore(tmp_path)
    store.replace(MINUTES, [minutes(at(2024, 3, 9))], terms)
    asked = open_loader(
        store,
        HOURS,
        Wish("local", hours="all"),
        lambda *_: pytest.fail("nobody is asked"),
        adjustment="split",
        now=NOW,
        notice=lambda *_: None,
        wait=threading.Event().wait,
    )
    if terms.adjustment == "raw":
        with pytest.raises(DataInvalid, match="nor finer ones to make them of"):
            asked.load()
    else:
        assert asked.load().terms.hours == "regular"


def test_bars_without_a_calendar_are_not_put_together(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(MINUTES, [minutes(at(2024, 3, 9))])
    with pytest.raises(DataInvalid, match="when ACME trades is not known") as refused:
        make(store)
    assert "--calendar" in str(refused.value.hint)


def test_imported_bars_have_nobody_to_be_asked(store: BarStore) -> None:
    with pytest.raises(InputInvalid, match="the bars of ACME were imported"):
        loader_of(store, MINUTES, Wish("tail"))
    assert loader_of(store, MINUTES, Wish("local")).load().counts.requests == 0


def test_a_series_is_found_by_what_is_there_finer_bars_included(store: BarStore) -> None:
    assert find_series(store, "ACME", "1h") == HOURS
    assert find_series(store, "ACME", "1m").provider == "sample"
    assert find_series(store, "ACME", "1h", "ccxt:kraken").provider == "ccxt:kraken"
    for provider in ("yfinance", "ccxt"):
        store.replace(Series(provider, "ZZZ", "1d"), [minutes(at(2024, 3, 2))[:1]])
    with pytest.raises(InputInvalid, match="`ccxt`, `yfinance`"):
        find_series(store, "ZZZ", "1d")


def test_bars_for_use_are_those_of_the_dates_or_it_is_said_what_there_is(store: BarStore) -> None:
    used = read_bars(store, MINUTES, at(2024, 3, 4).date(), at(2024, 3, 4).date())
    assert (used.bars.height, used.provider, used.adjustment) == (78, "import", "split")
    other = read_bars(store, MINUTES, at(2024, 3, 5).date(), at(2024, 3, 5).date())
    assert used.fingerprint != other.fingerprint
    with pytest.raises(DataInvalid, match="no ACME 5m bars from 2025-01-01 to None") as nothing:
        read_bars(store, MINUTES, at(2025, 1, 1).date(), None)
    assert nothing.value.hint == "there are 753: --start-date 2024-03-01 --end-date 2024-03-14"
    with pytest.raises(NotFound):
        read_bars(store, HOURS, None, None)


def test_trading_hours_are_kept_alone_and_never_mixed_with_others(tmp_path: Path) -> None:
    """A source that trades around the clock, and a series that is kept for the sessions alone."""
    store, series = BarStore(tmp_path), Series("scripted", "ACME", "30m")
    every = bars_at([at(2024, 3, 4) + number * timedelta(minutes=30) for number in range(96)])
    provider = ScriptedProvider(every, longest_days=30, calendar="XNYS")

    def load(wish: Wish) -> LoadReport:
        return SeriesLoader(
            store, provider, series, wish, now=NOW, notice=lambda *_: None, wait=threading.Event().wait
        ).load()

    regular = Wish("full", at(2024, 3, 4).date(), at(2024, 3, 5).date(), "regular")
    report = load(regular)
    assert (report.quality.bars, report.quality.outside, report.counts.outside_hours) == (26, 0, 70)
    assert store.meta(series).terms == Terms("raw", "XNYS", "regular")
    with pytest.raises(DataInvalid, match="kept with regular hours, not all"):
        load(Wish("full", at(2024, 3, 4).date()))
    provider.calendar = None
    unknown = Series("scripted", "OTHER", "30m")
    with pytest.raises(InputInvalid, match="the trading hours of OTHER are not known"):
        SeriesLoader(
            store, provider, unknown, regular, now=NOW, notice=lambda *_: None, wait=threading.Event().wait
        ).load()


def test_bars_from_before_the_calendar_begins_are_loaded_without_its_words(tmp_path: Path) -> None:
    """Tokyo's sessions are known from 1997 on."""
    old = bars_at([at(1990, 1, day) for day in range(8, 13)])
    loader = SeriesLoader(
        BarStore(tmp_path),
        ScriptedProvider(old, longest_days=30, calendar="XTKS"),
        Series("scripted", "OLD", "1d"),
        Wish("full", None, at(1990, 1, 20).date()),
        now=NOW,
        notice=lambda *_: None,
        wait=threading.Event().wait,
    )
    report = loader.load()
    assert (report.quality.bars, report.quality.coverage, report.terms.calendar) == (5, None, "XTKS")
