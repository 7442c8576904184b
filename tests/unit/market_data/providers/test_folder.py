"""Files of the operator's own: what they are called, what they may hold, and that no name leads out."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.folder import file_name, series_in
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import open_provider
from support.synthetic_bars import DAYS, HOURS

ALL = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
PRICES = "1,2,0.5,1.5,10"


def csv(folder: Path) -> BarProvider:
    return open_provider("csv", ProviderSettings(csv_folder=folder))


def parquet(folder: Path) -> BarProvider:
    return open_provider("parquet", ProviderSettings(parquet_folder=folder))


def write_csv(folder: Path, name: str, *times: str) -> None:
    rows = "".join(f"{each},{PRICES}\n" for each in times)
    (folder / name).write_text(f"time,open,high,low,close,volume\n{rows}")


def times_of(provider: BarProvider, symbol: str, timeframe: str) -> list[datetime]:
    return provider.fetch(symbol, timeframe, ALL)["time"].to_list()


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("AAPL", "AAPL.1h.csv"),
        ("BTC/USDT", "BTC%2FUSDT.1h.csv"),
        ("^GSPC", "^GSPC.1h.csv"),
        ("EURUSD=X", "EURUSD=X.1h.csv"),
        ("BRK-B", "BRK-B.1h.csv"),
        ("../x", "..%2Fx.1h.csv"),
        ("a b", "a%20b.1h.csv"),
        ("x\0y", "x%00y.1h.csv"),
    ],
)
def test_a_file_is_called_by_its_symbol_and_timeframe(symbol: str, expected: str) -> None:
    assert file_name(symbol, "1h", "csv") == expected


@given(st.text(), st.text())
def test_sec_15_no_symbol_and_no_timeframe_leads_out_of_the_folder(symbol: str, timeframe: str) -> None:
    try:
        name = file_name(symbol, timeframe, "csv")
    except UnicodeEncodeError:
        return
    assert "/" not in name
    assert "\0" not in name
    assert name not in (".", "..")


@pytest.mark.parametrize("symbol", ["\ud800", "x" * 5000, "../../etc/passwd", "\0", ""])
def test_sec_15_a_symbol_that_cannot_be_a_file_is_not_there(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(DataInvalid):
        csv(tmp_path).look_up(symbol, "1d")


@pytest.mark.parametrize(
    ("name", "variable"), [("csv", "KTRDR_CSV_FOLDER"), ("parquet", "KTRDR_PARQUET_FOLDER")]
)
def test_without_a_folder_the_hint_names_the_setting(name: str, variable: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        open_provider(name, ProviderSettings()).look_up("AAPL", "1d")
    assert variable in str(refused.value.hint)


def test_a_folder_that_is_not_there_has_no_bars(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="has no bars of AAPL 1d"):
        csv(tmp_path / "gone").look_up("AAPL", "1d")


def test_what_is_there_is_said_where_something_is_not(tmp_path: Path) -> None:
    for name in ("BTC%2FUSDT.1h.csv", "AAPL.1d.csv", "notes.csv", "AAPL.7x.csv", "AAPL.1d.parquet"):
        (tmp_path / name).touch()
    with pytest.raises(DataInvalid) as refused:
        csv(tmp_path).look_up("MSFT", "1d")
    assert refused.value.hint == "it has AAPL 1d, BTC/USDT 1h"
    assert sorted(series_in(tmp_path, "csv")) == [("AAPL", "1d"), ("BTC/USDT", "1h")]


def test_of_many_files_some_are_named_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"S{number:02}.1d.csv").touch()
    with pytest.raises(DataInvalid) as refused:
        csv(tmp_path).look_up("MSFT", "1d")
    assert str(refused.value.hint).endswith("S19 1d and 5 more")


def test_an_empty_folder_is_told_what_a_file_is_called(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid) as refused:
        csv(tmp_path).look_up("BTC/USDT", "1h")
    assert "BTC%2FUSDT.1h.csv" in str(refused.value.hint)


def test_sec_15_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write_csv(outside, "secret.csv", "2024-01-02")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "AAPL.1d.csv").symlink_to(outside / "secret.csv")
    with pytest.raises(DataInvalid, match="has no bars of AAPL 1d"):
        csv(inside).look_up("AAPL", "1d")


def test_sec_16_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "AAPL.1d.csv")
    (tmp_path / "MSFT.1d.csv").mkdir()
    for symbol in ("AAPL", "MSFT"):
        with pytest.raises(DataInvalid, match="has no bars"):
            csv(tmp_path).look_up(symbol, "1d")


@pytest.mark.parametrize("written", ["2024-01-02 15:00", "2024-01-02T15:00:00Z", "2024-01-02 16:00:00+01:00"])
def test_times_of_a_csv_file_are_utc_or_say_their_offset(tmp_path: Path, written: str) -> None:
    write_csv(tmp_path, "AAPL.1h.csv", written)
    assert times_of(csv(tmp_path), "AAPL", "1h") == [datetime(2024, 1, 2, 15, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("timeframe", "written"), [("1d", "yesterday"), ("1h", "noon"), ("1h", "2999-01-01 10:00")]
)
def test_a_broken_csv_file_is_named_with_the_line(tmp_path: Path, timeframe: str, written: str) -> None:
    write_csv(tmp_path, f"AAPL.{timeframe}.csv", written)
    with pytest.raises(DataInvalid, match=rf"`AAPL.{timeframe}.csv`: line 2"):
        csv(tmp_path).look_up("AAPL", timeframe)


def test_a_file_is_read_again_when_it_changed_and_what_it_can_speak_of_grows(tmp_path: Path) -> None:
    write_csv(tmp_path, "AAPL.1d.csv", "2024-01-02")
    provider = csv(tmp_path)
    first = datetime(2024, 1, 2, tzinfo=UTC)
    assert provider.reach("AAPL", "1d") is not None
    assert list(provider.reach("AAPL", "1d") or ()) == [Interval(first, first + timedelta(days=1))]
    write_csv(tmp_path, "AAPL.1d.csv", "2024-01-02", "2024-01-03")
    os.utime(tmp_path / "AAPL.1d.csv", ns=(1, 1))
    assert times_of(provider, "AAPL", "1d") == [first, first + timedelta(days=1)]
    assert list(provider.reach("AAPL", "1d") or ()) == [Interval(first, first + timedelta(days=2))]


def test_series_of_one_folder_are_not_mixed_up(tmp_path: Path) -> None:
    DAYS.write_parquet(tmp_path / "A.1d.parquet")
    HOURS.write_parquet(tmp_path / "A.1h.parquet")
    provider = parquet(tmp_path)
    heights = [provider.fetch("A", each, ALL).height for each in ("1d", "1h", "1d")]
    assert heights == [DAYS.height, HOURS.height, DAYS.height]


def test_a_parquet_file_may_lack_volume_and_have_other_columns(tmp_path: Path) -> None:
    DAYS.drop("volume").with_columns(note=pl.lit("x")).write_parquet(tmp_path / "A.1d.parquet")
    bars = parquet(tmp_path).fetch("A", "1d", ALL)
    assert bars.equals(DAYS.with_columns(volume=pl.lit(None, dtype=pl.Float64)))


def test_days_of_a_parquet_file_may_be_dates(tmp_path: Path) -> None:
    DAYS.with_columns(pl.col("time").dt.date()).write_parquet(tmp_path / "A.1d.parquet")
    assert parquet(tmp_path).fetch("A", "1d", ALL).equals(DAYS)


def test_days_of_a_parquet_file_keep_their_date_in_whatever_zone_they_are_written(tmp_path: Path) -> None:
    local = pl.col("time").dt.replace_time_zone("Asia/Tokyo")
    DAYS.with_columns(local).write_parquet(tmp_path / "A.1d.parquet")
    assert parquet(tmp_path).fetch("A", "1d", ALL).equals(DAYS)


def test_hours_of_a_parquet_file_are_the_same_moments_in_utc(tmp_path: Path) -> None:
    local = pl.col("time").dt.convert_time_zone("Asia/Tokyo").cast(pl.Datetime("ms", "Asia/Tokyo"))
    HOURS.with_columns(local).write_parquet(tmp_path / "A.1h.parquet")
    assert parquet(tmp_path).fetch("A", "1h", ALL).equals(HOURS)


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (HOURS.with_columns(pl.col("time").dt.replace_time_zone(None)), "does not say when"),
        (HOURS.with_columns(pl.col("time").dt.to_string("iso")), "does not say when"),
        (HOURS.drop("time"), "does not say when"),
        (HOURS.drop("low"), "no column `low`"),
        (HOURS.with_columns(open=pl.lit("x")), "cannot be read as bars"),
        (HOURS.with_columns(open=pl.lit(-1.0)), "line 1"),
        (HOURS.with_columns(pl.col("time").dt.offset_by("10y")), "of the future"),
        (HOURS.clear(), "has no bars"),
    ],
)
def test_a_parquet_file_that_is_none_of_bars_is_refused_by_name(
    tmp_path: Path, bars: pl.DataFrame, words: str
) -> None:
    bars.write_parquet(tmp_path / "A.1h.parquet")
    with pytest.raises(DataInvalid, match=words) as refused:
        parquet(tmp_path).look_up("A", "1h")
    assert refused.value.message.startswith("`A.1h.parquet`")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all" * 100])
def test_what_is_no_parquet_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "A.1d.parquet").write_bytes(content)
    with pytest.raises(DataInvalid, match=r"A\.1d\.parquet"):
        parquet(tmp_path).look_up("A", "1d")
