"""What a calendar misses is found when bars are stored, and told to whoever uses them."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import empty_bars
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.holes import Holes, Judge, find_holes, with_missed
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.load import read_bars
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.strategies.bar_terms import MISSED
from support.scripted_provider import daily, day
from support.synthetic_bars import bars_at

FORMER = Path(__file__).parent / "stored_before"
SERIES = Series("import", "ABC", "1d")
RAW = Terms("raw", "24/7")


def judge_of(calendar: str, timeframe: str = "1d") -> Judge:
    return lambda times: find_holes(times, timeframe, open_calendar(calendar))


def missed(store: BarStore, series: Series = SERIES) -> list[int]:
    return read_bars(store, series, None, None).bars[MISSED].to_list()


def test_a_stored_series_says_before_which_bars_others_are_missing(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(SERIES, [daily([0, 1, 4, 5, 400])], RAW, judge=judge_of("24/7"))
    assert missed(store) == [0, 0, 2, 0, 394]
    sub = read_bars(store, SERIES, date(2024, 1, 5), None).bars
    assert sub[MISSED].to_list() == [0, 0, 394], "nothing is missing before the first bar of a range"


def test_bars_that_join_close_holes_and_open_others(tmp_path: Path) -> None:
    """The same holes whatever the order, as if all bars had come at once."""
    at_once, joined = BarStore(tmp_path / "once"), BarStore(tmp_path / "joined")
    parts = [[400, 401], [0, 1, 4], [2, 398]]
    at_once.replace(
        SERIES, [daily(sorted([each for part in parts for each in part]))], RAW, judge=judge_of("24/7")
    )
    for part in parts:
        joined.add(SERIES, [daily(part)], RAW, judge=judge_of("24/7"))
    assert missed(joined) == missed(at_once) == [0, 0, 0, 1, 393, 1, 0]


def test_loaded_chunks_are_judged_together_with_their_neighbours(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    for numbers in ([700, 701], [0, 1, 3], [390], [702]):
        within = Interval(day(numbers[0]), day(numbers[-1] + 1))
        store.extend(SERIES, daily(numbers), within, RAW, judge=judge_of("24/7"))
    assert missed(store) == [0, 0, 1, 386, 309, 0, 0]
    store.extend(SERIES, empty_bars(), Interval(day(1), day(391)), RAW, judge=judge_of("24/7"))
    assert missed(store) == [0, 699, 0, 0]


@pytest.mark.parametrize(
    ("calendar", "timeframe", "opens", "expected"),
    [
        ("XNYS", "1d", [datetime(2024, 7, 3), datetime(2024, 7, 5), datetime(2024, 7, 10)], [0, 0, 2]),
        ("24/7", "1d", [datetime(2024, 7, 3), datetime(2024, 7, 5)], [0, 1]),
        ("fx", "1h", [datetime(2024, 7, 5, 20), datetime(2024, 7, 7, 21), datetime(2024, 7, 8)], [0, 0, 2]),
        ("XNYS", "1w", [datetime(2024, 7, 1), datetime(2024, 7, 22)], [0, 2]),
    ],
)
def test_rests_of_the_market_are_no_holes(
    calendar: str, timeframe: str, opens: list[datetime], expected: list[int]
) -> None:
    bars = bars_at([each.replace(tzinfo=UTC) for each in opens])
    holes = find_holes(bars["time"], timeframe, open_calendar(calendar))
    assert with_missed(bars, timeframe, holes)[MISSED].to_list() == expected


@pytest.mark.parametrize(
    ("timeframe", "pause", "expected"),
    [("1d", 7, 0), ("1d", 8, 7), ("1w", 21, 0), ("1w", 28, 3), ("1h", 5, 0), ("1h", 6, 143)],
)
def test_where_nobody_knows_the_length_of_a_pause_decides(timeframe: str, pause: int, expected: int) -> None:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    bars = bars_at([first, first + timedelta(days=pause)])
    assert with_missed(bars, timeframe)[MISSED].to_list() == [0, expected]


def test_a_former_store_opens_and_learns_what_is_missing_when_it_grows(tmp_path: Path) -> None:
    """Sidecars without a number are of the shape before: everything is there, and holes are not known."""
    shutil.copytree(FORMER, tmp_path / "bars")
    store, acme = BarStore(tmp_path / "bars"), Series("import", "ACME", "1d")
    coin = Series("scripted", "BTC/USDT", "1d")
    assert [each.series for each in store.list()] == [acme, coin]
    assert store.meta(acme).holes is None
    assert missed(store, acme) == [0, 0, 0, 0, 0]
    assert store.read(acme)["close"].to_list() == [100.0, 101.0, 102.0, 103.0, 104.0]
    store.add(acme, [daily([8])], store.meta(acme).terms, judge=judge_of("XNYS"))
    assert missed(store, acme) == [0, 0, 0, 0, 2, 0]
    within = Interval(day(5), day(6))
    store.extend(coin, daily([5]), within, store.meta(coin).terms, judge=judge_of("24/7"))
    assert missed(store, coin) == [0, 0, 2, 0]


def test_a_sidecar_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(SERIES, [daily(range(5))], RAW)
    sidecar = next(tmp_path.rglob("meta.json"))
    later = json.dumps({**json.loads(sidecar.read_text()), "shape": 99})
    sidecar.write_text(later)
    for change in (
        lambda: store.read(SERIES),
        lambda: store.add(SERIES, [daily([9])], RAW),
        lambda: store.replace(SERIES, [daily([9])], RAW),
        lambda: store.drop_damaged(SERIES),
    ):
        with pytest.raises(DataInvalid, match="written by a later ktrdr"):
            change()
    assert store.list() == ()
    assert sidecar.read_text() == later
    assert len(list(tmp_path.rglob("*.parquet"))) >= 1


def test_a_sidecar_with_damaged_holes_is_damaged(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.replace(SERIES, [daily([0, 3])], RAW, judge=judge_of("24/7"))
    sidecar = next(tmp_path.rglob("meta.json"))
    for holes in ({"calendar": "24/7", "start": [1], "missing": []}, {"start": ["x"]}, [3], "x"):
        sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "holes": holes}))
        with pytest.raises(DataInvalid, match="damaged"):
            store.meta(SERIES)


def test_holes_come_back_from_a_sidecar_as_they_were() -> None:
    holes = find_holes(daily([0, 3, 9])["time"], "1d", open_calendar("24/7"))
    assert holes is not None
    assert Holes.from_json(json.loads(json.dumps(holes.to_json()))) == holes
