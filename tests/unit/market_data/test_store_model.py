"""The store against a plain set of days: put in, replaced, deleted, and cut off by crashes anywhere."""

import fcntl
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ktrdr.errors import DataInvalid
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from support.crashes import crashing_at, looking_at_each_open
from support.scripted_provider import daily, day

SERIES = Series("scripted", "ABC", "1d")
OTHER = Series("scripted", "abc", "1d")
LAST = 1000
RAW = Terms("raw")

days = st.integers(0, LAST)
lengths = st.integers(1, 400)
crash_points = st.none() | st.integers(0, 40)


@dataclass(frozen=True)
class Model:
    """Which days have a bar, of which version, and which are known to be there or to be empty."""

    bars: frozenset[tuple[int, int]] = frozenset()
    covered: frozenset[int] = frozenset()
    empty: frozenset[int] = frozenset()
    exists: bool = False


def has_bar(number: int) -> bool:
    """Every fifth day, and most of a year, nothing was traded."""
    return number % 5 != 0 and not 400 < number < 700


def bars_of(chosen: frozenset[tuple[int, int]]) -> pl.DataFrame:
    """Return a day's bar each; a version's close is its own."""
    frames = [daily([number], close=100.0 + 10_000 * version) for number, version in sorted(chosen)]
    return pl.concat([daily([]), *frames])


def moments(numbers: frozenset[int]) -> Intervals:
    return Intervals(Interval(day(number), day(number + 1)) for number in numbers)


class StoreMachine(RuleBasedStateMachine):
    """Each rule may end in a crash: then the store holds what was before, or what was meant to be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model = Model()
        self.version = 0
        BarStore(self.folder).replace(OTHER, [daily(range(3))])

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(start=days, length=lengths, crash=crash_points)
    def extend(self, start: int, length: int, crash: int | None) -> None:
        numbers = frozenset(range(start, start + length))
        self.version += 1
        found = frozenset((number, self.version) for number in numbers if has_bar(number))
        kept = frozenset(each for each in self.model.bars if each[0] not in numbers)
        nothing: frozenset[int] = frozenset()
        there, missing = (numbers, nothing) if found else (nothing, numbers)
        meant = Model(
            kept | found,
            (self.model.covered - numbers) | there,
            (self.model.empty - numbers) | missing,
            exists=True,
        )
        interval = Interval(day(start), day(start + length))
        self.change(lambda store: store.extend(SERIES, bars_of(found), interval, RAW), meant, crash)

    @rule(start=days, length=lengths, crash=crash_points)
    def replace(self, start: int, length: int, crash: int | None) -> None:
        self.version += 1
        numbers = [number for number in range(start, start + length) if has_bar(number)]
        if not numbers:
            return
        found = frozenset((number, self.version) for number in numbers)
        meant = Model(found, frozenset(range(numbers[0], numbers[-1] + 1)), exists=True)
        self.change(lambda store: store.replace(SERIES, [bars_of(found)], RAW), meant, crash)

    @rule(start=days, length=lengths, crash=crash_points, is_again=st.booleans())
    def add(self, start: int, length: int, crash: int | None, is_again: bool) -> None:
        """Bars join: of a version of their own, or again as they are; those that differ change nothing."""
        self.version += 1
        stored = dict(self.model.bars)
        numbers = [number for number in range(start, start + length) if has_bar(number)]
        if not numbers:
            return
        came = {each: stored.get(each, self.version) if is_again else self.version for each in numbers}
        if any(stored.get(each, version) != version for each, version in came.items()):
            with pytest.raises(DataInvalid, match="differ"):
                BarStore(self.folder).add(SERIES, [bars_of(frozenset(came.items()))], RAW)
            return
        fresh = frozenset((each, version) for each, version in came.items() if each not in stored)
        reached = frozenset(range(numbers[0], numbers[-1] + 1)) if fresh else frozenset()
        meant = Model(
            self.model.bars | fresh, self.model.covered | reached, self.model.empty - reached, exists=True
        )
        arrived = bars_of(frozenset(came.items()))
        self.change(lambda store: store.add(SERIES, [arrived], RAW), meant, crash)

    @rule(crash=crash_points)
    def delete(self, crash: int | None) -> None:
        if self.model.exists:
            self.change(lambda store: store.delete(SERIES), Model(), crash)

    @rule(start=days, length=lengths)
    def read_a_range(self, start: int, length: int) -> None:
        store, within = BarStore(self.folder), Interval(day(start), day(start + length))
        if store.has(SERIES):
            wanted = frozenset(each for each in self.model.bars if start <= each[0] < start + length)
            assert store.read(SERIES, within).equals(bars_of(wanted))

    def change(self, act: object, meant: Model, crash: int | None) -> None:
        assert callable(act)
        before = self.model
        with crashing_at(10**9 if crash is None else crash) as crashed:
            act(BarStore(self.folder))
        assert crash is not None or not crashed
        self.model = meant
        if crashed and not self.agrees(meant):
            self.model = replace(before)

    def agrees(self, model: Model) -> bool:
        store = BarStore(self.folder)
        if not store.has(SERIES):
            return not model.exists
        meta = store.meta(SERIES)
        return (
            model.exists
            and store.read(SERIES).equals(bars_of(model.bars))
            and (meta.covered, meta.empty) == (moments(model.covered), moments(model.empty))
            and meta.rows == len(model.bars)
        )

    @invariant()
    def the_store_holds_what_the_model_does(self) -> None:
        assert self.agrees(self.model)

    @invariant()
    def another_series_is_never_touched(self) -> None:
        assert BarStore(self.folder).read(OTHER).equals(daily(range(3)))


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


def test_what_a_crash_left_behind_is_removed_by_the_next_change(tmp_path: Path) -> None:
    """At every touch of the file system in turn, until one change needs fewer."""
    touch, crashed = 0, True
    while crashed:
        store = BarStore(tmp_path / str(touch))
        store.replace(SERIES, [daily(range(10))])
        with crashing_at(touch) as died:
            store.replace(SERIES, [daily(range(400), close=500.0)])
        crashed = bool(died)
        store.replace(SERIES, [daily(range(20))])
        folder = next((tmp_path / str(touch)).rglob("meta.json")).parent
        left = {path.name for path in folder.iterdir()}
        assert left == {"meta.json", ".lock", ".loading", *store.meta(SERIES).files}
        touch += 1
    assert touch > 10


def test_files_are_opened_while_nobody_can_replace_them(tmp_path: Path) -> None:
    """A writer that came between the sidecar and its files would remove them under the reader."""
    store = BarStore(tmp_path)
    store.replace(SERIES, [daily(range(800))])
    lock = next(tmp_path.rglob(".lock"))
    could_be_replaced: list[bool] = []

    def look(path: str) -> None:
        if path.endswith(".parquet"):
            with lock.open("w") as file:
                could_be_replaced.append(_is_free(file))

    with looking_at_each_open(look):
        store.read(SERIES)
    assert could_be_replaced == [False, False, False]


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
