"""Stored bars as they are looked at: the right series, the newest of it, few groups, whole files."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.market_data.bar_export import csv_pieces, parquet_pieces
from ktrdr.market_data.bar_pages import grouped_bars, newest_bars
from ktrdr.market_data.bars import SCHEMA, day_range
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_choice import choose_series
from ktrdr.market_data.series_meta import DataDamaged, Series, Terms
from ktrdr.market_data.store import BarStore
from support.stored_bars import some_bars

MINUTES = Series("import", "EUR/USD", "1m")
ALL = day_range(None, None)
FIRST = datetime(2020, 1, 30, tzinfo=UTC)
BARS = some_bars(100_000)  # of four months, which are four files


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    kept = BarStore(tmp_path_factory.mktemp("bars"))
    kept.replace(MINUTES, [BARS], Terms("raw"))
    return kept


@pytest.fixture
def damaged(tmp_path: Path) -> BarStore:
    """Return a store whose first file is not what was written."""
    kept = BarStore(tmp_path)
    kept.replace(MINUTES, [BARS], Terms("raw"))
    oldest = min(tmp_path.rglob("*.parquet"))
    oldest.write_bytes(oldest.read_bytes() + b"x")
    return kept


def minutes(start: int, end: int) -> Interval:
    return Interval(FIRST + timedelta(minutes=start), FIRST + timedelta(minutes=end))


@pytest.mark.parametrize("limit", [1, 19, 5000, 60_000])
@pytest.mark.parametrize("within", [ALL, minutes(5, 3000), minutes(2880, 2881), minutes(50_000, 99_999)])
def test_the_newest_bars_of_a_range_are_the_last_that_open_in_it(
    store: BarStore, within: Interval, limit: int
) -> None:
    inside = BARS.filter(pl.col("time").is_between(within.start, within.end, "left"))
    assert newest_bars(store, MINUTES, within, limit).equals(inside.tail(limit))


def test_the_newest_bars_are_read_without_the_older_files(damaged: BarStore) -> None:
    assert newest_bars(damaged, MINUTES, ALL, 5000).equals(BARS.tail(5000))
    with pytest.raises(DataDamaged):
        newest_bars(damaged, MINUTES, ALL, 100_000)


@pytest.mark.parametrize("groups", [1, 7, 5000])
@pytest.mark.parametrize("within", [ALL, minutes(100, 60_000), minutes(3, 5), minutes(50_000, 200_000)])
def test_groups_are_of_equally_many_bars_and_keep_opens_extremes_closes_and_volume(
    store: BarStore, within: Interval, groups: int
) -> None:
    inside = BARS.filter(pl.col("time").is_between(within.start, within.end, "left"))
    found = grouped_bars(store, MINUTES, within, groups)
    assert found.height == min(groups, inside.height)
    assert (found["open"][0], found["close"][-1]) == (inside["open"][0], inside["close"][-1])
    assert (found["high"].max(), found["low"].min()) == (inside["high"].max(), inside["low"].min())
    places = [inside["time"].search_sorted(each) for each in found["time"]] + [inside.height]
    sizes = {after - before for before, after in pairwise(places)}
    assert max(sizes) - min(sizes) <= 1
    assert found["close"][:-1].to_list() == [inside["close"][each - 1] for each in places[1:-1]]
    whole = [inside["volume"][a:b].null_count() == 0 for a, b in pairwise(places)]
    assert found["volume"].is_not_null().to_list() == whole
    assert list(found.schema.items()) == list(SCHEMA.items())


def test_a_group_has_the_sum_of_its_volumes(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(MINUTES, [some_bars(6).with_columns(volume=pl.lit(2.0))], Terms("raw"))
    assert grouped_bars(store, MINUTES, ALL, 2)["volume"].to_list() == [6.0, 6.0]


@pytest.mark.parametrize("within", [ALL, minutes(2000, 60_000)])
def test_a_csv_file_says_every_bar_exactly(store: BarStore, within: Interval) -> None:
    text = b"".join(csv_pieces(store, MINUTES, within))
    header, *lines = text.decode().splitlines()
    inside = BARS.filter(pl.col("time").is_between(within.start, within.end, "left"))
    assert header == "time,open,high,low,close,volume"
    assert len(lines) == inside.height
    read = pl.read_csv(io.BytesIO(text), schema_overrides=dict.fromkeys(list(SCHEMA)[1:], pl.Float64))
    times = pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
    assert read.with_columns(times).equals(inside)


def test_a_csv_file_keeps_every_digit_and_fractions_of_seconds(tmp_path: Path) -> None:
    store, value = BarStore(tmp_path), 0.1 + 0.2
    moment = datetime(2020, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    rows = [(moment, value, value, value, value, 1e21)]
    store.replace(MINUTES, [pl.DataFrame(rows, schema=SCHEMA, orient="row")], Terms("raw"))
    line = b"".join(csv_pieces(store, MINUTES, ALL)).decode().splitlines()[1]
    time, opened, *_, volume = line.split(",")
    assert (time, float(opened), float(volume)) == ("2020-01-02T03:04:05.000060Z", value, 1e21)


@pytest.mark.parametrize("within", [ALL, minutes(2000, 60_000)])
def test_a_parquet_file_has_every_bar_exactly(store: BarStore, within: Interval) -> None:
    pieces = list(parquet_pieces(store, MINUTES, within))
    read = pl.read_parquet(io.BytesIO(b"".join(pieces)))
    assert read.equals(BARS.filter(pl.col("time").is_between(within.start, within.end, "left")))
    assert len(pieces) > 1


Look = Callable[[BarStore, Interval], object]
LOOKS: dict[str, Look] = {
    "newest": lambda store, within: newest_bars(store, MINUTES, within, 5),
    "groups": lambda store, within: grouped_bars(store, MINUTES, within, 5),
    "csv": lambda store, within: next(csv_pieces(store, MINUTES, within)),
    "parquet": lambda store, within: next(parquet_pieces(store, MINUTES, within)),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2021, 1, 1), date(2021, 2, 1), " from 2021-01-01 to 2021-02-01"),
        (date(2021, 1, 1), None, " from 2021-01-01"),
        (None, date(2020, 1, 29), " to 2020-01-29"),
    ],
)
def test_a_range_without_bars_is_an_error_that_names_what_there_is(
    store: BarStore, look: str, start: date | None, end: date | None, words: str
) -> None:
    with pytest.raises(NotFound) as caught:
        LOOKS[look](store, day_range(start, end))
    assert caught.value.message == f"there are no EUR/USD 1m bars{words}"
    assert caught.value.hint == "there are 100,000 from 2020-01-30 to 2020-04-08"


@pytest.mark.parametrize("look", LOOKS)
def test_a_series_whose_provider_had_nothing_is_said_to_have_nothing(tmp_path: Path, look: str) -> None:
    store = BarStore(tmp_path)
    store.extend(MINUTES, some_bars(0), minutes(0, 10), Terms("raw"))
    with pytest.raises(NotFound, match="EUR/USD 1m has no bars: its provider had none"):
        LOOKS[look](store, ALL)


@pytest.mark.parametrize("look", ["csv", "parquet"])
def test_a_damaged_file_is_never_exported(damaged: BarStore, look: str) -> None:
    with pytest.raises(DataDamaged):
        LOOKS[look](damaged, ALL)


def kept(tmp_path: Path, *series: Series) -> BarStore:
    store = BarStore(tmp_path)
    for each in series:
        store.replace(each, [some_bars(3, each.timeframe)], Terms("raw"))
    return store


def test_imported_bars_are_meant_before_all_others(tmp_path: Path) -> None:
    mine = Series("import", "AAPL", "1d")
    store = kept(tmp_path, Series("sample", "AAPL", "1d"), Series("yfinance", "AAPL", "1d"), mine)
    assert choose_series(store, "AAPL", "1d") == mine


def test_a_named_provider_is_meant_whatever_else_there_is(tmp_path: Path) -> None:
    named = Series("sample", "AAPL", "1d")
    store = kept(tmp_path, named, Series("import", "AAPL", "1d"))
    assert choose_series(store, "AAPL", "1d", "sample") == named


def test_the_only_provider_that_has_it_is_meant(tmp_path: Path) -> None:
    only = Series("yfinance", "AAPL", "1d")
    store = kept(tmp_path, only, Series("sample", "AAPL", "1h"), Series("sample", "MSFT", "1d"))
    assert choose_series(store, "AAPL", "1d") == only


def test_several_providers_are_named_and_not_guessed_from(tmp_path: Path) -> None:
    store = kept(tmp_path, Series("yfinance", "AAPL", "1d"), Series("sample", "AAPL", "1d"))
    with pytest.raises(InputInvalid) as caught:
        choose_series(store, "AAPL", "1d")
    assert caught.value.message == "AAPL 1d is there from several providers: `sample`, `yfinance`"
    assert caught.value.hint == "say which with --provider"


@pytest.mark.parametrize(
    ("stored", "asked", "words", "hint"),
    [
        ([], ("AAPL", "1d", None), "AAPL 1d", "`ktrdr data load AAPL` puts it in the store"),
        ([], ("AAPL", "1h", None), "AAPL 1h", "bring bars with `ktrdr data load` or `ktrdr data import`"),
        ([("sample", "AAPL", "1h")], ("AAPL", "1d", None), "AAPL 1d", "of AAPL there is AAPL 1h (`sample`)"),
        (
            [("ccxt:kraken", "X", "1d")],
            ("X", "1d", "sample"),
            "X 1d from `sample`",
            "of X there is X 1d (`ccxt:kraken`)",
        ),
        ([("import", "TSLA", "1d")], ("tsal", "1d", None), "tsal 1d", "there is TSLA 1d (`import`)"),
        ([("import", "TSLA", "1d")], ("QQQ", "1d", None), "QQQ 1d", "there is TSLA 1d (`import`)"),
        (
            [("import", f"S{number}", "1d") for number in range(10)],
            ("QQQ", "1d", None),
            "QQQ 1d",
            "there is " + ", ".join(f"S{number} 1d (`import`)" for number in range(8)) + ", ...",
        ),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    tmp_path: Path,
    stored: list[tuple[str, str, str]],
    asked: tuple[str, str, str | None],
    words: str,
    hint: str,
) -> None:
    store = kept(tmp_path, *(Series(*each) for each in stored))
    with pytest.raises(NotFound) as caught:
        choose_series(store, *asked)
    assert caught.value.message == f"there are no bars of {words}"
    assert caught.value.hint == hint
