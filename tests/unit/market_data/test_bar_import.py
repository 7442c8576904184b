"""Import of files of any size: the same whatever is held at once, and whatever the order of the lines."""

import gzip
import math
import random
import string
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ktrdr.errors import DataInvalid, OperationCancelled
from ktrdr.market_data.bar_import import BarImport
from ktrdr.market_data.csv_blocks import LONGEST_LINE, LineBlocks
from ktrdr.market_data.csv_fast import read_plain_rows
from ktrdr.market_data.csv_text import read_text_rows
from ktrdr.market_data.import_options import LINE, ImportOptions, Portions
from ktrdr.market_data.import_refusals import keep_refusals
from ktrdr.market_data.import_spill import BarSpill
from ktrdr.market_data.importing.layout import RowShape
from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.store import BarStore
from support.broken_files import BROKEN_CSV, GOOD, HEADER, NEXT
from support.imports import NOW, OPTIONS, SMALL, Imported, Importer

LARGE = Portions()
PORTIONS = [LARGE, SMALL, Portions(block=1, held=1), Portions(block=200, held=40)]
MINUTES = (
    HEADER
    + "".join(
        f"2024-01-{day:02d}T{hour:02d}:{minute:02d}:00Z,{10 + hour},{11 + hour},9,10,{minute}\n"
        for day in (30, 31)
        for hour in (22, 23)
        for minute in range(0, 60, 1)
    )
    + "2024-02-01T00:00:00Z,1,1,1,1,\n2024-02-01T00:01:00Z,1,1,1,1,0\n"
)
SEVERAL = (
    "date,ticker,open,high,low,close\n"
    + "".join(
        f"202{year}-0{month}-03,{name},{number},{number},{number},{number}\n"
        for year in (0, 1)
        for month in (1, 2, 3)
        for number, name in ((1, "AAPL"), (2, "BTC/USDT"), (3, "aapl"))
    )
    + "2020-01-04,AAPL,5,5,5,5,\n".replace(",\n", "\n")
)


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def outcome(importer: Importer, data: str | bytes, portions: Portions, **asked: object) -> object:
    """Return all that an import says of a file, or the error it ends with."""
    try:
        done = importer(data, portions, **asked)
    except DataInvalid as error:
        return (error.message, error.detail, error.hint)
    return (done.report.series, done.report.duplicates, done.refused, done.report.offenders, bars_of(done))


def bars_of(done: Imported) -> dict[str, list[tuple[object, ...]]]:
    return {symbol: bars.rows() for symbol, bars in done.bars.items()}


@pytest.mark.parametrize("portions", PORTIONS)
@pytest.mark.parametrize("tolerant", [False, True])
@pytest.mark.parametrize("name", BROKEN_CSV)
def test_fault_61_a_broken_file_says_the_same_whatever_is_held_at_once(
    importer: Importer, name: str, tolerant: bool, portions: Portions
) -> None:
    whole = outcome(importer, BROKEN_CSV[name][0], LARGE, tolerant=tolerant)
    assert outcome(importer, BROKEN_CSV[name][0], portions, tolerant=tolerant) == whole


@pytest.mark.parametrize("portions", PORTIONS)
def test_good_files_are_the_same_whatever_is_held_at_once(importer: Importer, portions: Portions) -> None:
    for text, asked in (
        (MINUTES, {"timeframe": "1m"}),
        (SEVERAL, {"symbol": "", "symbol_column": "ticker"}),
        (HEADER + '"2020-01-02",1,2,"0\n.5",1.5,100\n' + NEXT, {}),
        (HEADER + '"2020-01-02\n\n",1,2,0.5,1.5,100\n' + NEXT + GOOD[:-1], {}),
    ):
        assert outcome(importer, text, portions, **asked) == outcome(importer, text, LARGE, **asked)


