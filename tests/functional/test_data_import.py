"""One's own bars: a file is imported and trained on, or refused with a sentence and without a trace."""

import asyncio
import json
import os
import stat
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import polars as pl
import pytest

from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from ktrdr.server.routes.uploads import KEPT_SECONDS
from support.api import Api, running_api
from support.installation import HANG_GUARD, Installation

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
START = "/api/v1/data/import"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    bars = load_sample("MSFT", "raw").with_columns(pl.col("time").dt.date())
    file = tmp_path / "msft.csv"
    bars.rename({"time": "Date", "close": "Last"}).write_csv(file)
    return file


def kept(ktrdr: Installation) -> list[Path]:
    folders = (ktrdr.settings.data_dir, ktrdr.settings.uploads_dir, ktrdr.settings.state_dir / "ops")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    locks = {".lock", ".loading"}
    return [path for path in files if path.suffix in {".parquet", ".csv", ""} and path.name not in locks]


def test_a_file_of_ones_own_imports_and_trains(ktrdr: Installation, csv: Path) -> None:
    shown = ktrdr.run("data", "import", str(csv), "MSFT2", "--map", "close=Last").stdout
    assert shown == "MSFT2 1d · 3,270 bars, 2000-03-01 to 2013-03-01\n"
    assert "MSFT2   1d         3,270  2000-03-01  2013-03-01  import " in ktrdr.run("data", "list").stdout
    trained = ktrdr.json("models", "train", str(STRATEGY), "MSFT2", "--epochs", "2")
    assert trained["result"]["symbols"] == ["MSFT2"]
    assert {path.suffix for path in kept(ktrdr)} == {".parquet"}


HEAD = "date,open,high,low,close,volume\n"
JANUARY = HEAD + "2024-01-30,1,2,0.5,1.5,10\n2024-01-31,1,2,0.5,1.5,\n"
FEBRUARY = HEAD + "2024-01-31,1,2,0.5,1.50000000001,7\n2024-02-01,1,2,0.5,1.5,10\n"
OTHER = HEAD + "2024-01-31,1,2,0.5,1.25,10\n2024-02-01,1,2,0.5,1.5,10\n"


def imported(ktrdr: Installation, file: Path, text: str, *options: str) -> dict[str, object]:
    file.write_text(text)
    (series,) = ktrdr.json("data", "import", str(file), "M", *options)["result"]["series"]
    return {name: series[name] for name in ("bars", "new_bars", "equal_bars", "replaced_bars", "total_bars")}


def figures(bars: int, new: int, equal: int, replaced: int, total: int) -> dict[str, int]:
    names = ("bars", "new_bars", "equal_bars", "replaced_bars", "total_bars")
    return dict(zip(names, (bars, new, equal, replaced, total), strict=True))


def test_the_bars_of_a_second_file_join_those_of_the_first(ktrdr: Installation, tmp_path: Path) -> None:
    """New bars are put in, equal ones counted; an unknown volume is learned, a known one stays."""
    file = tmp_path / "m.csv"
    assert imported(ktrdr, file, JANUARY) == figures(2, 2, 0, 0, 2)
    assert imported(ktrdr, file, FEBRUARY, "--dry-run") == figures(2, 1, 1, 0, 3)
    assert imported(ktrdr, file, FEBRUARY) == figures(2, 1, 1, 0, 3)
    assert imported(ktrdr, file, JANUARY) == figures(2, 0, 2, 0, 3)
    shown = ktrdr.run("data", "import", str(file), "M").stdout
    assert "  Joined    0 new, 2 equal to stored ones; 3 in all\n" in shown
    bars = BarStore(ktrdr.settings.data_dir).read(Series("import", "M", "1d"))
    assert (bars["volume"].to_list(), bars["close"].to_list()) == ([10.0, 7.0, 10.0], [1.5, 1.5, 1.5])


