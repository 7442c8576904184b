"""Every command of the guide about data, as it stands there, in its order, beside the guide's files."""

import gzip
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ktrdr.market_data.sample import load_sample
from support.ib_gateway import ib_gateway
from support.installation import ROOT, Installation
from support.market_server import MarketServer
from support.providers_here import asks_here
from support.synthetic_bars import bars_at, steady

GUIDE = (ROOT / "docs" / "guides" / "load-data.md").read_text()
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ktrdr (.*?)(?:\s+# exit (\d+))?$", re.MULTILINE)
COMMANDS = [found for block in BLOCK.findall(GUIDE) for found in COMMAND.findall(block)]
OPENING = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


def daily(symbol: str, first: str, last: str) -> pl.DataFrame:
    """Return a stock's bars of some dates as a file has them."""
    bars = load_sample(symbol).with_columns(Date=pl.col("time").dt.strftime("%Y-%m-%d"))
    return bars.filter(pl.col("Date").is_between(pl.lit(first), pl.lit(last))).select(
        "Date", "open", "high", "low", "close", "volume"
    )


def write_files(folder: Path) -> None:
    """Write the files that the guide speaks of."""
    prices = daily("AAPL", "2005-01-01", "2006-12-31")
    prices.write_csv(folder / "prices.csv")
    daily("AAPL", "2006-12-15", "2007-02-28").write_csv(folder / "later.csv")
    prices.with_columns(pl.col("low") * 0.5).write_csv(folder / "corrected.csv")
    opened = "Date,Open,High,Low,Close\n1704150000,1,2,0.5,1.5\n1704236400,1,2,0.5,1.5\n"
    (folder / "sydney.csv").write_text(opened)
    american = prices.with_columns(pl.col("Date").str.to_date().dt.strftime("%m/%d/%Y"))
    american.write_csv(folder / "american.csv", separator=";")
    several = pl.concat(
        [
            daily(each, "2005-01-01", "2005-12-31").with_columns(Ticker=pl.lit(each))
            for each in ("IBM", "GOOG")
        ]
    )
    (folder / "several.csv.gz").write_bytes(gzip.compress(several.write_csv().encode()))
    (folder / "broken.csv").write_text(prices.write_csv().replace("2005-03-01", "2005-03-0x"))
    minutes = [each for day in range(3) for each in steady(OPENING + timedelta(days=day), 390, "1m")]
    wall = bars_at(minutes).with_columns(
        pl.col("time").dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
    )
    wall.write_csv(folder / "minutes.csv")
    (folder / "feed").mkdir()
    prices.write_csv(folder / "feed" / "DELTA.1d.csv")
    shown = (ROOT / "examples" / "strategies" / "trend_momentum.yaml").read_text()
    (folder / "strategy.yaml").write_text(shown)


@pytest.fixture
def guided(ktrdr: Installation, tmp_path: Path) -> Iterator[tuple[Installation, Path]]:
    """Return an installation whose providers are on this machine, and the folder of the guide's files."""
    folder = tmp_path / "files"
    folder.mkdir()
    write_files(folder)
    market = MarketServer()
    asks_here(ktrdr, market)
    ktrdr.environment["KTRDR_CSV_FOLDER"] = str(folder / "feed")
    with ib_gateway() as gateway:
        ktrdr.environment["KTRDR_IB_ADDRESS"] = gateway.address
        yield ktrdr, folder
    market.close()


def test_every_command_of_the_guide_does_what_it_says(guided: tuple[Installation, Path]) -> None:
    ktrdr, folder = guided
    assert len(COMMANDS) > 25
    for words, exit_code in COMMANDS:
        done = ktrdr.run(*shlex.split(words), expect=int(exit_code or 0), folder=folder)
        assert done.stdout or done.stderr, words
        assert "Traceback" not in done.stderr, words
    assert {"acme.html", "acme.parquet", "acme.csv"} <= {each.name for each in folder.iterdir()}


def test_the_guide_names_every_way_to_look_at_bars() -> None:
    commands = {words.split()[1] for words, _ in COMMANDS if words.startswith("data ")}
    assert commands == {
        "import", "load", "list", "show", "range", "gaps", "check", "export", "delete"
    }  # fmt: skip
