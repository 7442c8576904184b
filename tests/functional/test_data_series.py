"""`ktrdr data list, show, range, export, delete`: stored bars are looked at as they are, or not at all."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import polars as pl
import pytest

from ktrdr.client.server_identity import read_identity
from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.settings import Settings
from support.api import Api, running_api
from support.installation import Installation
from support.one_process import OneProcess
from support.stored_bars import some_bars, store_bars, store_sample

Ktrdr = Installation | OneProcess
MINUTES = Series("import", "EUR/USD", "1m")


def test_the_list_tells_stored_series_from_those_that_are_only_built_in(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings, "IBM")
    store_bars(ktrdr.settings, MINUTES, some_bars(50), Terms("raw"))
    assert ktrdr.run("data", "list").stdout.splitlines() == [
        "SYMBOL   TIMEFRAME   BARS  FROM        TO          PROVIDER           ADJUSTMENT      CALENDAR",
        "EUR/USD  1m            50  2020-01-30  2020-01-30  import             raw             –",
        "IBM      1d         3,270  2000-03-01  2013-03-01  sample             split_dividend  XNYS",
        "AAPL     1d         3,270  2000-03-01  2013-03-01  sample (built in)  split_dividend  XNYS",
        "GOOG     1d         2,148  2004-08-19  2013-03-01  sample (built in)  split_dividend  XNYS",
        "MSFT     1d         3,270  2000-03-01  2013-03-01  sample (built in)  split_dividend  XNYS",
    ]
    listed = ktrdr.json("data", "list")["series"]
    assert [(each["symbol"], each["built_in"], each["hours"]) for each in listed[:3]] == [
        ("EUR/USD", False, "all"),
        ("IBM", False, "all"),
        ("AAPL", True, "all"),
    ]


def test_the_newest_bars_are_shown_with_all_digits_worth_having(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    shown = ktrdr.run("data", "show", "AAPL", "--last", "3").stdout.splitlines()
    assert shown == [
        "AAPL 1d · 3 of 3,270 bars · sample, split_dividend",
        "TIME            OPEN      HIGH       LOW     CLOSE      VOLUME",
        "2013-02-27  448.4300  452.4400  440.6500  444.5700  20,976,800",
        "2013-02-28  444.0500  447.8700  441.4000  441.4000  11,518,400",
        "2013-03-01  438.0000  438.1799  429.9800  430.4700  19,730,300",
    ]
    assert len(ktrdr.json("data", "show", "AAPL")["bars"]) == 20


def test_a_range_is_shown_with_both_of_its_days(ktrdr: Ktrdr) -> None:
    bars = store_sample(ktrdr.settings)
    page = ktrdr.json("data", "show", "AAPL", "--start", "2005-02-25", "--end", "2005-03-01", "--last", "9")
    wanted = bars.filter(pl.col("time").dt.date().is_between(pl.date(2005, 2, 25), pl.date(2005, 3, 1)))
    shown = pl.DataFrame(page["bars"]).with_columns(
        pl.col("time").str.to_datetime(time_unit="us", time_zone="UTC")
    )
    assert shown.select(list(SCHEMA)).equals(wanted)
    assert (page["rows"], page["adjustment"], page["calendar"]) == (3270, "split_dividend", "XNYS")


def test_a_chart_has_every_bar_in_it_and_no_escape_codes_without_a_terminal(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    chart = ktrdr.run("data", "show", "AAPL", "--chart").stdout
    lines = chart.splitlines()
    assert lines[0] == "AAPL 1d · sample, split_dividend"
    assert "\x1b" not in chart
    assert "2000-03-01" in lines[-1]
    assert max(map(len, lines)) <= 100
    newest = ktrdr.run("data", "show", "AAPL", "--chart", "--last", "10").stdout.splitlines()
    assert "2013-02-15" in newest[-1]


def test_a_range_tells_what_is_covered_and_what_is_known_to_be_empty(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings, "GOOG")
    lines = ktrdr.run("data", "range", "GOOG").stdout.splitlines()
    assert lines[:-1] == [
        "GOOG 1d · sample, split_dividend",
        "  Bars      2,148, 2004-08-19 to 2013-03-01",
        "  Covered   2004-08-19 up to 2013-03-02",
        "  Calendar  XNYS",
        "  Hours     all",
    ]
    assert lines[-1].startswith("  On disk   ")
    assert lines[-1].endswith(" kB in 10 files")
    facts = ktrdr.json("data", "range", "GOOG")
    assert facts["covered"] == [["2004-08-19T00:00:00+00:00", "2013-03-02T00:00:00+00:00"]]
    assert facts["empty"] == []


def test_an_exported_csv_is_imported_again_bit_by_bit(ktrdr: Ktrdr, tmp_path: Path) -> None:
    bars = some_bars(4000)
    store_bars(ktrdr.settings, MINUTES, bars, Terms("raw"))
    file = tmp_path / "eur.csv"
    assert ktrdr.run("data", "export", "EUR/USD", str(file), "--timeframe", "1m").stdout == f"Wrote {file}\n"
    assert file.read_text().splitlines()[:3] == [
        "time,open,high,low,close,volume",
        "2020-01-30T00:00:00Z,1.5,2.5,0.5,2.0,",
        "2020-01-30T00:01:00Z,2.5,3.5,1.5,3.0,1.0",
    ]
    ktrdr.run("data", "import", str(file), "AGAIN", "--timeframe", "1m")
    assert BarStore(ktrdr.settings.data_dir).read(Series("import", "AGAIN", "1m")).equals(bars)


def test_an_exported_parquet_has_the_very_same_bars(ktrdr: Ktrdr, tmp_path: Path) -> None:
    bars = store_sample(ktrdr.settings)
    file = tmp_path / "aapl.parquet"
    facts = ktrdr.json("data", "export", "AAPL", str(file), "--end", "2010-12-31")
    assert facts == {"file": str(file), "format": "parquet", "bytes": file.stat().st_size}
    assert pl.read_parquet(file).equals(bars.filter(pl.col("time").dt.year() <= 2010))


def test_standard_output_takes_csv(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    done = ktrdr.run("data", "export", "AAPL", "-", "--start", "2013-03-01")
    assert done.stdout.splitlines()[1].startswith("2013-03-01T00:00:00Z,438.0,")
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "")


def test_nothing_is_written_over_unless_forced(ktrdr: Ktrdr, tmp_path: Path) -> None:
    store_sample(ktrdr.settings)
    file = tmp_path / "bars.csv"
    file.write_text("mine")
    refused = ktrdr.run("data", "export", "AAPL", str(file), expect=2)
    assert "exists already\nhint: add --force to replace it" in refused.stderr
    assert file.read_text() == "mine"
    ktrdr.run("data", "export", "AAPL", str(file), "--force")
    assert file.read_text().startswith("time,open")
    assert [each.name for each in tmp_path.glob("*bars.csv*")] == ["bars.csv"]


def test_an_export_that_fails_leaves_no_file(ktrdr: Ktrdr, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    missing = ktrdr.run("data", "export", "NOBODY", str(tmp_path / "out" / "x.csv"), expect=5)
    assert "there are no bars of NOBODY 1d" in missing.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_export_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    ktrdr = Installation(tmp_path / "home")
    try:
        store_sample(ktrdr.settings)
        newest = max(ktrdr.settings.data_dir.rglob("*.parquet"))
        newest.write_bytes(newest.read_bytes()[:-1])
        (tmp_path / "out").mkdir()
        broken = ktrdr.run("data", "export", "AAPL", str(tmp_path / "out" / "x.csv"), expect=69)
        assert "cannot reach the local server (" in broken.stderr
        damaged = ktrdr.run("data", "export", "AAPL", str(tmp_path / "out" / "x.parquet"), expect=2)
        assert f"`{newest.name}` in" in damaged.stderr
        assert "is damaged" in damaged.stderr
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        ktrdr.close()


def test_a_series_is_deleted_only_when_it_is_said_so(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    refused = ktrdr.run("data", "delete", "AAPL", expect=2)
    assert "there is no terminal to ask on whether to delete\nhint: add --yes" in refused.stderr
    assert ktrdr.run("data", "range", "AAPL").exit_code == 0
    gone = ktrdr.run("data", "delete", "AAPL", "--yes")
    assert gone.stdout == "Deleted AAPL 1d from sample: 3,270 bars\n"
    assert not list(ktrdr.settings.data_dir.rglob("*.parquet"))
    missing = ktrdr.run("data", "delete", "AAPL", "--yes", expect=5)
    assert "hint: `ktrdr data load AAPL` puts it in the store" in missing.stderr


def test_what_was_deleted_is_told_to_programs(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    deleted = ktrdr.json("data", "delete", "AAPL", "--yes")["deleted"]
    assert {"symbol": "AAPL", "provider": "sample", "rows": 3270, "files": 14}.items() <= deleted.items()


def test_a_series_that_is_being_loaded_is_not_deleted(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    with BarStore(ktrdr.settings.data_dir).loading(Series("sample", "AAPL", "1d"), lambda _: None):
        busy = ktrdr.run("data", "delete", "AAPL", "--yes", expect=6)
    assert "AAPL 1d is being loaded\nhint: cancel the load, or wait" in busy.stderr
    assert ktrdr.json("data", "range", "AAPL")["rows"] == 3270


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_terminal_is_asked_before_anything_is_deleted(tmp_path: Path, answer: str) -> None:
    ktrdr = Installation(tmp_path / "home")
    try:
        store_sample(ktrdr.settings)
        terminal = ktrdr.terminal("data", "delete", "AAPL")
        terminal.expect_exact("Delete 3,270 bars of AAPL 1d from sample?")
        terminal.sendline(answer)
        terminal.expect(["Deleted AAPL 1d from sample: 3,270 bars", "Nothing was deleted."])
        terminal.wait()
        assert terminal.exitstatus == (0 if answer == "y" else 1)
        assert BarStore(ktrdr.settings.data_dir).has(Series("sample", "AAPL", "1d")) == (answer == "n")
    finally:
        ktrdr.close()


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_chart_is_as_wide_as_its_terminal_and_coloured_only_where_that_is_wanted(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    ktrdr = Installation(tmp_path / "home")
    ktrdr.environment |= variables
    try:
        store_sample(ktrdr.settings)
        terminal = ktrdr.terminal("data", "show", "AAPL", "--chart", columns=70)
        text = str(terminal.read())
        assert ("\x1b[38;5;2m" in text) == (not variables)
        if variables:
            assert max(map(len, text.splitlines())) == 70
    finally:
        ktrdr.close()


def test_one_of_several_providers_must_be_named(ktrdr: Ktrdr) -> None:
    bars = store_sample(ktrdr.settings)
    store_bars(ktrdr.settings, Series("yfinance", "AAPL", "1d"), bars)
    asked = ktrdr.run("data", "show", "AAPL", expect=2)
    assert "AAPL 1d is there from several providers: `sample`, `yfinance`" in asked.stderr
    assert "hint: say which with --provider" in asked.stderr
    assert ktrdr.json("data", "range", "AAPL", "--provider", "yfinance")["provider"] == "yfinance"
    store_bars(ktrdr.settings, Series("import", "AAPL", "1d"), bars.tail(5), Terms("raw"))
    assert ktrdr.json("data", "range", "AAPL")["rows"] == 5


@pytest.mark.parametrize("verb", ["show", "range", "export", "delete", "check", "gaps"])
def test_bars_that_are_not_there_are_not_found_whatever_is_asked_of_them(ktrdr: Ktrdr, verb: str) -> None:
    more = {"export": ("-",), "delete": ("--yes",)}.get(verb, ())
    missing = ktrdr.run("data", verb, "AAPL", *more, expect=5)
    assert missing.stderr == (
        "error: there are no bars of AAPL 1d\nhint: `ktrdr data load AAPL` puts it in the store\n"
    )
    assert missing.stdout == ""
    assert ktrdr.operations() == []


def test_a_range_without_bars_names_what_there_is(ktrdr: Ktrdr) -> None:
    store_sample(ktrdr.settings)
    for words in (("show", "AAPL"), ("show", "AAPL", "--chart"), ("export", "AAPL", "-")):
        missing = ktrdr.run("data", *words, "--start", "2014-01-01", "--end", "2014-12-31", expect=5)
        assert "there are no AAPL 1d bars from 2014-01-01 to 2014-12-31" in missing.stderr
        assert "hint: there are 3,270 from 2000-03-01 to 2013-03-01" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "A B"), "`symbol`: `A B` is no symbol"),
        (("show", "AAPL", "--timeframe", "2d"), "`timeframe`"),
        (("show", "AAPL", "--start", "yesterday"), "`start`"),
        (("show", "AAPL", "--end", "9999-12-31"), "`end`"),
        (("show", "AAPL", "--start", "2012-01-01", "--end", "2011-01-01"), "ends (2011-01-01) before"),
        (("show", "AAPL", "--last", "5001"), "--last"),
        (("show", "AAPL", "--chart", "-o", "json"), "--chart cannot be written as JSON"),
        (("range", "AAPL", "--provider", "../../etc"), "there is no provider `../../etc`"),
        (("export", "AAPL", "bars.txt"), "`bars.txt` says no format"),
        (("export", "AAPL", "x.csv", "--format", "xml"), "--format `xml` is not known"),
        (("export", "AAPL", "-", "--format", "parquet"), "standard output takes csv only"),
        (("export", "AAPL", "-", "-o", "json"), "standard output cannot take both"),
        (("export", "AAPL", "src", "--format", "csv"), "`src` is no file"),
        (("export", "AAPL", "/dev/null", "--format", "csv", "--force"), "`/dev/null` is no file"),
        (("export", "AAPL", "no/such/x.csv"), "there is no directory `no/such`"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_exit_code_2(
    ktrdr: Ktrdr, arguments: tuple[str, ...], words: str
) -> None:
    refused = ktrdr.run("data", *arguments, expect=2)
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "json" in arguments or refused.stdout == ""  # what programs are told is held by test_json_errors


@pytest.mark.parametrize("verb", ["show", "range", "export", "delete", "check", "gaps"])
def test_what_cannot_be_meant_starts_no_server(tmp_path: Path, verb: str) -> None:
    ktrdr = Installation(tmp_path / "home")
    more = {"export": ("-",), "delete": ("--yes",)}.get(verb, ())
    ktrdr.run("data", verb, "A B", *more, expect=2)
    assert read_identity(ktrdr.settings) is None


def test_a_symbol_from_a_sidecar_is_made_safe_before_it_is_drawn(ktrdr: Ktrdr) -> None:
    store_bars(ktrdr.settings, Series("import", "X", "1d"), some_bars(3, "1d"), Terms("raw", "\x1b[2J"))
    sidecar = next(ktrdr.settings.data_dir.rglob("meta.json"))
    sidecar.write_text(sidecar.read_text().replace('"X"', json.dumps("X\x1b[31m")))
    for words in (("list",), ("range", "X"), ("show", "X")):
        shown = ktrdr.run("data", *words).stdout
        assert "\x1b" not in shown
        assert "X\\e[31m" in shown


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    store_sample(Settings.load({"KTRDR_HOME": str(tmp_path)}))
    async with running_api(tmp_path) as running:
        yield running


async def asked(api: Api, path: str, **query: str | int) -> httpx2.Response:
    return await api.http.get(f"/api/v1/data/{path}", params={"symbol": "AAPL", **query})


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("bars", {"start": "2012-01-01", "end": "2011-01-01"}, "ends (2011-01-01) before it starts"),
        ("bars", {"limit": 5001}, "`limit`"),
        ("bars", {"limit": 0}, "`limit`"),
        ("bars", {"points": 5001}, "`points`"),
        ("bars", {"offset": 3}, "`offset`: is not known"),
        ("bars", {"end": "9999-12-31"}, "`end`"),
        ("export", {"format": "xlsx"}, "`format`"),
        ("export", {"start": "2012-01-01", "end": "2011-01-01"}, "before it starts"),
        ("series", {"symbol": "../x"}, "is no symbol"),
        ("series", {"provider": ".."}, "there is no provider `..`"),
        ("series", {"timeframe": "7d"}, "`timeframe`"),
    ],
)
async def test_a_query_that_cannot_be_meant_is_a_problem(
    api: Api, path: str, query: dict[str, str | int], words: str
) -> None:
    answer = await asked(api, path, **query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(("wanted", "kind"), [("csv", "text/csv; charset=utf-8"), ("parquet", None)])
async def test_an_export_is_a_file_with_a_fixed_name(api: Api, wanted: str, kind: str | None) -> None:
    answer = await asked(api, "export", format=wanted)
    assert answer.headers["content-disposition"] == f'attachment; filename="bars.{wanted}"'
    assert answer.headers["content-type"] == (kind or "application/vnd.apache.parquet")


async def test_a_chart_of_a_range_has_as_many_groups_as_points(api: Api) -> None:
    page = (await asked(api, "bars", points=7, start="2005-01-01", end="2005-12-31")).json()["data"]
    assert (len(page["bars"]), page["bars"][0]["time"]) == (7, "2005-01-03T00:00:00+00:00")


async def test_a_busy_series_answers_409(api: Api, tmp_path: Path) -> None:
    store = BarStore(Settings.load({"KTRDR_HOME": str(tmp_path)}).data_dir)
    with store.loading(Series("sample", "AAPL", "1d"), lambda _: None):
        answer = await api.http.delete("/api/v1/data/series", params={"symbol": "AAPL"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "AAPL 1d is being loaded")


def test_what_would_be_lost_is_named_before_it_is(ktrdr: Ktrdr, tmp_path: Path) -> None:
    """A series of one's own and a provider's: which to delete is not guessed."""
    file = tmp_path / "own.csv"
    file.write_text("time,open,high,low,close\n2024-01-02,1,2,1,2\n")
    ktrdr.run("data", "import", str(file), "AAPL", "--calendar", "XNYS")
    ktrdr.run("data", "load", "AAPL", "--provider", "sample", "--end", "2000-12-31")
    refused = ktrdr.run("data", "delete", "AAPL", "--yes", expect=2)
    assert "`import`, `sample`" in refused.stderr
    assert "--provider" in refused.stderr
    ktrdr.run("data", "import", str(file), "AAPL")
    assert "XNYS" in ktrdr.run("data", "range", "AAPL", "--provider", "import").stdout
    assert ktrdr.run("data", "import", "/dev/zero", "AAPL", expect=2).stderr.startswith(
        "error: `/dev/zero` is no file"
    )