def test_bars_that_differ_from_stored_ones_are_refused_by_name(ktrdr: Installation, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    imported(ktrdr, file, JANUARY)
    file.write_text(OTHER)
    said = ktrdr.run("data", "import", str(file), "M", expect=1).stderr
    assert "1 bar differs from the stored ones of M 1d" in said
    assert "2024-01-31 00:00: close is 1.5, and 1.25 in the file" in said
    assert "--replace" in said
    assert imported(ktrdr, file, JANUARY) == figures(2, 0, 2, 0, 2), "nothing of it was stored"
    assert imported(ktrdr, file, OTHER, "--replace", "--yes") == figures(2, 2, 0, 2, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--adjustment", "raw"), "M 1d is kept as `split`, not as `raw`"),
        (("--calendar", "fx"), "M 1d is kept with the calendar `24/7`, not with `fx`"),
    ],
)
def test_other_terms_than_those_of_the_stored_bars_are_refused(
    ktrdr: Installation, tmp_path: Path, options: tuple[str, str], words: str
) -> None:
    """Both are named; where none are given, the series' own are taken."""
    file = tmp_path / "m.csv"
    imported(ktrdr, file, JANUARY, "--adjustment", "split", "--calendar", "24/7")
    file.write_text(FEBRUARY)
    assert words in ktrdr.run("data", "import", str(file), "M", *options, expect=1).stderr
    done = ktrdr.json("data", "import", str(file), "M")["result"]["series"][0]
    assert (done["adjustment"], done["calendar"], done["total_bars"]) == ("split", "24/7", 3)


