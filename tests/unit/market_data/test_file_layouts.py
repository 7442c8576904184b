"""How a file of one's own is written shows in it; what nothing in it shows is asked for, never guessed."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from support.imports import SMALL, Imported, Importer
from support.source_files import zipped

ROWS = "2024-01-02,1,2,0.5,1.5,7\n2024-01-03,1,2,0.5,1.5,7\n"
HEADER = "Date,Open,High,Low,Close,Volume\n"
PRICES = ("open", "high", "low", "close")


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def times(done: Imported, symbol: str = "X") -> Sequence[str]:
    return done.bars[symbol]["time"].dt.strftime("%Y-%m-%d %H:%M").to_list()


@pytest.mark.parametrize(
    ("header", "rows", "asked"),
    [
        ("time,open,high,low,close,MA,MA", "2024-01-02,1,2,0.5,1.5,8,9\n2024-01-03,1,2,0.5,1.5,8,9", {}),
        ("sep=,\nDate,Open,High,Low,Close", "2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5", {}),
        ('"sep=;"\nDate;Open;High;Low;Close', "2024-01-02;1;2;0.5;1.5\n2024-01-03;1;2;0.5;1.5", {}),
        (
            "Prices, as of today\nDate,Open,High,Low,Close",
            "2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5",
            {},
        ),
        (
            "a\nb\nDate,Open,High,Low,Close",
            "2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5",
            {"skip_lines": 2},
        ),
        (",Open,High,Low,Close", "2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5", {}),
        ("Date,Open,High,Low,Close", "2024-01-02,1,2,0.5,1.5,\n2024-01-03,1,2,0.5,1.5,", {}),
        (
            ",T,Open,High,Low,Close",
            "2024-01-02,x,1,2,0.5,1.5\n2024-01-03,x,1,2,0.5,1.5",
            {"columns": {"time": ""}},
        ),
        (
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>",
            "2024.01.02\t00:00:00\t1\t2\t0.5\t1.5\n2024.01.03\t00:00:00\t1\t2\t0.5\t1.5",
            {},
        ),
        (
            "D,C,Open,High,Low,Close",
            "20240102,000000,1,2,0.5,1.5\n20240103,000000,1,2,0.5,1.5",
            {"columns": {"time": "D+C"}},
        ),
        (
            "D+C,C,Open,High,Low,Close",
            "2024-01-02,x,1,2,0.5,1.5\n2024-01-03,x,1,2,0.5,1.5",
            {"columns": {"time": "D+C"}},
        ),
        ("Datum;Erster;Hoch;Tief;Schlusskurs", "02.01.2024;1;2;0,5;1,5\n03.01.2024;1;2;0,5;1,5", {}),
        ("Data;Abertura;Máxima;Mínima;Fechamento", "02.01.2024;1;2;0,5;1,5\n03.01.2024;1;2;0,5;1,5", {}),
        ("Datum;Öppning;Högst;Lägst;Stängning", "2024-01-02;1;2;0,5;1,5\n2024-01-03;1;2;0,5;1,5", {}),
        ("Datum;Open;Hoog;Laag;Slot", "2024-01-02;1;2;0,5;1,5\n2024-01-03;1;2;0,5;1,5", {}),
        ("DATE;OUVERTURE;PLUS HAUT;PLUS BAS;CLOTURE", "2024-01-02;1;2;0,5;1,5\n2024-01-03;1;2;0,5;1,5", {}),
        (
            "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie",
            "2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5",
            {},
        ),
        (
            "Fecha;Apertura;Máximo;Mínimo;Cierre",
            "02/01/2024;1;2;0,5;1,5\n03/01/2024;1;2;0,5;1,5",
            {"time_format": "%d/%m/%Y"},
        ),
    ],
)
def test_the_same_bars_are_found_however_their_columns_are_named(
    importer: Importer, header: str, rows: str, asked: dict[str, Any]
) -> None:
    done = importer(f"{header}\n{rows}\n", **asked)
    assert times(done) == ["2024-01-02 00:00", "2024-01-03 00:00"]
    assert done.bars["X"].select(PRICES).rows() == [(1.0, 2.0, 0.5, 1.5)] * 2


@pytest.mark.parametrize("order", ["open high low close", "low high open close", "open close high low"])
def test_columns_without_names_are_proposed_in_the_order_that_their_first_row_shows(
    importer: Importer, order: str
) -> None:
    bar = {"open": "1", "high": "2", "low": "0.5", "close": "1.5"}
    row = ",".join(["2024-01-02", *(bar[name] for name in order.split()), "7"])
    proposed = " ".join(
        f"--map {name}={place}" for place, name in enumerate(["time", *order.split(), "volume"], 1)
    )
    with pytest.raises(DataInvalid) as refused:
        importer(f"{row}\n")
    assert (refused.value.hint or "").startswith(f"add --no-header {proposed} ")


def test_a_line_that_is_skipped_is_told(importer: Importer) -> None:
    assert importer("https://prices.example\n" + HEADER + ROWS).report.skipped == ("https://prices.example",)


def test_a_needed_column_that_is_there_twice_is_refused_where_it_is_named(importer: Importer) -> None:
    text = "Date,Open,High,Low,Close,MA,MA\n2024-01-02,1,2,0.5,1.5,8,9\n"
    with pytest.raises(DataInvalid, match="line 1: column `MA` is there twice") as caught:
        importer(text, columns={"close": "MA"})
    assert "columns 6 and 7" in str(caught.value.hint)
    positions = {"time": "1", "open": "2", "high": "3", "low": "4", "close": "5", "volume": "7"}
    done = importer(text, columns=positions, no_header=True, skip_lines=1)
    assert done.bars["X"]["volume"].to_list() == [9.0]


def test_lines_are_counted_from_the_first_of_the_file_whatever_comes_before_the_header(
    importer: Importer,
) -> None:
    with pytest.raises(DataInvalid, match="line 5: column `Close`"):
        importer(
            "a\nb\n" + HEADER + ROWS.splitlines(keepends=True)[0] + "2024-01-03,1,2,1,x,7\n", skip_lines=2
        )


def test_no_bar_is_taken_for_a_header(importer: Importer) -> None:
    """Whatever is mapped: a first line of numbers is a bar, which an import must not lose."""
    columns = dict(zip(("time", *PRICES), ("2024-01-02", "1", "2", "0.5", "1.5"), strict=True))
    with pytest.raises(DataInvalid, match="line 1: these are numbers and no names of columns"):
        importer(ROWS, columns=columns)
    numbered = {name: str(number) for number, name in enumerate(("time", *PRICES, "volume"), 1)}
    assert importer(ROWS, columns=numbered, no_header=True).bars["X"].height == 2
    with pytest.raises(DataInvalid, match="line 1: there is no column `9`"):
        importer(ROWS, columns=numbered | {"close": "9"}, no_header=True)


@pytest.mark.parametrize("label", ["Date,,,,,,,,\n", ""])
@pytest.mark.parametrize("is_field_first", [True, False])
def test_a_frame_of_several_symbols_becomes_a_series_each(
    importer: Importer, label: str, is_field_first: bool
) -> None:
    fields = ",Open,High,Low,Close,Open,High,Low,Close\n"
    symbols = ",A,A,A,A,B,B,B,B\n"
    head = fields + symbols if is_field_first else symbols + fields
    text = head + label + "2024-01-02,1,2,0.5,1.5,,,,\n2024-01-03,1,2,0.5,1.5,3,4,2,3\n"
    done = importer(text, symbol="")
    assert {name: bars.height for name, bars in done.bars.items()} == {"A": 2, "B": 1}
    assert done.bars["B"].select(PRICES).row(0) == (3.0, 4.0, 2.0, 3.0)
    assert done.report.without_price == 1
    with pytest.raises(DataInvalid, match="the file names its symbols itself: `A`, `B`") as caught:
        importer(text, symbol="A")
    assert caught.value.hint == "leave `A` out; all of them are imported"


def test_a_frame_of_one_symbol_is_imported_under_its_own_or_the_given_one(importer: Importer) -> None:
    text = "Price,Close,High,Low,Open\nTicker,A,A,A,A\nDate,,,,\n2024-01-02,1.5,2,0.5,1\n"
    assert list(importer(text, symbol="").bars) == ["A"]
    assert list(importer(text, symbol="MINE").bars) == ["MINE"]


def test_a_frame_of_several_symbols_is_read_from_parquet_too(importer: Importer) -> None:
    frame = pl.DataFrame({"Date": ["2024-01-02"]}).with_columns(
        pl.lit(value).alias(f"('{field.title()}', '{symbol}')")
        for symbol in "AB"
        for field, value in zip(PRICES, (1.0, 2.0, 0.5, 1.5), strict=True)
    )
    frame.write_parquet(importer.file)
    done = importer(importer.file.read_bytes(), symbol="")
    assert {name: bars.height for name, bars in done.bars.items()} == {"A": 1, "B": 1}


def test_a_file_that_names_no_symbol_needs_one(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="the file does not say what its bars are of"):
        importer(HEADER + ROWS, symbol="")
    named = "Ticker," + HEADER + "".join(f"AAPL,{row}\n" for row in ROWS.splitlines())
    assert list(importer(named, symbol="").bars) == ["AAPL"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$117.49", 117.49),
        ("117.49 €", 117.49),
        ("103.50 EUR", 103.5),
        ("USD 103.50", 103.5),
        ("R$ 1.234,50", 1234.5),
        ('"18,000.00"', 18000.0),
        ("18.000,00", 18000.0),
        ("1,5", 1.5),
        ("18'000.50", 18000.5),
        ("18 000,50", 18000.5),
        ("18\u202f000,50", 18000.5),
        ('"1,23,456.5"', 123456.5),
        ('"1,234,567"', 1234567.0),
        ("1.234.567", 1234567.0),
        ("0,123", 0.123),
        ("1e3", 1000.0),
        ("1.234", 1.234),
    ],
)
def test_a_number_that_can_be_written_in_one_way_only_is_read(
    importer: Importer, written: str, value: float
) -> None:
    text = "date;open;high;low;close\n" + f"2024-01-02;{written};{written};{written};{written}\n"
    assert importer(text).bars["X"]["close"].to_list() == [value]


def test_one_number_decides_for_the_whole_file_wherever_it_stands(importer: Importer) -> None:
    """What a plain file would mean by 1.234 is not what this one means, though its first lines look plain."""
    days = [f"2024-01-{day:02d};1.234;1.234;1.234;1.234;1.234\n" for day in range(2, 12)]
    text = (
        "date;open;high;low;close;volume\n" + "".join(days) + "2024-01-12;1.234,5;1.234,5;1.234,5;1.234,5;7\n"
    )
    bars = importer(text, SMALL).bars["X"]
    assert bars["close"].to_list() == [1234.0] * 10 + [1234.5]
    assert bars["volume"].to_list() == [1234.0] * 10 + [7.0]


@pytest.mark.parametrize(("asked", "value"), [({"thousands": ","}, 1234.0), ({"decimal_comma": True}, 1.234)])
def test_a_number_that_could_be_two_things_is_what_is_said(
    importer: Importer, asked: dict[str, Any], value: float
) -> None:
    text = "date;open;high;low;close\n2024-01-02;1,234;1,234;1,234;1,234\n"
    assert importer(text, **asked).bars["X"]["close"].to_list() == [value]
    with pytest.raises(DataInvalid, match="`1,234` could be a number of thousands or have decimals"):
        importer(text)


@pytest.mark.parametrize(
    ("written", "volume"),
    [
        ("1.2M", 1.2e6),
        ("3K", 3e3),
        ("1.5B", 1.5e9),
        ("-1", None),
        ("nan", None),
        ("", None),
        ("null", None),
    ],
)
def test_volumes_have_units_or_are_unknown(importer: Importer, written: str, volume: float | None) -> None:
    done = importer(HEADER + f"2024-01-02,1,2,0.5,1.5,{written}\n")
    assert done.bars["X"]["volume"].to_list() == [volume]
    assert done.report.unknown_volumes == (volume is None)


def test_a_volume_may_be_left_out_and_a_row_without_prices_is_no_bar(importer: Importer) -> None:
    text = HEADER + ROWS + "2024-01-04,null,null,null,null,null\n2024-01-05,1,2,0.5,1.5,-7\n"
    done = importer(text, columns={"volume": ""})
    assert (done.bars["X"].height, done.report.without_price, done.report.unknown_volumes) == (3, 1, 3)
    with pytest.raises(DataInvalid, match="line 5: `volume` is not a finite number"):
        importer(text)


@pytest.mark.parametrize(
    "rows",
    [
        ["12/02/2024", "13/02/2024"],
        ["13/02/2024", "12/02/2024"],
        ["02/12/2024", "02/13/2024"],
        ["12-02-2024", "13-02-2024"],
        ["12-Feb-2024", "13-Feb-2024"],
        ["12.02.2024", "13.02.2024"],
        ["2024/02/12", "2024/02/13"],
    ],
)
def test_one_day_decides_the_order_of_all_where_nothing_else_does(
    importer: Importer, rows: list[str]
) -> None:
    text = "date,open,high,low,close,volume\n" + "".join(f"{each},1,2,0.5,1.5,\n" for each in rows)
    assert times(importer(text, SMALL)) == ["2024-02-12 00:00", "2024-02-13 00:00"]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("02/13/24", "add --time-format %m/%d/%y"),
        ("2/13/24 00:00", "add --time-format '%m/%d/%y %H:%M'"),
        ("13.02.24", "add --time-format %d.%m.%y"),
        ("13-Feb-24", "add --time-format %d-%b-%y"),
        ("02/03/24", "add --time-format %m/%d/%y (or %d/%m/%y)"),
    ],
)
def test_years_of_two_digits_are_refused_with_their_format(
    importer: Importer, written: str, hint: str
) -> None:
    with pytest.raises(DataInvalid, match="years of two digits") as refused:
        importer(f"{HEADER}{written},1,2,0.5,1.5,7\n")
    assert refused.value.hint == hint


@pytest.mark.parametrize("written", ["45300", "45355.25"])
def test_days_that_a_spreadsheet_counts_are_named_with_the_way_out(importer: Importer, written: str) -> None:
    with pytest.raises(DataInvalid, match=f"counts days as spreadsheets do, as `{written}`") as refused:
        importer(f"{HEADER}{written},1,2,0.5,1.5,7\n")
    assert "show the column as dates" in (refused.value.hint or "")


def test_clocks_of_twelve_hours_are_proposed_with_the_month_first(importer: Importer) -> None:
    with pytest.raises(DataInvalid) as refused:
        importer(f"{HEADER}02/03/2024 9:30:00 AM,1,2,0.5,1.5,7\n", timeframe="1h", tz="UTC")
    assert refused.value.hint == "add --time-format '%m/%d/%Y %I:%M:%S %p' (or %d/%m/%Y %I:%M:%S %p)"


def test_seconds_since_1970_are_read_where_a_wall_time_is_beside_them(importer: Importer) -> None:
    text = "datetime,timestamp,open,high,low,close\n2024-01-01 19:00:00,1704153600000,1,2,0.5,1.5\n"
    assert times(importer(text, timeframe="1h")) == ["2024-01-02 00:00"]


def test_a_day_of_a_short_year_and_a_clock_beside_it_are_one_time(importer: Importer) -> None:
    text = "<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>\n13/02/24;09:00;1;2;0.5;1.5\n"
    with pytest.raises(DataInvalid) as refused:
        importer(text, timeframe="1h", tz="UTC")
    assert refused.value.hint == "add --time-format '%d/%m/%y %H:%M'"


def test_units_below_the_header_are_no_symbols(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="line 2: ") as refused:
        importer(f"{HEADER},USD,USD,USD,USD,shares\n{ROWS}")
    assert "--quarantine" in (refused.value.hint or "")


def test_seconds_since_1970_may_be_floating_point_numbers_in_parquet(importer: Importer) -> None:
    for unit in (1, 10**3, 10**6, 10**9):
        frame = pl.DataFrame({"time": [1704067200.0 * unit, 1704070800.0 * unit]}).with_columns(
            pl.lit(1.0).alias(name) for name in PRICES
        )
        frame.write_parquet(importer.file)
        done = importer(importer.file.read_bytes(), timeframe="1h")
        assert times(done) == ["2024-01-01 00:00", "2024-01-01 01:00"]
    pl.DataFrame({"time": [math.nan]}).with_columns(pl.lit(1.0).alias(name) for name in PRICES).write_parquet(
        importer.file
    )
    with pytest.raises(DataInvalid, match="row 1: column `time`: `NaN` is not a time"):
        importer(importer.file.read_bytes(), timeframe="1h")


@pytest.mark.parametrize(
    "asked",
    [{"no_header": True}, {"skip_lines": 1}, {"separator": ";"}, {"thousands": ","}, {"decimal_comma": True}],
)
def test_options_of_text_are_refused_for_parquet(importer: Importer, asked: dict[str, Any]) -> None:
    pl.DataFrame({"time": ["2024-01-02"]}).write_parquet(importer.file)
    with pytest.raises(DataInvalid, match="has no text to be read in several ways"):
        importer(importer.file.read_bytes(), **asked)


@pytest.mark.parametrize(
    ("begun", "name"),
    [
        (b"ARROW1\0\0", "a Feather"),
        (b"\xd0\xcf\x11\xe0", "an older Excel"),
        (b"\xff\xfeD\0", "UTF-16 text"),
        (b"\x89HDF\r\n", "an HDF5"),
        (b"SQLite format 3\0", "an SQLite"),
        (b"<!DOCTYPE html>", "a web page"),
        (b'{"time": 1}', "JSON"),
        (b"BZh91AY", "packed"),
        (b"\x80\x04\x95", "a pickle"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_way_out(
    importer: Importer, begun: bytes, name: str
) -> None:
    with pytest.raises(DataInvalid, match=f"this is {name}") as caught:
        importer(begun)
    assert caught.value.hint
    with pytest.raises(DataInvalid, match=f"this is {name}"):
        importer(zipped({"packed": begun}))


def test_a_parquet_file_in_an_archive_is_named_with_the_way_out(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="this is a Parquet file in an archive") as caught:
        importer(zipped({"bars.parquet": b"PAR1\0\0"}))
    assert caught.value.hint == "unpack it and import what is in it"