CELLS = st.sampled_from(
    ["", " ", "1", " 1.5 ", "-1", "1e3", "1e999", "inf", "nan", "1_0", "0x1", "+2", ".5", "1.", "1,5", '"1"',
     '"', "1\r", "é", "\ufeff1", "2020-01-02",  "x", "١"]
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=4, max_size=6).map(";".join), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, end=ENDS)
def test_fault_61_the_quick_and_the_exact_reading_of_a_block_are_the_same(
    tmp_path: Path, rows: list[str], end: str
) -> None:
    block = end.join(rows).encode()
    shape = RowShape(5, ";", frozenset(range(5)), frozenset(range(1, 5)))
    quick = read_plain_rows(block, 7, shape) if block else None
    if quick is None:
        return
    (tmp_path / "empty").touch()
    blocks = LineBlocks(tmp_path / "empty", 64)
    exact = read_text_rows(block, 7, blocks, shape)
    blocks.close()
    assert exact.ragged.is_empty()
    for name in (*map(str, range(5)), LINE):
        of_text = exact.table[name]
        if quick[name].dtype == pl.Float64:
            numbers = of_text.cast(pl.Float64, strict=False)
            assert (numbers.is_null() & (of_text != "")).sum() == 0
            assert quick[name].equals(numbers, null_equal=True)
        elif name == LINE:
            assert quick[name].to_list() == of_text.to_list()
        else:
            assert quick[name].str.strip_chars().to_list() == of_text.to_list()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=6).map(",".join), max_size=10),
    end=ENDS,
    tolerant=st.booleans(),
)
def test_fault_61_any_text_is_bars_or_one_sentence_whatever_is_held_at_once(
    importer: Importer, rows: list[str], end: str, tolerant: bool
) -> None:
    text = "time,open,high,low,close\n2020-01-01,1,1,1,1\n" + end.join(rows)
    whole = outcome(importer, text, LARGE, tolerant=tolerant)
    assert outcome(importer, text, SMALL, tolerant=tolerant) == whole


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_fault_61_any_bytes_end_with_a_sentence(importer: Importer, data: bytes) -> None:
    for start in (b"", HEADER.encode(), HEADER.encode() + GOOD.encode(), b"PAR1", b"\x1f\x8b"):
        outcome(importer, start + data, SMALL)


def test_trap_14_shuffled_and_duplicated_lines_give_an_identical_store(tmp_path: Path) -> None:
    header, *lines = MINUTES.splitlines(keepends=True)
    shuffled = random.Random(5).sample(lines, len(lines)) + lines[30:50]
    stores = []
    for name, rows, portions in (
        ("sorted", lines, LARGE),
        ("small", lines, SMALL),
        ("shuffled", shuffled, SMALL),
        ("whole", shuffled, LARGE),
    ):
        folder = tmp_path / name
        (folder / "bars").mkdir(parents=True)
        done = Importer(folder)(header + "".join(rows), portions, BarStore(folder / "bars"), timeframe="1m")
        assert done.report.duplicates == len(rows) - len(lines)
        files = [path for path in (folder / "bars").rglob("*.*") if path.suffix in {".parquet", ".json"}]
        stores.append({path.relative_to(folder): path.read_bytes() for path in files})
        assert not (folder / "spill.bars").exists()
    assert len(stores[0]) == 3
    assert stores == [stores[0]] * 4


def test_trap_14_what_contradicts_is_set_aside_whatever_the_order(importer: Importer) -> None:
    lines = [GOOD, GOOD.replace("100", "7"), GOOD.replace("100", "8"), NEXT, NEXT]
    for order in (lines, lines[::-1]):
        done = importer(HEADER + "".join(order), tolerant=True)
        assert done.bars["X"]["close"].to_list() == [1.0]
        assert (done.report.refused, done.report.duplicates) == (3, 1)
    assert all("another bar of 2020-01-02 00:00 differs" in each for each in done.refused)


def test_only_the_later_of_two_bars_is_named_where_the_file_is_refused(importer: Importer) -> None:
    with pytest.raises(DataInvalid) as caught:
        importer(HEADER + NEXT * 20 + GOOD + GOOD.replace("100", "7"))
    assert caught.value.message == "line 23: another bar of 2020-01-02 00:00 differs"
    assert caught.value.detail == ()