def test_nobody_replaces_bars_without_having_agreed(ktrdr: Installation, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    imported(ktrdr, file, JANUARY)
    said = ktrdr.run("data", "import", str(file), "M", "--replace", expect=2).stderr
    assert "there is no terminal to ask on whether to replace" in said
    assert "--yes answers a question" in ktrdr.run("data", "import", str(file), "M", "-y", expect=2).stderr


SEVERAL = "date,ticker,open,high,low,close,volume\n" + "".join(
    f"2020-01-{day:02d},S{number:02d},1,2,0.5,1.5,\n" for day in (2, 3) for number in range(22)
)


def test_a_file_of_several_symbols_becomes_a_series_each(ktrdr: Installation, tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(SEVERAL)
    options = ("--symbol-column", "ticker", "--calendar", "24/7", "--adjustment", "split")
    done = ktrdr.json("data", "import", str(tmp_path / "all.csv"), *options)["result"]
    assert (done["series_count"], done["series"][21]["symbol"]) == (22, "S21")
    meta = json.loads(next(ktrdr.settings.data_dir.glob("import/*S21*/1d/meta.json")).read_text())
    assert (meta["calendar"], meta["adjustment"]) == ("24/7", "split")
    shown = ktrdr.run("data", "import", str(tmp_path / "all.csv"), *options).stdout.splitlines()
    assert shown[0] == "S00 1d · 2 bars, 2020-01-02 to 2020-01-03"
    assert shown[20:] == [
        "and 2 more",
        "  Unknown   the volume of 44 bars",
        "  Joined    0 new, 44 equal to stored ones; 44 in all",
    ]


def test_wrong_lines_are_set_aside_and_listed_where_that_was_asked_for(
    ktrdr: Installation, csv: Path
) -> None:
    good = csv.read_text()
    csv.write_text(good.replace("2000-03-03", "2000-03-0x") + "".join(f"r{each}\n" for each in range(11)))
    command = ("data", "import", str(csv), "M", "--map", "close=Last", "--quarantine")
    done = ktrdr.json(*command)["result"]
    assert (done["quarantined"], done["series"][0]["bars"], len(done["offenders"])) == (12, 3269, 10)
    listed = Path(done["quarantine_file"])
    assert listed.parent == ktrdr.settings.data_dir / "quarantine"
    lines = listed.read_text().splitlines()
    assert lines[:2] == ["line,reason", "4,column `Date`: `2000-03-0x` is not a time"]
    assert len(lines) == 13
    shown = ktrdr.run(*command).stdout
    assert "  Set aside 12, listed in " in shown
    assert "\n    line 4: column `Date`: `2000-03-0x` is not a time\n" in shown
    csv.write_text(good)
    assert "Set aside" not in ktrdr.run(*command).stdout


def test_a_dry_run_shows_how_a_file_is_understood_and_writes_nothing(ktrdr: Installation, csv: Path) -> None:
    csv.write_text(csv.read_text().replace("volume", "Note") + "ragged\n")
    command = ("data", "import", str(csv), "M", "--map", "close=Last", "--dry-run")
    assert ktrdr.run(*command).stdout.splitlines() == [
        "M 1d · 3,270 bars, 2000-03-01 to 2013-03-01",
        "  Unknown   the volume of 3,270 bars",
        "  Ignored   Note",
        "  Wrong     1; without --quarantine the file is refused",
        "  Written   nothing, this was a dry run",
        "    line 3272: 1 fields where the header has 6",
        "  Columns   time from Date, open from open, high from high, low from low, close from Last",
        "  symbol  time         open   high    low  close  volume",
        "  M       2000-03-01  89.62  94.09  88.94  90.81       –",
        "  M       2000-03-02  91.81  95.37  91.12  93.37       –",
        "  M       2000-03-03  94.75  98.87  93.87  96.12       –",
        "  M       2000-03-06  96.00  97.37  90.12  90.62       –",
        "  M       2000-03-07  96.12  97.50  91.94  92.87       –",
    ]
    assert kept(ktrdr) == []


def test_a_parquet_file_of_whatever_name_is_imported(ktrdr: Installation, tmp_path: Path) -> None:
    bars = load_sample("MSFT", "raw")
    bars.write_parquet(tmp_path / "bars.csv")
    ktrdr.run("data", "import", str(tmp_path / "bars.csv"), "M", "-q")
    assert BarStore(ktrdr.settings.data_dir).read(Series("import", "M", "1d")).equals(bars)


def test_fault_59_a_damaged_parquet_file_is_named(ktrdr: Installation, tmp_path: Path) -> None:
    load_sample("MSFT", "raw").write_parquet(tmp_path / "bars.parquet")
    whole = (tmp_path / "bars.parquet").read_bytes()
    for data in (whole[:1000], whole[:-200] + bytes(192) + whole[-8:]):
        (tmp_path / "bars.parquet").write_bytes(data)
        failed = ktrdr.run("data", "import", str(tmp_path / "bars.parquet"), "M", expect=1)
        assert "bars.parquet, the Parquet file is damaged: " in failed.stderr
        assert kept(ktrdr) == []


def test_a_calendar_nobody_knows_is_refused(ktrdr: Installation, csv: Path) -> None:
    command = ("data", "import", str(csv), "M", "--map", "close=Last", "--calendar", "NOPE")
    ktrdr.run(*command, expect=1)
    assert kept(ktrdr) == []


def test_a_broken_file_fails_with_its_line_and_writes_nothing(ktrdr: Installation, csv: Path) -> None:
    csv.write_text(csv.read_text().replace("2000-03-03", "2000-03-0x"))
    failed = ktrdr.run("data", "import", str(csv), "M", "--map", "close=Last", expect=1)
    assert "msft.csv, line 4: column `Date`: `2000-03-0x` is not a time" in failed.stderr
    assert "hint: write times as 2024-01-31" in failed.stderr
    assert failed.stdout == ""
    assert kept(ktrdr) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.csv", "M"], "cannot read `missing.csv`: No such file or directory"),
        ([".", "M"], "cannot read `.`: Is a directory"),
        (["README.md", "../M"], "is no symbol"),
        (["README.md", "M", "--timeframe", "2h"], "`timeframe`: should be `1m`, `5m`"),
        (["README.md", "M", "--timeframe", "1mo"], "a month is no length of time; 1w is the longest"),
        (["README.md", "M", "--tz", "Mars"], "`Mars` is no time zone"),
        (["README.md", "M", "--map", "close"], "--map `close` is not FIELD=COLUMN"),
        (["README.md", "M", "--map", "shut=X"], "`columns`: `shut` should be `time`, `open`"),
        (["README.md", "M", "--map", "close="], "`close` needs a column; only `time=` and `volume=` mean"),
        (["README.md", "M", "--thousands", "x"], "`thousands`: should be `,` or `.`"),
        (["README.md", "M", "--thousands", ",", "--decimal-comma"], "a comma cannot both begin decimals and"),
        (["README.md", "M", "--skip-lines", "-1"], "`skip_lines`: should be at least 0"),
        (["README.md", "M", "--symbol-column", "x"], "the symbols come from symbol_column; leave symbol out"),
        (["README.md", "M", "--separator", "x"], "`separator`: should be `,`, `;`, "),
        (["README.md", "M", "--separator", ",", "--decimal-comma"], "a comma cannot both separate"),
        (["README.md", "M", "--adjustment", "some"], "`adjustment`: should be `raw`, `split`"),
    ],
)
def test_a_wrong_option_is_a_usage_error(ktrdr: Installation, arguments: list[str], words: str) -> None:
    refused = ktrdr.run("data", "import", *arguments, expect=2)
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


