"""One's own CSV file: what it says is taken, and what is wrong is named by line and column."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bar_import import BarImport
from ktrdr.market_data.csv_bars import ImportedBars, read_csv_bars
from ktrdr.market_data.import_options import ImportOptions, Portions
from ktrdr.market_data.sample import load_sample
from support.broken_files import BROKEN_CSV, GOOD, HEADER, NEXT

NOW = datetime(2024, 6, 1, tzinfo=UTC)
HOURS = "2020-01-02 10:00{0},1,2,0.5,1.5,1\n2020-01-02 11:00{0},1,2,0.5,1.5,1\n"


class Reader:
    """Reads text as if it were a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bars.csv"
        self.shares: list[float] = []

    def __call__(self, text: str | bytes, timeframe: str = "1d", **options: object) -> ImportedBars:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_csv_bars(self.file, timeframe, now=NOW, on_progress=self.shares.append, **options)  # type: ignore[arg-type]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.mark.parametrize("name", BROKEN_CSV)
def test_a_broken_file_is_one_sentence_with_line_and_column(read: Reader, name: str) -> None:
    text, words = BROKEN_CSV[name]
    with pytest.raises(DataInvalid) as caught:
        read(text)
    assert caught.value.message.startswith(words)
    assert caught.value.hint


def test_the_first_ten_offenders_are_named(read: Reader) -> None:
    with pytest.raises(DataInvalid) as caught:
        read(HEADER + GOOD + "".join(f"2020-02-{day:02d},x,2,0.5,1,1\n" for day in range(1, 20)))
    assert caught.value.message.startswith("line 3: ")
    assert [each.split(":")[0] for each in caught.value.detail] == [f"line {line}" for line in range(4, 13)]


def test_what_excel_and_exchanges_write_is_read(read: Reader) -> None:
    plain = read(HEADER + GOOD + NEXT).bars
    for text in (
        "\ufeff" + HEADER + GOOD + NEXT,
        (HEADER + GOOD + NEXT).replace("\n", "\r\n"),
        (HEADER + GOOD + NEXT).replace(",", ";"),
        (HEADER + GOOD + NEXT).replace(",", "\t"),
        HEADER + "\n" + GOOD + "\n" + NEXT + "\n",
        HEADER + '"2020-01-02","1","2","0.5","1.5","100"\n' + NEXT,
        HEADER + NEXT + GOOD + GOOD,
        HEADER + GOOD + "   \n" + NEXT + "\t\n \n",
        HEADER.upper() + GOOD.replace(",", " , ") + NEXT,
        HEADER + GOOD.replace("-", "") + NEXT.replace("-", ""),
    ):
        assert read(text).bars.equals(plain)


def test_lines_are_counted_over_blank_ones(read: Reader) -> None:
    with pytest.raises(DataInvalid, match="line 5: "):
        read(HEADER + GOOD + "\n\n" + "2020-01-03,x,2,1,1,1\n")


def test_a_few_wrong_lines_among_good_ones_may_be_set_aside(read: Reader) -> None:
    """A line of totals at the end is no time, and no other way of writing times would make it one."""
    with pytest.raises(DataInvalid, match="line 4: column `Date`: `Average` is not a time") as refused:
        read(HEADER + GOOD + NEXT + "Average,1,2,0.5,1.5,100\n")
    assert "--quarantine sets wrong lines aside" in (refused.value.hint or "")


def test_columns_may_be_named_and_the_others_are_reported(read: Reader) -> None:
    text = "day,Open,High,Low,Close,Adj Close\n2020-01-02,1,2,0.5,1.5,0.7\n"
    imported = read(text, columns={"time": "day", "close": "Adj Close"})
    assert imported.bars["close"].to_list() == [0.7]
    assert imported.bars["volume"].to_list() == [None]
    assert imported.ignored == ("Close",)


def test_a_map_to_a_column_that_is_not_there_is_refused(read: Reader) -> None:
    with pytest.raises(DataInvalid, match="no column `Adj`") as caught:
        read(HEADER + GOOD, columns={"close": "Adj"})
    assert "`Close`" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("offset", "tz", "first"),
    [
        ("", "America/New_York", "2020-01-02T15:00:00+00:00"),
        ("", "UTC", "2020-01-02T10:00:00+00:00"),
        ("Z", None, "2020-01-02T10:00:00+00:00"),
        ("-05:00", None, "2020-01-02T15:00:00+00:00"),
        ("+0530", None, "2020-01-02T04:30:00+00:00"),
    ],
)
def test_times_within_a_day_become_utc(read: Reader, offset: str, tz: str | None, first: str) -> None:
    bars = read(HEADER + HOURS.format(offset), "1h", tz=tz).bars
    assert bars["time"][0].isoformat() == first
    assert bars["time"].dtype == pl.Datetime("us", "UTC")