def test_the_first_ten_offenders_are_first_by_line_whatever_is_wrong_with_them(importer: Importer) -> None:
    twins = [NEXT, NEXT.replace("7", "8")]
    wrong = [f"2020-02-{day:02d},x,2,0.5,1,1\n" for day in range(1, 29)]
    for portions in PORTIONS:
        with pytest.raises(DataInvalid) as caught:
            importer(HEADER + GOOD + "".join(twins) + "".join(wrong) + "ragged\n", portions)
        assert caught.value.message == "line 4: another bar of 2020-01-03 00:00 differs"
        assert [each.split(":")[0] for each in caught.value.detail] == [f"line {n}" for n in range(5, 14)]


def test_reading_stops_where_the_first_ten_offenders_are_known(importer: Importer, tmp_path: Path) -> None:
    shares: list[float] = []
    (tmp_path / "upload").write_text(HEADER + GOOD + "2020-02-01,x,2,0.5,1,1\n" * 1000)
    importing = BarImport(tmp_path / "upload", OPTIONS, tmp_path, shares.append, portions=SMALL)
    with pytest.raises(DataInvalid):
        importing.read()
    assert shares[-2] < 0.05


@pytest.mark.parametrize("portions", PORTIONS)
def test_a_file_of_several_symbols_becomes_a_series_each(importer: Importer, portions: Portions) -> None:
    done = importer(SEVERAL, portions, symbol="", symbol_column="ticker")
    counts = [(each.symbol, each.bars) for each in done.report.series]
    assert counts == [("AAPL", 7), ("BTC/USDT", 6), ("aapl", 6)]
    opened = {symbol: set(bars["open"]) for symbol, bars in done.bars.items()}
    assert opened == {"AAPL": {1.0, 5.0}, "BTC/USDT": {2.0}, "aapl": {3.0}}
    assert done.report.columns["symbol"] == "ticker"
    assert done.report.preview["symbol"][0] == "AAPL"


def test_what_is_no_symbol_is_named_by_its_line(importer: Importer) -> None:
    text = SEVERAL + "2020-05-05,A B,1,1,1,1\n2020-05-05,,1,1,1,1\n"
    with pytest.raises(DataInvalid, match=r"line 21: column `ticker`: `A B` is no symbol"):
        importer(text, symbol="", symbol_column="ticker")
    assert importer(text, symbol="", symbol_column="ticker", tolerant=True).report.refused == 2


def test_a_file_of_too_many_symbols_is_refused(importer: Importer) -> None:
    rows = "".join(f"2020-01-02,S{number},1,1,1,1\n" for number in range(10_001))
    with pytest.raises(DataInvalid, match="more than 10,000 symbols"):
        importer("date,ticker,open,high,low,close\n" + rows, LARGE, symbol="", symbol_column="ticker")


def test_symbols_may_be_rare_as_long_as_one_shows_the_timeframe(importer: Importer) -> None:
    rare = SEVERAL + "2020-09-09,RARE,1,1,1,1\n2021-09-09,RARE,1,1,1,1\n"
    assert importer(rare, symbol="", symbol_column="ticker").report.series[-1].symbol == "RARE"


