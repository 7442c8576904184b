"""What is kept is exactly what was accepted, and a broken bar is named by its line."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.ingest import clean
from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.sources import find_series
from ktrdr.market_data.store import BarStore

BARS = load_sample("IBM", "raw")[:300]
SERIES = Series("import", "BTC/USDT", "1d")
UNKNOWN = pl.lit(None, pl.Float64).alias("volume")


def with_value(column: str, value: float | None, row: int = 6) -> pl.DataFrame:
    chosen = pl.int_range(pl.len()) == row
    return BARS.with_columns(pl.when(chosen).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", None, "not a finite number"),
        ("close", float("nan"), "not a finite number"),
        ("open", float("inf"), "not a finite number"),
        ("low", 0.0, "not above 0"),
        ("low", -1.0, "not above 0"),
        ("high", 1.0, "`high` is below open or close"),
        ("low", 1e6, "`low` is above open or close"),
        ("volume", -1.0, "`volume` is not a finite number of at least 0"),
    ],
)
def test_trap_13_a_broken_bar_is_named_by_its_line(column: str, value: float | None, words: str) -> None:
    with pytest.raises(DataInvalid, match="line 8: ") as caught:
        clean(with_value(column, value), pl.int_range(2, 302, eager=True))
    assert words in caught.value.message


def test_trap_13_a_missing_volume_is_allowed() -> None:
    kept, _ = clean(with_value("volume", None))
    assert kept["volume"].null_count() == 1


def test_trap_13_exact_duplicates_are_dropped_and_counted() -> None:
    kept, dropped = clean(pl.concat([BARS, BARS[:7]]))
    assert dropped == 7
    assert kept.equals(BARS)


def test_trap_13_two_different_bars_of_one_time_are_refused() -> None:
    with pytest.raises(DataInvalid, match="line 301: another bar of 2000"):
        clean(pl.concat([BARS, with_value("volume", 5.0)[6:7]]))


def test_trap_14_shuffled_and_duplicated_input_gives_an_identical_store(tmp_path: Path) -> None:
    shuffled = pl.concat([BARS, BARS[20:40]]).sample(fraction=1.0, shuffle=True, seed=4)
    for name, bars in (("one", BARS), ("two", shuffled)):
        BarStore(tmp_path / name).replace(SERIES, [clean(bars)[0]])
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert first == second


def test_what_was_written_is_read_and_listed(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(SERIES, [BARS])
    assert store.read(SERIES).equals(BARS)
    (info,) = store.list()
    assert (info.series, info.rows) == (SERIES, 300)


def test_symbols_that_differ_only_in_case_do_not_meet(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    for symbol in ("ABC", "abc", "../abc", "^GSPC"):
        store.replace(Series("import", symbol, "1d"), [BARS])
    folders = {path.name.lower() for path in (tmp_path / "import").iterdir()}
    assert len(folders) == 4
    assert not (tmp_path / "abc").exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(SERIES, [BARS])
    file = next(tmp_path.rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(DataInvalid, match=file.name):
        store.read(SERIES)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": {"2000.parquet": 1}}', '{"files": 3}'])
def test_a_damaged_sidecar_hides_no_other_series_and_a_new_import_mends_it(tmp_path: Path, text: str) -> None:
    store, other = BarStore(tmp_path), Series("import", "OTHER", "1d")
    for series in (SERIES, other):
        store.replace(series, [BARS])
    (next((tmp_path / "import").glob("BTC*/1d/meta.json"))).write_text(text)
    assert [each.series for each in store.list()] == [other]
    with pytest.raises(DataInvalid, match="is damaged"):
        store.read(SERIES)
    store.replace(SERIES, [BARS])
    assert store.read(SERIES).equals(BARS)


def test_whoever_reads_while_another_writes_reads_the_old_or_the_new(tmp_path: Path) -> None:
    store, versions = BarStore(tmp_path), (BARS, BARS.with_columns(pl.col("volume") + 1))
    store.replace(SERIES, [BARS])

    def write() -> None:
        for number in range(40):
            store.replace(SERIES, [versions[number % 2]])

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            read = store.read(SERIES)
            assert any(read.equals(each) for each in versions)
        writing.result()


def test_imported_bars_win_over_a_providers(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    assert find_series(store, "IBM", "1d").provider == "sample"
    for provider in ("import", "sample"):
        store.replace(Series(provider, "IBM", "1d"), [BARS])
    assert find_series(store, "IBM", "1d").provider == "import"


def test_what_is_made_of_a_series_is_told_when_its_bars_change_where_they_were_known(tmp_path: Path) -> None:
    """Bars that follow leave the origin as it is; one in between, or a volume that is learned, changes it."""
    store = BarStore(tmp_path)
    store.add(SERIES, [BARS[:10].vstack(BARS[12:20]).with_columns(UNKNOWN)], Terms("raw"))
    origins = [store.meta(SERIES).origin]
    for more in (BARS[20:30], BARS[15:30].with_columns(UNKNOWN), BARS[10:12], BARS[:3]):
        store.add(SERIES, [more], Terms("raw"))
        origins.append(store.meta(SERIES).origin)
    assert [before == after for before, after in pairwise(origins)] == [True, True, False, False]
    assert store.read(SERIES)["time"].equals(BARS[:30]["time"])
