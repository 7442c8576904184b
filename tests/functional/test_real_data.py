"""Bars that nobody here made, as files inside published packages: imported, checked and trained on."""

import shutil
import tarfile
from importlib.metadata import files
from pathlib import Path

import pytest

from support.installation import Installation
from support.one_process import OneProcess

Ktrdr = Installation | OneProcess
STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"


def file_of(package: str, name: str) -> Path:
    """Return where a package's file is."""
    (found,) = (each for each in files(package) or () if each.name == name)
    return Path(str(found.locate()))


@pytest.mark.parametrize(("name", "symbol"), [("sp500", "^GSPC"), ("nasdaq", "^IXIC")])
def test_an_index_of_twenty_years_imports_is_whole_and_trains(ktrdr: Ktrdr, name: str, symbol: str) -> None:
    """Dates are written as in America, and the file is compressed; the exchange had 5,031 sessions."""
    file = file_of("arch", f"{name}.csv.gz")
    shown = ktrdr.run("data", "import", str(file), symbol, "--calendar", "XNYS").stdout
    assert f"{symbol} 1d · 5,031 bars, 1999-01-04 to 2018-12-31" in shown
    assert "Ignored   Adj Close" in shown
    report = ktrdr.json("data", "check", symbol)["result"]
    assert (report["expected"], report["missing"], report["outside"]) == (5031, 0, 0)
    assert report["coverage"] == 1.0
    assert report["jumps"] == []
    trained = ktrdr.json(
        "models", "train", str(STRATEGY), symbol, "--start-date", "1999-01-01", "--epochs", "3"
    )
    assert trained["status"] == "completed"
    assert trained["result"]["verdict"]["sentence"]


def test_a_stock_of_thirty_years_imports_and_its_strange_lines_are_named(
    ktrdr: Ktrdr, tmp_path: Path
) -> None:
    """The file is adjusted for splits, so that no jump is left; a share was traded from 1986 on."""
    with tarfile.open(file_of("pmdarima", "msft.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    options = ("--calendar", "XNYS", "--adjustment", "split_dividend")
    shown = ktrdr.run("data", "import", str(tmp_path / "msft.csv"), "MSFT", *options).stdout
    assert "MSFT 1d · 7,98" in shown
    assert "Ignored   OpenInt" in shown
    report = ktrdr.json("data", "check", "MSFT")["result"]
    assert report["coverage"] > 0.99
    assert report["jumps"] == []
    trained = ktrdr.json(
        "models",
        "train",
        str(STRATEGY),
        "MSFT",
        "--start-date",
        "1990-01-01",
        "--end-date",
        "2017-01-01",
        "--epochs",
        "2",
    )
    assert trained["result"]["symbols"] == ["MSFT"]


def test_five_stocks_of_one_file_become_five_series_and_train_together(ktrdr: Ktrdr, tmp_path: Path) -> None:
    """Prices are as they were traded: the checks find the splits, and nothing else."""
    file = tmp_path / "stocks.csv.gz"
    shutil.copy(file_of("bokeh_sampledata", "stocks.csv.gz"), file)
    options = ("--symbol-column", "Ticker", "--calendar", "XNYS")
    ktrdr.run("data", "import", str(file), *options)
    rows = {
        each["symbol"]: each for each in ktrdr.json("data", "list")["series"] if each["provider"] == "import"
    }
    assert sorted(rows) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert rows["AAPL"]["rows"] == rows["IBM"]["rows"] == 3270
    splits = {
        symbol: [each["time"][:10] for each in ktrdr.json("data", "check", symbol)["result"]["jumps"]]
        for symbol in ("AAPL", "MSFT", "IBM", "GOOG")
    }
    assert splits == {"AAPL": ["2000-06-21", "2005-02-28"], "MSFT": ["2003-02-18"], "IBM": [], "GOOG": []}
    trained = ktrdr.json("models", "train", str(STRATEGY), "--symbols", "IBM,GOOG", "--epochs", "2")
    assert trained["result"]["symbols"] == ["IBM", "GOOG"]