def test_fault_62_with_quarantine_every_broken_bar_is_counted_once(importer: Importer) -> None:
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(*[st.sampled_from([1.0, 2.0, 0.0, -2.0, float("nan"), float("inf"), 1e308])] * 5),
            min_size=1,
            max_size=30,
        )
    )
    def check(rows: list[tuple[float, ...]]) -> None:
        is_good = [
            all(0 < each < float("inf") for each in row[:4])
            and row[1] >= max(row[0], row[3])
            and row[2] <= min(row[0], row[3])
            and (math.isnan(row[4]) or 0 <= row[4] < float("inf"))
            for row in rows
        ]
        first = (NOW - timedelta(days=100)).date()
        days = [first + timedelta(days=number) for number in range(len(rows))]
        written = [",".join(map(repr, row)) for row in rows]
        text = HEADER + "".join(f"{day},{row}\n" for day, row in zip(days, written, strict=True))
        if not any(is_good):
            with pytest.raises(DataInvalid):
                importer(text, tolerant=True)
            return
        done = importer(text, tolerant=True)
        good = [
            (*row[:4], None if math.isnan(row[4]) else row[4])
            for row, ok in zip(rows, is_good, strict=True)
            if ok
        ]
        is_wrong = [
            not ok and not all(map(math.isnan, row[:4])) for row, ok in zip(rows, is_good, strict=True)
        ]
        assert [row[1:] for row in done.bars["X"].rows()] == good
        assert done.report.refused == is_wrong.count(True) == len(done.refused)
        assert [int(each.split(",")[0]) for each in done.refused] == [
            number + 2 for number, wrong in enumerate(is_wrong) if wrong
        ]

    check()


def test_ragged_lines_are_set_aside_with_quarantine(importer: Importer) -> None:
    done = importer(HEADER + GOOD + "2020-01-04,1\n" + NEXT, tolerant=True)
    assert done.refused == ["3,2 fields where the header has 6"]
    assert done.report.offenders == ("line 3: 2 fields where the header has 6",)


def test_a_file_without_a_good_bar_fails_with_quarantine_too(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="line 2: `open` is not above 0"):
        importer(HEADER + GOOD.replace(",1,", ",0,"), tolerant=True)


def test_gzip_is_told_by_its_bytes(importer: Importer) -> None:
    plain = outcome(importer, MINUTES, LARGE, timeframe="1m")
    assert outcome(importer, gzip.compress(MINUTES.encode()), SMALL, timeframe="1m") == plain
    halves = [gzip.compress(each.encode()) for each in (MINUTES[:500], MINUTES[500:])]
    assert outcome(importer, b"".join(halves), SMALL, timeframe="1m") == plain


def test_fault_64_a_gzip_file_that_unpacks_without_end_is_refused(importer: Importer) -> None:
    bomb = gzip.compress(HEADER.encode() + (GOOD * 3_000_000).encode())
    with pytest.raises(DataInvalid, match="unpacks to more than 67,108,864 bytes"):
        importer(bomb, LARGE)


@pytest.mark.parametrize("cut", [3, 12, 100, -1])
def test_a_damaged_gzip_file_is_refused(importer: Importer, cut: int) -> None:
    with pytest.raises(DataInvalid, match="gzip file is damaged"):
        importer(gzip.compress(MINUTES.encode())[:cut], timeframe="1m")


@pytest.mark.parametrize(("separator", "asked"), [(";", None), ("|", "|"), ("\t", "\t"), (",", ",")])
def test_the_separator_is_found_or_given(importer: Importer, separator: str, asked: str | None) -> None:
    text = (HEADER + GOOD + NEXT).replace(",", separator)
    assert importer(text, separator=asked).report.series[0].bars == 2


def test_a_decimal_comma_is_read_where_it_was_asked_for(importer: Importer) -> None:
    text = "date;open;high;low;close;volume\n2020-01-02;1,5;2;1,25;1,5;1000\n2020-01-03;1;1;1;1;0,5\n"
    for portions in (LARGE, SMALL):
        bars = importer(text, portions, decimal_comma=True).bars["X"]
        assert bars["low"].to_list() == [1.25, 1.0]
        quoted = importer(text.replace("1,25", '"1,25"'), portions, decimal_comma=True).bars["X"]
        assert quoted.equals(bars)
    with pytest.raises(DataInvalid, match=r"`1\.00,5` is not a number") as caught:
        importer(text.replace("1,25", "1.00,5"), decimal_comma=True)
    assert caught.value.hint == "in this file numbers are written as 1.234,5"