def payload(upload_id: str) -> dict[str, str]:
    return {"upload_id": upload_id, "file_name": "x.csv", "symbol": "X", "timeframe": "1d"}


async def uploaded(api: Api, data: bytes) -> str:
    answer = await api.http.post("/api/v1/uploads", content=data)
    assert answer.status_code == 201
    assert answer.json()["data"]["size"] == len(data)
    return str(answer.json()["data"]["upload_id"])


def test_what_is_refused_was_never_sent(ktrdr: Installation, csv: Path) -> None:
    refused = ktrdr.run("data", "import", str(csv), "A B", "--tz", "Mars/Base", expect=2)
    assert "`symbol`: `A B` is no symbol" in refused.stderr
    assert "`tz`: `Mars/Base` is no time zone" in refused.stderr
    assert not list(ktrdr.settings.state_dir.rglob("upl*"))


def test_bars_come_through_a_pipe_too(ktrdr: Installation, csv: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "bars.pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_bytes(csv.read_bytes()))
    writing.start()
    ktrdr.run("data", "import", str(pipe), "PIPED", "--map", "close=Last")
    writing.join()
    assert "PIPED   1d" in ktrdr.run("data", "list").stdout


def test_bars_come_through_a_pipe_on_standard_input(tmp_path: Path, csv: Path) -> None:
    """`cat FILE | ktrdr data import -`, as a process of its own has it."""
    installation = Installation(tmp_path / "home")
    try:
        done = subprocess.run(
            [installation.python, "-m", "ktrdr", "data", "import", "-", "PIPED", "--map", "close=Last"],
            env=installation.environment,
            input=csv.read_bytes(),
            capture_output=True,
            timeout=HANG_GUARD,
            check=True,
        )
    finally:
        installation.close()
    assert done.stdout.decode() == "PIPED 1d · 3,270 bars, 2000-03-01 to 2013-03-01\n"


def test_a_file_whose_name_is_no_text_is_imported_and_named_by_escapes(
    ktrdr: Installation, csv: Path, tmp_path: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b[2J.csv"))
    csv.rename(odd)
    done = ktrdr.run("data", "import", str(odd), "X")
    assert "3,270 bars" in done.stdout
    assert "caf\\xe9\\e[2J.csv" in done.stderr


async def test_an_upload_larger_than_any_request_is_kept_privately(api: Api, tmp_path: Path) -> None:
    upload_id = await uploaded(api, b"x" * 3_000_000)
    (file,) = tmp_path.rglob(upload_id)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await api.http.post(START, content=b" " * 3_000_000)).status_code == 413


async def test_an_upload_is_used_once(api: Api) -> None:
    upload_id = await uploaded(api, b"Date,Open,High,Low,Close\n2020-01-02,1,2,1,1\n")
    ends = []
    for _ in range(2):
        started = await api.http.post(START, json=payload(upload_id))
        ends.append(await api.until(started.json()["data"]["operation_id"]))
    assert [each["status"] for each in ends] == ["completed", "failed"]
    assert "is gone" in ends[1]["error_message"]


async def test_who_cancels_while_another_one_loads_the_series_keeps_what_was(
    api: Api, tmp_path: Path
) -> None:
    """The import waits for the other; asked to stop, it leaves the old bars and nothing else."""
    store, series = BarStore(tmp_path / "bars"), Series("import", "X", "1d")
    before = load_sample("IBM", "raw")
    store.replace(series, [before])
    upload_id = await uploaded(api, b"Date,Open,High,Low,Close\n2020-01-02,1,2,1,1\nx\n2020-01-03,1,2,1,1\n")
    with store.loading(series, _never):
        started = await api.http.post(START, json={**payload(upload_id), "quarantine": True})
        operation_id = started.json()["data"]["operation_id"]
        while (await api.get(operation_id))["progress"]["current_step"] != "Store":
            await asyncio.sleep(0)
        await api.cancel(operation_id)
        assert (await api.until(operation_id))["status"] == "cancelled"
    assert store.read(series).equals(before)
    assert not list(tmp_path.rglob("quarantine/*"))
    assert not list(tmp_path.rglob("spill.bars"))


def _never(seconds: float) -> None:
    raise AssertionError(f"nobody else loads it, and yet there are {seconds} s to wait")


@pytest.mark.parametrize("spelled", ["tab", "\\t", "\t"])
async def test_a_tab_may_be_spelled(api: Api, spelled: str) -> None:
    upload_id = await uploaded(api, b"Date\tOpen\tHigh\tLow\tClose,x\n2020-01-02\t1\t2\t1\t1\n")
    asked = {**payload(upload_id), "separator": spelled, "columns": {"close": "Close,x"}}
    started = await api.http.post(START, json=asked)
    assert (await api.until(started.json()["data"]["operation_id"]))["status"] == "completed"


async def test_a_path_is_no_upload(api: Api) -> None:
    for name in ("../operations.sqlite", "/etc/passwd", "upl_../../x", ""):
        assert (await api.http.post(START, json=payload(name))).status_code == 422


async def test_a_client_that_leaves_half_way_leaves_no_file(api: Api, tmp_path: Path) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"Date,"
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await api.http.post("/api/v1/uploads", content=half())
    assert list((tmp_path / "state" / "uploads").glob("*")) == []


async def test_an_upload_that_nobody_claims_is_gone_after_a_day(api: Api, tmp_path: Path) -> None:
    old, young = await uploaded(api, b"1"), await uploaded(api, b"2")
    folder = tmp_path / "state" / "uploads"
    age = (folder / old).stat().st_mtime - KEPT_SECONDS - 60
    os.utime(folder / old, (age, age))
    newest = await uploaded(api, b"3")
    assert {path.name for path in folder.iterdir()} == {young, newest}


@pytest.mark.parametrize(
    ("layout", "written"),
    [("%m/%d/%Y", "1/4/2005"), ("%d.%m.%Y", "04.01.2005"), ("%b %d, %Y", "Jan 04, 2005")],
)
def test_times_are_read_as_the_file_writes_them(
    ktrdr: Installation, tmp_path: Path, layout: str, written: str
) -> None:
    file = tmp_path / "other.csv"
    file.write_text(f'Date;open;high;low;close\n"{written}";1;2;1;2\n')
    shown = ktrdr.run("data", "import", str(file), "X", "--time-format", layout).stdout
    assert "X 1d · 1 bars, 2005-01-04 to 2005-01-04" in shown
    failed = ktrdr.run("data", "import", str(file), "X", "--time-format", "%Y/%m/%d", expect=1)
    assert f"`{written}` is not a time" in failed.stderr


@pytest.mark.parametrize("layout", ["%Y-%m-%d %H:%M %p", "%Y-%m-%d %Z %H:%M"])
def test_a_format_with_a_part_that_would_have_no_effect_is_refused(ktrdr: Installation, layout: str) -> None:
    refused = ktrdr.run("data", "import", "README.md", "X", "--time-format", layout, expect=2)
    assert "has %Z before its end, or %p without %I, which would have no effect" in refused.stderr


@pytest.mark.parametrize("layout", ["%H:%M", "day", "%Y-%m", "%y%m%d%", "%Y-%m-%d %I:%M"])
def test_a_format_that_does_not_say_a_day_is_refused(ktrdr: Installation, layout: str) -> None:
    refused = ktrdr.run("data", "import", "README.md", "X", "--time-format", layout, expect=2)
    assert f"`{layout}` does not say a day" in refused.stderr


def test_bars_in_no_session_are_told_and_many_are_refused(ktrdr: Installation, tmp_path: Path) -> None:
    """Saturdays in a file of New York: three of six are refused, two of them are kept and told."""
    file, days = tmp_path / "m.csv", (2, 3, 4, 6, 13, 20)
    rows = [f"2024-01-{day:02d},1,2,0.5,1.5,10\n" for day in days]
    file.write_text(HEAD + "".join(rows))
    command = ("data", "import", str(file), "M", "--calendar", "XNYS")
    said = ktrdr.run(*command, expect=1).stderr
    assert "3 of 6 bars of M 1d are in no session of `XNYS`" in said
    assert "Sat 2024-01-06 00:00 UTC" in said
    assert "--outside keep" in said
    kept_all = ktrdr.run(*command, "--outside", "keep").stdout
    assert "  Outside   3 bars in no session of XNYS, kept\n" in kept_all
    file.write_text(HEAD + "".join(rows[:-1]))
    told = ktrdr.run(*command, "--replace", "--yes").stdout
    assert "  Outside   2 bars in no session of XNYS, kept\n" in told


def test_an_import_keeps_what_its_calendar_misses(ktrdr: Installation, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    imported(
        ktrdr,
        file,
        HEAD + "2024-01-02,1,2,1,2,\n2024-01-03,1,2,1,2,\n2024-01-09,1,2,1,2,\n",
        "--calendar",
        "XNYS",
    )
    meta = BarStore(ktrdr.settings.data_dir).meta(Series("import", "M", "1d"))
    assert meta.holes is not None
    assert meta.holes.table["missing"].to_list() == [3]


def test_a_training_on_bars_that_jump_like_a_split_warns(ktrdr: Installation, tmp_path: Path) -> None:
    """In the result and on the screen: the raw bars of AAPL have two splits in them."""
    bars = load_sample("AAPL", "raw").with_columns(pl.col("time").dt.date())
    bars.write_csv(tmp_path / "raw.csv")
    ktrdr.run("data", "import", str(tmp_path / "raw.csv"), "RAW")
    words = (
        "RAW (raw) opens on 2000-06-21 at 0.499 of the close before, as after a split of 1/2, and so 1 more"
    )
    told = ktrdr.run("models", "train", str(STRATEGY), "RAW", "--dry-run").stdout
    assert words in " ".join(told.split())
    warnings = ktrdr.json("models", "train", str(STRATEGY), "RAW", "--dry-run")["result"]["report"][
        "warnings"
    ]
    assert any(words in each for each in warnings)
