"""Who follows hints to the letter ends with an import of all bars, within two steps."""

import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from support.one_process import OneProcess, one_process
from support.source_files import SOURCES, zipped

ADDED = re.compile(r"^hint: add (--.+?)(?: \(.*\))?$", re.MULTILINE)
BARE = {source.name: source.data.decode("cp1252") for source in SOURCES if source.data.isascii()}
HEADER = "Date;Open;High;Low;Close;Volume\n"


@dataclass(frozen=True)
class Refused:
    """A file that is refused as it stands, and how many bars are in it."""

    text: str | bytes
    bars: int = 2
    symbol: tuple[str, ...] = ("X",)


REFUSED = {
    "klines without a header": Refused(BARE["BTCUSDT-1h-2024-01.csv"]),
    "Kraken": Refused(BARE["XBTUSD_60.csv"]),
    "MetaTrader 4": Refused(BARE["EURUSD60.csv"]),
    "MetaTrader 5": Refused(BARE["EURUSD_H1.csv"]),
    "Alpha Vantage": Refused(BARE["intraday_60min_AAPL.csv"]),
    "Dukascopy": Refused(BARE["EURUSD_Candlestick_1_Hour_BID.csv"]),
    "CryptoDataDownload": Refused(BARE["Binance_CDDUSDT_1h.csv"], symbol=()),
    "lines before the header": Refused(
        "Some export\nof 2024\n" + HEADER + "2024-01-02;1;2;1;2;9\n2024-01-03;1;2;1;2;9\n"
    ),
    "names nobody knows": Refused("When,Opn,Hi,Lo,Cls,Qty\n2024-01-02,1,2,1,2,9\n2024-01-03,1,2,1,2,9\n"),
    "a line before names nobody knows": Refused(
        "Some export\nWhen,Opn,Hi,Lo,Cls,Qty\n2024-01-02,1,2,1,2,9\n2024-01-03,1,2,1,2,9\n"
    ),
    "one name nobody knows": Refused(
        "Date,Open,High,Low,Settle,Volume\n2024-01-02,1,2,1,2,9\n2024-01-03,1,2,1,2,9\n"
    ),
    "a volume in two currencies": Refused(
        "date,open,high,low,close,Volume ETH,Volume USD\n2024-01-02,1,2,1,2,9,8\n2024-01-03,1,2,1,2,9,8\n"
    ),
    "days that could be months": Refused(HEADER + "01/02/2024;1;2;1;2;9\n02/02/2024;1;2;1;2;9\n"),
    "days that could be months, with a clock": Refused(
        HEADER + "01/02/2024 10:00;1;2;1;2;9\n01/02/2024 11:00;1;2;1;2;9\n"
    ),
    "numbers that could be thousands": Refused(
        HEADER + "2024-01-02;1,100;1,200;1,000;1,200;9\n2024-01-03;1,100;1,200;1,000;1,200;9\n"
    ),
    "everything at once": Refused(
        "Some export\nWhen;Opn;Hi;Lo;Cls\n"
        "01/02/2024 10:00;1,100;1,200;1,000;1,200\n01/02/2024 10:30;1,100;1,200;1,000;1,200\n"
    ),
    "another timeframe": Refused("time,open,high,low,close\n1704067200,1,2,1,2\n1704067260,1,2,1,2\n"),
    "no zone": Refused("time,open,high,low,close\n2024-01-02 10:00,1,2,1,2\n2024-01-02 10:15,1,2,1,2\n"),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    with one_process(tmp_path_factory.mktemp("hints") / "k") as found:
        yield found


@pytest.mark.parametrize("name", REFUSED)
def test_following_hints_ends_with_all_bars_within_two_steps(
    shared: OneProcess, tmp_path: Path, name: str
) -> None:
    refused, file = REFUSED[name], tmp_path / "mine.csv"
    file.write_bytes(refused.text if isinstance(refused.text, bytes) else refused.text.encode())
    command = ["data", "import", str(file), *refused.symbol, "--dry-run"]
    for _ in range(2):
        done = shared.run(*command, expect=None)
        if done.exit_code == 0:
            break
        command += shlex.split(ADDED.findall(done.stderr)[0])
    assert f" · {refused.bars} bars, " in shared.run(*command).stdout


def test_a_symbol_that_is_one_of_several_is_left_out_as_the_hint_says(
    shared: OneProcess, tmp_path: Path
) -> None:
    file = tmp_path / "several.csv"
    file.write_text(
        "Date,Ticker,Open,High,Low,Close\n"
        + "".join(
            f"2024-01-0{day},{name},1,2,1,{close}\n" for day in (2, 3) for name, close in (("A", 1), ("B", 2))
        )
    )
    refused = shared.run("data", "import", str(file), "A", "--dry-run", expect=1)
    assert "hint: leave `A` out, as column `Ticker` names the symbols" in refused.stderr
    shown = shared.run("data", "import", str(file), "--dry-run").stdout
    assert "A 1d · 2 bars" in shown
    assert "B 1d · 2 bars" in shown


def test_a_feather_file_becomes_parquet_by_the_line_of_its_hint(shared: OneProcess, tmp_path: Path) -> None:
    days = pl.Series(["2024-01-02", "2024-01-03"]).str.to_date()
    frame = pl.DataFrame({"date": days}).with_columns(open=1.0, high=1.0, low=1.0, close=1.0)
    frame.write_ipc(tmp_path / "FILE")
    refused = shared.run("data", "import", "FILE", "X", expect=1, folder=tmp_path)
    assert "this is a Feather (Arrow) file and no CSV file" in refused.stderr
    line = re.search(r"hint: .*: python (-c .*) makes one", refused.stderr)
    assert line is not None
    subprocess.run([sys.executable, *shlex.split(line.group(1))], cwd=tmp_path, check=True)
    shown = shared.run("data", "import", "FILE.parquet", "X", "--dry-run", folder=tmp_path).stdout
    assert "X 1d · 2 bars" in shown


def test_files_packed_together_are_imported_one_by_one_as_the_hint_says(
    shared: OneProcess, tmp_path: Path
) -> None:
    rows = {
        f"{each}.csv": f"date,open,high,low,close\n2024-01-02,1,1,1,1\n2024-01-03,1,1,1,{1}\n"
        for each in "ab"
    }
    (tmp_path / "two.zip").write_bytes(zipped({name: text.encode() for name, text in rows.items()}))
    refused = shared.run("data", "import", "two.zip", "X", expect=1, folder=tmp_path)
    assert "there are 2 files in the zip archive" in refused.stderr
    assert "hint: unpack it and import one after the other: `a.csv`, `b.csv`" in refused.stderr
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        archive.extractall(tmp_path)
    for name in ("a.csv", "b.csv"):
        assert "X 1d · 2 bars" in shared.run("data", "import", name, "X", "--dry-run", folder=tmp_path).stdout


def test_an_excel_workbook_is_named(shared: OneProcess, tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}))
    refused = shared.run("data", "import", "book.xlsx", "X", expect=1, folder=tmp_path)
    assert "this is an Excel workbook and no CSV file" in refused.stderr
    assert "hint: save it as CSV in the spreadsheet" in refused.stderr