def times_of(rows: list[str], importer: Importer, timeframe: str = "1h", **asked: object) -> list[str]:
    text = "time,open,high,low,close\n" + "".join(f"{each},1,1,1,1\n" for each in rows)
    times = importer(text, timeframe=timeframe, **asked).bars["X"]["time"]
    return times.dt.strftime("%Y-%m-%d %H:%M:%S%.f").to_list()


@pytest.mark.parametrize(
    ("factor", "ending"), [(1, ""), (1, ".0"), (1000, ""), (10**6, ""), (10**9, "")]
)  # fmt: skip
def test_times_since_1970_are_told_by_their_size(importer: Importer, factor: int, ending: str) -> None:
    rows = [f"{(1_700_000_000 + 3600 * number) * factor}{ending}" for number in range(3)]
    assert times_of(rows, importer) == ["2023-11-14 22:13:20", "2023-11-14 23:13:20", "2023-11-15 00:13:20"]
    with pytest.raises(DataInvalid, match="carry their own offset"):
        times_of(rows, importer, tz="UTC")


def test_a_date_without_dashes_is_no_time_since_1970(importer: Importer) -> None:
    days = times_of(["20231114", "20231115"], importer, "1d")
    assert days == ["2023-11-14 00:00:00", "2023-11-15 00:00:00"]
    assert times_of(["202311142200", "202311142300"], importer, tz="UTC")[0] == "2023-11-14 22:00:00"


def test_seconds_may_have_a_fraction_in_one_line_and_none_in_another(importer: Importer) -> None:
    rows = [f"2020-01-02 1{hour}:00:00{'.000' if hour > 2 else ''}Z" for hour in range(8)]
    assert len(times_of(rows, importer)) == len(times_of(rows[::-1], importer)) == 8


def test_times_of_another_layout_than_the_first_ones_are_none(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="line 5: column `time`: `20200106` is not a time"):
        times_of(["2020-01-02", "2020-01-03", "2020-01-04", "20200106"], importer, "1d")


def test_offsets_that_come_later_than_none_are_refused(importer: Importer) -> None:
    rows = [f"2020-01-{day:02d}" for day in range(1, 20)]
    with pytest.raises(DataInvalid, match=r"line 21: .* has an offset where other times have none"):
        times_of([*rows, "2020-01-20Z"], importer, "1d")


def test_offsets_may_change_with_the_season(importer: Importer) -> None:
    winter = ["2020-03-07 12:00-05:00", "2020-03-07 13:00-05:00"]
    summer = ["2020-03-08 12:00-04:00", "2020-03-08 13:00-04:00"]
    hours = [each[11:16] for each in times_of(winter + summer, importer)]
    assert hours == ["17:00", "18:00", "16:00", "17:00"]


@pytest.mark.parametrize("portions", PORTIONS)
def test_another_timeframe_is_noticed_over_the_whole_file(importer: Importer, portions: Portions) -> None:
    with pytest.raises(DataInvalid, match="1 min apart, which 1h bars are not"):
        importer(MINUTES, portions, timeframe="1h")
    rows = ["2020-01-02", "2020-01-09", "2020-01-16"]
    with pytest.raises(DataInvalid, match="7 d apart, which 1d bars are not"):
        importer("time,open,high,low,close\n" + "".join(f"{each},1,1,1,1\n" for each in rows), portions)


def test_bars_that_are_seconds_apart_are_of_no_timeframe(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="the closest bars are 5 s apart, which 1m bars are not"):
        times_of(["2020-01-02 10:00:00Z", "2020-01-02 10:00:05Z"], importer, "1m")


def test_a_symbol_of_which_nothing_is_good_is_no_series(importer: Importer) -> None:
    bad = "2020-07-07,TWICE,1,1,1,1\n2020-07-07,TWICE,2,2,2,2\n"
    for portions in (LARGE, SMALL):
        done = importer(SEVERAL + bad, portions, symbol="", symbol_column="ticker", tolerant=True)
        assert list(done.bars) == ["AAPL", "BTC/USDT", "aapl"]
        assert done.report.refused == 2