@pytest.mark.parametrize(
    ("text", "timeframe", "tz", "words"),
    [
        (HOURS.format(""), "1h", None, "do not say their zone"),
        (HOURS.format("Z"), "1h", "UTC", "carry their own offset"),
        (HOURS.format("Z") + "2020-01-02 12:00,1,2,0.5,1,1\n", "1h", None, "line 4: .* has no offset"),
        (GOOD + NEXT, "1d", "UTC", "a date, which has no zone"),
        (GOOD + NEXT, "1h", "UTC", "1 d apart, which 1h bars are not"),
        (HOURS.format("Z"), "1d", None, "1 h apart"),
        (HOURS.format("Z"), "4h", None, "1 h apart"),
    ],
)
def test_a_time_that_could_mean_two_things_is_refused(
    read: Reader, text: str, timeframe: str, tz: str | None, words: str
) -> None:
    with pytest.raises(DataInvalid, match=words):
        read(HEADER + text, timeframe, tz=tz)


@pytest.mark.parametrize(("day", "what"), [("2020-03-08 02:30", "never"), ("2020-11-01 01:30", "twice")])
def test_trap_15_a_wall_time_that_a_change_of_clocks_made_is_refused(
    read: Reader, day: str, what: str
) -> None:
    with pytest.raises(DataInvalid, match=f"line 2: .*{day}"):
        read(HEADER + f"{day},1,2,0.5,1,1\n", "1h", tz="America/New_York")


def test_trap_15_hours_around_a_change_of_clocks_are_an_hour_apart(read: Reader) -> None:
    text = HEADER + "".join(f"2020-03-08 {hour:02d}:00,1,2,0.5,1,1\n" for hour in (0, 1, 3, 4))
    times = read(text, "1h", tz="America/New_York").bars["time"]
    assert times.diff().drop_nulls().dt.total_hours().to_list() == [1, 1, 1]


@pytest.mark.parametrize(("offset", "first"), [("-0500", 14), ("+01:00", 8), ("Z", 9)])
def test_an_offset_counts_beside_a_time_without_colons(read: Reader, offset: str, first: int) -> None:
    rows = "".join(f"20240102 {hour:02d}0000{offset},1,2,0.5,1,1\n" for hour in (9, 10))
    assert read(HEADER + rows, "1h").bars["time"][0] == datetime(2024, 1, 2, first, tzinfo=UTC)


def test_a_daily_bar_keeps_the_date_of_its_session_whatever_its_offset(read: Reader) -> None:
    text = HEADER + "2020-01-02 00:00:00-05:00,1,2,0.5,1,1\n2020-01-03 00:00:00-05:00,1,2,0.5,1,1\n"
    assert read(text).bars["time"].dt.strftime("%Y-%m-%d %H:%M").to_list() == [
        "2020-01-02 00:00",
        "2020-01-03 00:00",
    ]


def test_real_bars_come_back_as_they_were(read: Reader) -> None:
    bars = load_sample("MSFT", "raw")
    assert read(bars.with_columns(pl.col("time").dt.date()).write_csv()).bars.equals(bars)


def test_progress_is_the_share_of_bytes_read(tmp_path: Path) -> None:
    start = datetime(1900, 1, 1, tzinfo=UTC)
    times = pl.datetime_range(start, interval="1h", end=start.replace(year=1901), eager=True, time_unit="us")
    bars = pl.DataFrame(
        {"time": times.dt.strftime("%Y-%m-%d %H:%MZ"), **dict.fromkeys(("open", "high", "low", "close"), 1.0)}
    )
    file, shares = tmp_path / "bars.csv", list[float]()
    file.write_text(bars.write_csv())
    options = ImportOptions("1h", NOW, "X")
    importing = BarImport(file, options, tmp_path, shares.append, portions=Portions(block=100_000))
    assert importing.read().series[0].bars == bars.height
    assert shares == sorted(shares)
    assert len(shares) == 1 + -(-file.stat().st_size // 100_000)
    assert shares[-1] == 1.0
