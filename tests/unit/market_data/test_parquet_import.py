"""One's own Parquet file: only what its schema allows is read, slice by slice; damage is a sentence."""

import io
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import ImportOptions, Portions
from ktrdr.market_data.parquet_rows import ParquetRows
from ktrdr.market_data.sample import load_sample
from support.imports import NOW, SMALL, Importer

LARGE = Portions()
NO_TIME = "row 1: column `time`: `` is not a time"
FIRST = datetime(2024, 1, 2, 10, tzinfo=UTC)
HOURS = pl.DataFrame(
    {
        "time": [FIRST + timedelta(hours=number) for number in range(20)],
        **{name: [float(number + 1) for number in range(20)] for name in ("open", "high", "low", "close")},
        "note": [["nested"]] * 20,
    }
)


def parquet(bars: pl.DataFrame, **options: Any) -> bytes:
    buffer = io.BytesIO()
    bars.write_parquet(buffer, **options)
    return buffer.getvalue()


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


@pytest.mark.parametrize("portions", [LARGE, SMALL, Portions(rows=1, held=1)])
@pytest.mark.parametrize("row_group_size", [1, 7, 100])
def test_bars_come_back_whatever_is_held_at_once(
    importer: Importer, portions: Portions, row_group_size: int
) -> None:
    done = importer(parquet(HOURS, row_group_size=row_group_size), portions, timeframe="1h")
    assert done.bars["X"].drop("volume").equals(HOURS.drop("note"))
    assert done.bars["X"]["volume"].null_count() == 20
    assert done.report.ignored == ("note",)


def test_what_was_stored_can_be_imported(importer: Importer) -> None:
    bars = load_sample("IBM", "raw")
    assert importer(parquet(bars)).bars["X"].equals(bars)


HOUR_TIMES: Mapping[str, tuple[pl.Expr, dict[str, str]]] = {
    "another zone": (pl.col("time").dt.convert_time_zone("Asia/Tokyo"), {}),
    "no zone": (pl.col("time").dt.replace_time_zone(None), {"tz": "UTC"}),
    "nanoseconds": (pl.col("time").cast(pl.Datetime("ns", "UTC")), {}),
    "milliseconds": (pl.col("time").cast(pl.Datetime("ms", "UTC")), {}),
    "text": (pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), {}),
    "since 1970": (pl.col("time").dt.epoch("s"), {}),
}


@pytest.mark.parametrize("way", HOUR_TIMES)
def test_times_may_be_typed_in_any_way_that_says_when(importer: Importer, way: str) -> None:
    time, asked = HOUR_TIMES[way]
    bars = importer(parquet(HOURS.with_columns(time)), timeframe="1h", **asked).bars["X"]
    assert bars["time"].equals(HOURS["time"])


def test_days_keep_the_date_of_their_session(importer: Importer) -> None:
    days = pl.Series("time", [date(2024, 1, day) for day in range(1, 21)])
    midnights = days.cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York")
    for times in (days, midnights):
        bars = importer(parquet(HOURS.with_columns(times))).bars["X"]
        assert bars["time"].dt.date().to_list() == days.to_list()


@pytest.mark.parametrize(
    ("time", "asked", "words"),
    [
        (pl.col("time").dt.replace_time_zone(None), {}, "do not say their zone"),
        (pl.col("time").dt.date(), {}, "dates, which do not say when in the day"),
        (pl.col("time"), {"tz": "UTC"}, "carry their own offset"),
        (pl.col("time").dt.time(), {}, "column `time` is of type `Time`"),
        (pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("time"), {}, NO_TIME),
        (pl.lit(2**62).cast(pl.Datetime("us", "UTC")).alias("time"), {}, NO_TIME),
        (pl.lit(2**62).cast(pl.Datetime("ms", "UTC")).alias("time"), {}, NO_TIME),
    ],
)
def test_times_that_do_not_say_when_are_refused(
    importer: Importer, time: pl.Expr, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(DataInvalid, match=words):
        importer(parquet(HOURS.with_columns(time)), timeframe="1h", **asked)


def test_dates_no_calendar_has_are_no_times(importer: Importer) -> None:
    bars = HOURS.with_columns(pl.lit(2**31 - 1, dtype=pl.Int32).cast(pl.Date).alias("time"))
    with pytest.raises(DataInvalid, match=NO_TIME):
        importer(parquet(bars))


def test_numbers_may_be_whole_or_decimal(importer: Importer) -> None:
    for kind in (pl.Int32, pl.Decimal(10, 2), pl.Float32):
        bars = importer(parquet(HOURS.with_columns(pl.col("high", "close").cast(kind))), timeframe="1h").bars[
            "X"
        ]
        assert bars["close"].equals(HOURS["close"])


def test_symbols_may_be_categories(importer: Importer) -> None:
    ticker = pl.Series(["A", "B"] * 10).cast(pl.Categorical)
    hours = pl.Series([FIRST + timedelta(hours=number // 2) for number in range(20)])
    kinds = parquet(HOURS.with_columns(ticker=ticker, time=hours.cast(pl.Datetime("us", "UTC"))))
    done = importer(kinds, timeframe="1h", symbol="", symbol_column="ticker")
    assert [(each.symbol, each.bars) for each in done.report.series] == [("A", 10), ("B", 10)]


def test_offenders_are_counted_by_row(importer: Importer) -> None:
    broken = HOURS.with_columns(close=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("close")))
    done = importer(parquet(broken), timeframe="1h", tolerant=True)
    assert done.report.refused == 10
    assert done.report.offenders[0] == "row 2: `close` is not a finite number"


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (HOURS.drop("close"), "no column is named `close`; the columns are `time`"),
        (HOURS.with_columns(close=pl.lit("1.5")), "column `close` is of type `String`"),
        (HOURS.with_columns(close=pl.concat_list("open")), r"column `close` is of type `List\(Float64\)`"),
        (HOURS.clear(), "there is no bar in it"),
        (pl.DataFrame({f"c{number}": [1] for number in range(1001)}), "there are 1,001 columns"),
    ],
)
def test_fault_59_a_wrong_schema_is_refused_before_a_row_is_read(
    importer: Importer, bars: pl.DataFrame, words: str
) -> None:
    with pytest.raises(DataInvalid, match=words):
        importer(parquet(bars), timeframe="1h")


def test_fault_59_more_rows_than_anybody_has_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bars").write_bytes(parquet(HOURS))
    with pytest.raises(DataInvalid, match="it claims to have 20 rows"):
        ParquetRows(tmp_path / "bars", ImportOptions("1h", NOW), rows=5, most_rows=19)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "uncompressed"])
def test_fault_59_a_damaged_file_is_bars_or_a_sentence(importer: Importer, compression: str) -> None:
    generator = random.Random(59)
    whole = parquet(HOURS, compression=compression, row_group_size=7)
    sentences = set()
    for number in range(150):
        data = bytearray(whole)
        if number % 5:
            for _ in range(generator.choice([1, 1, 4])):
                data[generator.randrange(4, len(data))] = generator.choice([0, 255, generator.randrange(256)])
        else:
            data = data[: generator.randrange(4, len(data))]
        try:
            importer(bytes(data), timeframe="1h", tolerant=True)
        except DataInvalid as error:
            sentences.add(error.message.split(":")[0])
    assert "the Parquet file is damaged" in sentences