def test_minutes_are_no_days_even_if_no_two_of_a_day_agree(importer: Importer) -> None:
    for portions in (LARGE, SMALL):
        with pytest.raises(DataInvalid, match="1 min apart, which 1d bars are not"):
            importer(MINUTES, portions, timeframe="1d", tolerant=True)


def test_bars_that_were_set_aside_do_not_make_the_others_look_far_apart(importer: Importer) -> None:
    wrong = NEXT.replace(",7", ",-7")
    for portions in (LARGE, SMALL):
        done = importer(HEADER + GOOD + wrong + GOOD.replace("01-02", "01-04"), portions, tolerant=True)
        assert (done.report.series[0].bars, done.report.refused) == (2, 1)


def test_trap_14_a_zero_has_one_sign(importer: Importer) -> None:
    zeros = [GOOD.replace(",100", ",-0"), GOOD.replace(",100", ",0")]
    for lines in (zeros, zeros[::-1]):
        assert str(importer(HEADER + "".join(lines)).bars["X"]["volume"][0]) == "0.0"


def test_who_cancels_leaves_nothing(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        if share > 0.5:
            raise OperationCancelled("cancellation was asked")

    (tmp_path / "upload").write_text(MINUTES)
    options = ImportOptions("1m", NOW, "X")
    importing = BarImport(tmp_path / "upload", options, tmp_path, stop, portions=SMALL)
    with pytest.raises(OperationCancelled):
        importing.read()
    assert (tmp_path / "spill.bars").exists()
    importing.close()
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


def test_a_line_may_be_as_long_as_it_may_be(importer: Importer) -> None:
    long = HEADER.replace("Volume", "Volume,Note") + GOOD[:-1] + ",{}\n"
    room = LONGEST_LINE - len(GOOD) - 1
    assert importer(long.format("x" * room)).report.series[0].bars == 1
    with pytest.raises(DataInvalid, match="line 2: longer than 65,536 bytes"):
        importer(long.format("x" * (room + 1)))
    letters = [long.format(each * 30_000) for each in string.ascii_letters]
    many = "".join(each.splitlines(keepends=True)[1] for each in letters)
    assert importer(HEADER.replace("Volume", "Volume,Note") + many, LARGE).report.duplicates == 51
    with pytest.raises(DataInvalid, match="line 54: longer"):
        importer(HEADER.replace("Volume", "Volume,Note") + many + "x" * 70_000, LARGE)


def test_a_header_with_a_broken_quote_or_of_too_many_columns_is_refused(importer: Importer) -> None:
    with pytest.raises(DataInvalid, match="line 1: "):
        importer('Date,"Open"x,High\n')
    with pytest.raises(DataInvalid, match="there are 1,001 columns"):
        importer(",".join(f"c{number}" for number in range(1001)) + "\n" + GOOD)


def test_what_was_set_aside_is_kept_durably_beside_the_bars(tmp_path: Path) -> None:
    (tmp_path / "refused.csv").write_text("line,reason\n3,x\n")
    kept = keep_refusals(tmp_path / "refused.csv", tmp_path / "bars", "op_1")
    assert kept == tmp_path / "bars" / "quarantine" / "op_1.csv"
    assert kept.read_text() == "line,reason\n3,x\n"
    assert [path.name for path in kept.parent.iterdir()] == ["op_1.csv"]


def test_real_bars_come_back_from_the_disk_as_they_were(importer: Importer, tmp_path: Path) -> None:
    bars = load_sample("IBM", "split_dividend").with_columns(
        pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.col("volume")).alias("volume")
    )
    text = bars.with_columns(pl.col("time").dt.date()).write_csv()
    assert importer(text, Portions(block=5000, held=100)).bars["X"].equals(bars)


def test_nothing_is_put_on_the_disk_before_memory_is_full(tmp_path: Path) -> None:
    spill = BarSpill(tmp_path / "spill", "1d", held=10)
    assert list(spill.pieces()) == []
    spill.close()
    assert not (tmp_path / "spill").exists()
