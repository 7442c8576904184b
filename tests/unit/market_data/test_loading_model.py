"""Loads in any order, cut off by crashes and deletions: what a series says it knows is always true."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ktrdr.errors import DataInvalid
from ktrdr.market_data.chunks import Mode
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.loading import SeriesLoader, Wish
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from support.crashes import crashing_at
from support.scripted_provider import ScriptedProvider, daily, day

SERIES = Series("scripted", "ABC", "1d")
LAST = 420
THERE = [number for number in range(LAST) if number % 7 < 5 and not 150 <= number < 200]
BARS = daily(THERE)
days = st.integers(0, LAST - 1)
crash_points = st.none() | st.integers(0, 60)
modes: st.SearchStrategy[Mode] = st.sampled_from(["full", "tail", "backfill"])


def never(_: float) -> None:
    raise AssertionError("nobody else loads it")


class LoadingMachine(RuleBasedStateMachine):
    """One series, its provider, and a process that may die at any touch of the file system."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(mode=modes, start=days, length=st.integers(0, 120), today=days, crash=crash_points)
    def load(self, mode: Mode, start: int, length: int, today: int, crash: int | None) -> None:
        provider, over = ScriptedProvider(BARS, longest_days=30), max(today, start + 1)
        loader = SeriesLoader(
            BarStore(self.folder),
            provider,
            SERIES,
            Wish(mode, day(start).date(), day(start + length).date()),
            now=day(over),
            notice=lambda *_: None,
            wait=never,
        )
        asked = Intervals([Interval(day(start), day(min(start + length + 1, over)))])
        is_known = not asked.subtract(self.known())
        with crashing_at(10**9 if crash is None else crash):
            try:
                loader.load()
            except DataInvalid as error:
                assert "there are no ABC 1d bars" in error.message or "no finished bar" in error.message
        assert not (mode == "full" and is_known and provider.asked)

    @rule(crash=crash_points)
    def delete(self, crash: int | None) -> None:
        store = BarStore(self.folder)
        if store.has(SERIES):
            with crashing_at(10**9 if crash is None else crash):
                store.delete(SERIES)

    def known(self) -> Intervals:
        store = BarStore(self.folder)
        return store.meta(SERIES).known if store.has(SERIES) else Intervals()

    @invariant()
    def what_is_known_is_what_the_provider_has(self) -> None:
        store = BarStore(self.folder)
        if not store.has(SERIES):
            return
        known = store.meta(SERIES).known
        wanted = [
            number for number in THERE if Intervals([Interval(day(number), day(number + 1))]).intersect(known)
        ]
        assert store.read(SERIES).equals(daily(wanted))


TestLoading = LoadingMachine.TestCase
TestLoading.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
